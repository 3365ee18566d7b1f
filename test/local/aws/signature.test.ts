import { expect } from "chai";
import { signingHeaders } from "../../../local/aws/signature.ts";

const url = new URL("http://127.0.0.1:4566/clusters/my_cluster-1/assume-role-for-pod-identity");

describe("signingHeaders", () => {
  const signed = (sessionToken?: string) =>
    signingHeaders(
      { method: "POST", url, body: '{"token":"a.b.c"}' },
      {
        region: "eu-central-1",
        service: "eks-auth",
        credentials: {
          accessKeyId: "AKIAIOSFODNN7EXAMPLE",
          secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
          sessionToken,
        },
        now: new Date("2027-01-15T08:00:00.123Z"),
      },
    );
  const credential =
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20270115/eu-central-1/eks-auth/aws4_request";

  it("signs as botocore signs the same request", async () => {
    expect(await signed()).to.deep.equal({
      "content-type": "application/json",
      "x-amz-date": "20270115T080000Z",
      authorization: `${credential}, SignedHeaders=content-type;host;x-amz-date, Signature=3c2f0c4401721a929870d2ea8bfd56b74c006bc1465c7c7bb2149e756a43b8de`,
    });
  });

  it("signs a session's token too", async () => {
    const { authorization, "x-amz-security-token": token } = await signed("session/token+=");
    expect(token).to.equal("session/token+=");
    expect(authorization).to.equal(
      `${credential}, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=b0dabecd31ef6f08186da2558383547dc6aeb0c466e8100732fec428ca15057d`,
    );
  });
});

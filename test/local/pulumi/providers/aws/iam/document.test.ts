import { expect } from "chai";
import { asText, decoded, samePolicy } from "../../../../../../local/pulumi/providers/aws/iam/document.ts";

describe("a policy document", () => {
  const policy = (statement: object): string =>
    JSON.stringify({ Version: "2012-10-17", Statement: statement });

  it("is compared as IAM does: however formatted, one string as a list of it, actions in any order", () => {
    const one = policy({ Effect: "Allow", Action: ["s3:GetObject", "s3:ListBucket"], Resource: "*" });
    const other = `{ "Statement": [{"Resource": ["*"], "Action": ["s3:ListBucket", "s3:GetObject"],
      "Effect": "Allow"}], "Version": "2012-10-17" }`;
    expect(samePolicy(one, other)).to.equal(true);
  });

  it("differs by one character", () => {
    const trust = (sub: string) => policy([{ Condition: { StringEquals: { "issuer:sub": sub } } }]);
    const sub = "system:serviceaccount:a:b";
    expect(samePolicy(trust(sub), trust(sub))).to.equal(true);
    expect(samePolicy(trust(sub), trust(`${sub}c`))).to.equal(false);
  });

  it("comes as text or as an object, and back percent-encoded", () => {
    expect(asText({ Version: "2012-10-17" })).to.equal('{"Version":"2012-10-17"}');
    expect(asText("{}")).to.equal("{}");
    expect(decoded("%7B%22a%22%3A%22%C3%A9%22%7D")).to.equal('{"a":"é"}');
  });
});

import { expect } from "chai";
import { checkSigned, describeCall, isIssuedKeyId, protocolOf } from "../../../local/aws/request.ts";
import { refusal } from "./tokens.ts";

const signed = (service: string, id = "AKIAIOSFODNN7EXAMPLE") => ({
  authorization: `AWS4-HMAC-SHA256 Credential=${id}/20270115/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
});
const form = { "content-type": "Application/X-WWW-Form-Urlencoded; charset=utf-8" };

describe("a call of AWS's", () => {
  it("is described by its headers and its query", () => {
    const call = describeCall("POST", "/a%20b?x=1&x=2", { ...signed("IAM"), ...form });
    expect(call).to.deep.include({
      method: "POST",
      path: "/a%20b",
      service: "iam",
      accessKeyIds: ["AKIAIOSFODNN7EXAMPLE"],
      form: true,
    });
    expect(call.query.getAll("x")).to.deep.equal(["1", "2"]);
  });

  it("names its access keys wherever they stand", () => {
    const scope = encodeURIComponent("ASIA1/20270115/eu-central-1/s3/aws4_request");
    const call = describeCall("GET", `/?X-Amz-Credential=${scope}&awsAccessKeyId=test`, {
      authorization: "AWS root:sig",
    });
    expect(call.accessKeyIds).to.deep.equal(["ASIA1", "test", "root"]);
    expect(call.service).to.equal("s3");
    expect(describeCall("GET", "//x/y", {})).to.deep.include({
      path: "//x/y",
      accessKeyIds: [],
      service: undefined,
    });
  });

  it("has its service's protocol", () => {
    const of = (headers: object, url = "/") => protocolOf(describeCall("POST", url, { ...headers }));
    expect(of({ ...signed("ecr"), "x-amz-target": "T.DescribeImages" })).to.equal("json");
    expect(of(signed("eks"))).to.equal("json");
    expect(of({ ...signed("ec2"), ...form })).to.equal("ec2");
    expect(of({ ...signed("iam"), ...form })).to.equal("query");
    expect(of({}, "/?Action=GetCallerIdentity")).to.equal("query");
    expect(of(signed("s3"))).to.equal("xml");
  });

  it("is signed with keys that IAM or STS may have given out, all of them", async () => {
    const check = (headers: object, url = "/") =>
      refusal(Promise.resolve().then(() => checkSigned(describeCall("GET", url, { ...headers }))));
    expect(() => checkSigned(describeCall("GET", "/", signed("s3")))).not.to.throw();
    expect(await check({})).to.equal("403 AccessDenied: Access Denied");
    expect(await check(signed("eks", "test"))).to.match(/^403 UnrecognizedClientException/);
    expect(await check(signed("ec2", "test"))).to.match(/^401 AuthFailure/);
    expect(await check(signed("sts", "test"))).to.match(/^403 InvalidClientTokenId/);
    expect(await check(signed("s3"), "/?AWSAccessKeyId=000000000000")).to.match(/^403 InvalidAccessKeyId/);
    expect(["AKIAIOSFODNN7EXAMPLE", "test", "AKIA", "1".repeat(12)].map(isIssuedKeyId)).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });
});

import { expect } from "chai";
import { deepEqual, formatPath, samePolicy, sameSet } from "../../../../local/pulumi/provider-host/diff.ts";

describe("comparing properties", () => {
  it("does not tell absent from empty, but tells false and 0 from absent", () => {
    expect(deepEqual({ a: {}, b: [], c: "", d: null }, {})).to.equal(true);
    expect(deepEqual({ a: false }, {})).to.equal(false);
    expect(deepEqual({ a: 0 }, {})).to.equal(false);
    expect(deepEqual([1, 2], [2, 1])).to.equal(false);
  });

  it("takes lists as sets where their order has no meaning", () => {
    expect(sameSet(["b", "a"], ["a", "b"])).to.equal(true);
    expect(sameSet(["a"], ["a", "a"])).to.equal(false);
  });

  const policy = (statement: object): string =>
    JSON.stringify({ Version: "2012-10-17", Statement: statement });

  it("takes policies as IAM does: however formatted, one string as a list of it, actions in any order", () => {
    const one = policy({ Effect: "Allow", Action: ["s3:GetObject", "s3:ListBucket"], Resource: "*" });
    const other = `{ "Statement": [{"Resource": ["*"], "Action": ["s3:ListBucket", "s3:GetObject"],
      "Effect": "Allow"}], "Version": "2012-10-17" }`;
    expect(samePolicy(one, other)).to.equal(true);
  });

  it("tells policies that differ in one character", () => {
    const trust = (sub: string) => policy([{ Condition: { StringEquals: { "issuer:sub": sub } } }]);
    const sub = "system:serviceaccount:a:b";
    expect(samePolicy(trust(sub), trust(sub))).to.equal(true);
    expect(samePolicy(trust(sub), trust(`${sub}c`))).to.equal(false);
  });

  it("writes paths as the engine reads them", () => {
    expect(formatPath(["spec", "containers", 0, "image"])).to.equal("spec.containers[0].image");
    expect(formatPath(["metadata", "annotations", "eks.amazonaws.com/role-arn"])).to.equal(
      'metadata.annotations["eks.amazonaws.com/role-arn"]',
    );
  });
});

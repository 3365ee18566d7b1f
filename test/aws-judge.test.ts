import { expect } from "chai";
import { awsJudge, type Judge } from "./aws-judge.ts";
import { findJudge } from "./configurations.ts";
import type { Registered } from "./mocks.ts";

describe("the judge of what a program registers", () => {
  let judge: Judge;
  before(async function () {
    const found = await findJudge();
    if (found === undefined) this.skip();
    judge = found;
  });

  const resource = (type: string, inputs: object, name = "r"): Registered => ({
    ...{
      type,
      name,
      inputs: inputs as Registered["inputs"],
      parent: "urn:pulumi:t::p::pulumi:pulumi:Stack::c",
    },
    ...{
      custom: true,
      protect: false,
      provider: "",
      dependencies: [],
      aliases: [],
      ignoreChanges: [],
      deleteBeforeReplace: false,
      timeouts: { create: "", update: "" },
    },
  });
  const role = (more: object) => resource("aws:iam/role:Role", { assumeRolePolicy: trust, ...more });
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { Service: "pods.eks.amazonaws.com" }, Action: "sts:AssumeRole" },
    ],
  });
  const inline = (statement: object, name = "r") =>
    resource(
      "aws:iam/rolePolicy:RolePolicy",
      {
        role: "x",
        name: "x",
        policy: JSON.stringify({
          Statement: [{ Effect: "Allow", Action: "s3:Get*", Resource: "*", ...statement }],
        }),
      },
      name,
    );
  const against = (...registered: Registered[]): string[] =>
    judge(registered, () => ({ policies: 1, trust: 2048 }));

  it("has nothing against what AWS takes", () => {
    expect(against(role({ tags: { team: "a" }, description: "a r\u00f4le" }), inline({}))).to.deep.equal([]);
  });

  const cases: [what: string, registered: () => Registered[], line: RegExp][] = [
    ["a pattern", () => [role({ description: "\u2019" })], /^r: CreateRole description .*"pattern"/],
    ["a length", () => [role({ name: "x".repeat(65) })], /roleName .*"than":64/],
    ["a bound", () => [role({ maxSessionDuration: 60 })], /maxSessionDuration .*"than":3600/],
    ["a type", () => [resource("eks:index:Cluster", { name: 1 })], /CreateCluster name .*"type":"string"/],
    [
      "what is not one of several",
      () => [resource("aws:eks/nodeGroup:NodeGroup", { amiType: "x" })],
      /amiType/,
    ],
    [
      "what lacks",
      () => [resource("aws:iam/rolePolicy:RolePolicy", { role: "x" })],
      /policyName .*"required"/,
    ],
    ["a resource that it does not know", () => [resource("aws:s3/bucket:Bucket", {})], /knows no call/],
    ["IAM's grammar", () => [inline({ Effect: "Maybe" })], /Effect must be/],
    ["ids of statements", () => [inline({ Sid: "a-b" })], /Sid a-b/],
    ["a resource that is no ARN", () => [inline({ Resource: "bucket" })], /Resource bucket/],
    ["tags of one spelling", () => [role({ tags: { a: "", A: "" } })], /tag keys of one spelling/],
    ["a block with host bits", () => [resource("x", { cidrBlocks: ["10.1.0.0/8"] })], /block 10\.1\.0\.0\/8/],
    ["quotas", () => [inline({ Sid: "x".repeat(10_240) })], /inline policies of \d+, over 10240/],
    ["two of one name", () => [inline({}), inline({})], /there is a .* of this name already/],
  ];
  for (const [what, registered, line] of cases) {
    it(`tells of ${what}`, () => {
      expect(against(...registered()).join("\n")).to.match(line);
    });
  }

  it("is none without the models", async () => {
    expect(await awsJudge(async () => undefined)).to.equal(undefined);
  });
});

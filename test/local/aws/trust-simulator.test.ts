import { expect } from "chai";
import { trustAllows } from "../../../local/aws/trust-simulator.ts";
import {
  accountId,
  audience,
  host,
  irsaTrust,
  issuer,
  providerArn,
  roleArn,
  subject,
  trustPolicy,
} from "./tokens.ts";

const sub = `${host}:sub`;
const aud = `${host}:aud`;

const allows = (policy: string, claims = { sub: subject, aud: audience }) =>
  trustAllows({
    trustPolicy: policy,
    roleArn,
    roleSessionName: "pod",
    accountId,
    providerArn,
    issuer: host,
    claims,
  });

describe("trustAllows", () => {
  const allowed: Record<string, string> = {
    "sub and aud": irsaTrust,
    "condition keys in another case": trustPolicy({ StringEquals: { [sub.toUpperCase()]: subject } }),
    "one of several subjects": trustPolicy({
      StringEquals: { [sub]: ["system:serviceaccount:a:b", subject] },
    }),
    "a pattern by StringLike": trustPolicy({ StringLike: { [sub]: "system:serviceaccount:default:*" } }),
    "no condition": trustPolicy(undefined),
    "every action of STS": trustPolicy(undefined, { Action: "sts:*" }),
    "one statement that is no list": JSON.stringify({
      Version: "2012-10-17",
      Statement: JSON.parse(irsaTrust).Statement[0],
    }),
    "the session's name": trustPolicy({ StringEquals: { "sts:RoleSessionName": "pod" } }),
  };
  for (const [name, policy] of Object.entries(allowed)) {
    it(`allows by ${name}`, async () => {
      expect(await allows(policy)).to.equal(true);
    });
  }

  const denied: Record<string, string> = {
    "condition keys with https://, a mistake that IAM takes": trustPolicy({
      StringEquals: { [`${issuer}:sub`]: subject },
    }),
    "a pattern by StringEquals": trustPolicy({ StringEquals: { [sub]: "system:serviceaccount:default:*" } }),
    "another subject if it exists": trustPolicy({
      StringEqualsIfExists: { [sub]: "system:serviceaccount:a:b" },
    }),
    "another audience for all values": trustPolicy({ "ForAllValues:StringEquals": { [aud]: "other" } }),
    "the keys of another issuer": trustPolicy({ StringEquals: { [`${host}X:sub`]: subject } }),
    "another provider": trustPolicy(undefined, { Principal: { Federated: `${providerArn}X` } }),
    "a service": trustPolicy(undefined, { Principal: { Service: "eks.amazonaws.com" } }),
    "another action": trustPolicy(undefined, { Action: "sts:AssumeRole" }),
    "an effect that is none": trustPolicy(undefined, { Effect: "allow" }),
    "a Deny beside the Allow": JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        ...JSON.parse(irsaTrust).Statement,
        { Effect: "Deny", Principal: "*", Action: "*", Condition: { StringEquals: { [sub]: subject } } },
      ],
    }),
    "no JSON": "{",
    nothing: "",
    "JSON that is no policy": "[1, null]",
  };
  for (const [name, policy] of Object.entries(denied)) {
    it(`denies by ${name}`, async () => {
      expect(await allows(policy)).to.equal(false);
    });
  }

  it("compares claims case-sensitively", async () => {
    expect(await allows(irsaTrust, { sub: subject.toUpperCase(), aud: audience })).to.equal(false);
    expect(await allows(irsaTrust, { sub: subject, aud: audience.toUpperCase() })).to.equal(false);
  });
});

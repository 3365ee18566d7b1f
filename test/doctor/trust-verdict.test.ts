import { expect } from "chai";
import fc from "fast-check";
import { judgePodIdentityTrust, judgeRoleTrust, judgeTrust, namesRole } from "../../doctor/trust-verdict.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { oidcProviderArn } from "../mocks.ts";
import { issuer, policy, roleArn } from "./captured.ts";

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);

describe("the doctor's judgement of a trust policy", () => {
  it("admits what the component's own trust policy is for, and names the subject for all else", () => {
    fc.assert(
      fc.property(name, name, name, name, (namespace, serviceAccount, otherNamespace, otherAccount) => {
        const document = JSON.stringify(trustPolicy({ oidcProviderArn, namespace, serviceAccount }));
        const judge = (a: string, b: string) =>
          judgeTrust(document, {
            issuer,
            providerArn: oidcProviderArn,
            sub: `system:serviceaccount:${a}:${b}`,
            aud: "sts.amazonaws.com",
          }).fault?.cause;
        expect(judge(namespace, serviceAccount)).to.equal(undefined);
        const same = namespace === otherNamespace && serviceAccount === otherAccount;
        expect(judge(otherNamespace, otherAccount)).to.equal(same ? undefined : "trust-subject");
      }),
    );
  });

  it("tells by the statement that comes nearest, and leaves to STS what only STS can judge", () => {
    const claims = {
      issuer,
      providerArn: oidcProviderArn,
      sub: "system:serviceaccount:team-a:reader",
      aud: "sts.amazonaws.com",
    };
    const { Version, Statement } = trustPolicy({
      oidcProviderArn,
      namespace: "team-b",
      serviceAccount: "reader",
    });
    const ec2 = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } };
    expect(
      judgeTrust(JSON.stringify({ Version, Statement: [ec2, ...Statement] }), claims).fault?.cause,
    ).to.equal("trust-subject");
    expect(judgeTrust("{}", claims).fault?.cause).to.equal("trust-no-statement");
    const right = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" })
      .Statement[0];
    const Condition = { ...right?.Condition, IpAddress: { "aws:SourceIp": "203.0.113.0/24" } };
    expect(
      judgeTrust(JSON.stringify({ Version, Statement: [{ ...right, Condition }] }), claims),
    ).to.deep.equal({
      undecided: ["ipaddress aws:sourceip 203.0.113.0/24"],
    });
  });
});

describe("the doctor's judgement of a trust policy for EKS Pod Identity", () => {
  it("admits what the component's own trust policy is for, and nobody else", () => {
    fc.assert(
      fc.property(name, name, name, (namespace, serviceAccount, other) => {
        const document = JSON.stringify(podIdentityTrustPolicy([{ namespace, serviceAccount }]));
        const judge = (account: string) =>
          judgePodIdentityTrust(
            document,
            new Map([
              ["aws:requesttag/kubernetes-namespace", namespace],
              ["aws:requesttag/kubernetes-service-account", account],
            ]),
            true,
          ).fault?.cause;
        expect(judge(serviceAccount)).to.equal(undefined);
        expect(judge(other)).to.equal(other === serviceAccount ? undefined : "trust-condition");
      }),
    );
  });

  it("leaves open what it knows nothing of", () => {
    const [statement] = podIdentityTrustPolicy([{ namespace: "a", serviceAccount: "b" }]).Statement;
    const Condition = { ArnEquals: { "aws:SourceArn": "arn:x" } };
    expect(judgePodIdentityTrust(policy({ ...statement, Condition }), new Map(), true)).to.deep.equal({
      undecided: ["arnequals aws:sourcearn arn:x"],
      fault: undefined,
    });
  });
});

describe("the doctor's judgement of a trust policy for another role", () => {
  const assume = (Principal: object, more: object = {}) =>
    policy({ Effect: "Allow", Action: "sts:AssumeRole", Principal, ...more });
  const cause = (document: string, context = new Map<string, string | undefined>()) =>
    judgeRoleTrust(document, roleArn, context, false).fault?.cause;

  it("admits the role by its ARN, its account, or everybody", () => {
    for (const AWS of [roleArn, "111122223333", "arn:aws:iam::111122223333:root", "*"]) {
      expect(cause(assume({ AWS })), AWS).to.equal(undefined);
    }
    expect(cause(assume({ AWS: "arn:aws:iam::999999999999:root" }))).to.equal("trust-principal");
    expect(cause(assume({ AWS: roleArn }, { Effect: "Deny" }))).to.equal("trust-deny");
  });

  it("tells whether it is the role itself that is named", () => {
    expect(namesRole(assume({ AWS: roleArn }), roleArn)).to.equal(true);
    expect(namesRole(assume({ AWS: "111122223333" }), roleArn)).to.equal(false);
  });

  it("asks for an external id where the policy does", () => {
    const guarded = assume({ AWS: roleArn }, { Condition: { StringEquals: { "sts:ExternalId": "x" } } });
    expect(cause(guarded, new Map([["sts:externalid", "x"]]))).to.equal(undefined);
    expect(cause(guarded, new Map([["sts:externalid", undefined]]))).to.equal("trust-condition");
  });
});

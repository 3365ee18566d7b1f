import { expect } from "chai";
import { judgeRoleTrust } from "../../doctor/trust-verdict.ts";
import { assumeRolePolicy, targetTrustPolicy } from "../../iam/role-chaining.ts";

describe("role chaining", () => {
  const roleArn = "arn:aws-cn:iam::111122223333:role/team/app";
  const session = { clusterName: "prod", namespace: "team-a", serviceAccount: "app" };
  const tags = (cluster: string) =>
    new Map<string, string | undefined>([
      ["aws:requesttag/eks-cluster-name", cluster],
      ["aws:requesttag/kubernetes-namespace", "team-a"],
      ["aws:requesttag/kubernetes-service-account", "app"],
      ["aws:principalarn", roleArn],
    ]);
  const admits = (
    ...[args, context, sessionTags]: [
      Parameters<typeof targetTrustPolicy>[0],
      ReturnType<typeof tags>,
      boolean,
    ]
  ) => {
    const { fault, undecided } = judgeRoleTrust(
      JSON.stringify(targetTrustPolicy(args)),
      roleArn,
      context,
      sessionTags,
    );
    return fault === undefined && undecided.length === 0;
  };

  it("admits the pod's role with the tags of its cluster, and no other cluster's", () => {
    expect(admits({ roleArn, session }, tags("prod"), true)).to.equal(true);
    expect(admits({ roleArn, session }, tags("dev"), true)).to.equal(false);
  });

  it("admits no other role of the account", () => {
    const other = new Map(tags("prod")).set("aws:principalarn", `${roleArn}-2`);
    expect(admits({ roleArn, session }, other, true)).to.equal(false);
  });

  it("admits by the external id where there are no tags", () => {
    const context = (externalId?: string) =>
      new Map<string, string | undefined>([
        ["aws:principalarn", roleArn],
        ["sts:externalid", externalId],
      ]);
    expect(admits({ roleArn, externalId: "reports" }, context("reports"), false)).to.equal(true);
    expect(admits({ roleArn, externalId: "reports" }, context("other"), false)).to.equal(false);
    expect(admits({ roleArn, externalId: "reports" }, context(), false)).to.equal(false);
    expect(admits({ roleArn }, context(), false)).to.equal(true);
  });

  it("names the account in the role's own partition, and the role by a condition, which outlives it", () => {
    const [statement] = targetTrustPolicy({ roleArn }).Statement;
    expect(statement).to.deep.include({
      Principal: { AWS: "arn:aws-cn:iam::111122223333:root" },
      Condition: { ArnEquals: { "aws:PrincipalArn": roleArn } },
    });
  });

  it("lets the pod's role assume just the next, and tag the session only where there are tags", () => {
    expect(
      assumeRolePolicy([
        { arn: "arn:aws:iam::1:role/a", sessionTags: true },
        { arn: "arn:aws:iam::1:role/b", sessionTags: false },
      ]).Statement,
    ).to.deep.equal([
      { Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Resource: "arn:aws:iam::1:role/a" },
      { Effect: "Allow", Action: ["sts:AssumeRole"], Resource: "arn:aws:iam::1:role/b" },
    ]);
  });
});

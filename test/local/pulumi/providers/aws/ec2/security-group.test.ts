import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.ec2.SecurityGroup", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:ec2/securityGroup:SecurityGroup");
  });
  afterEach(() => account.close());

  const inputs = { name: "nodes", vpcId: "vpc-1", revokeRulesOnDelete: true };

  it("lets nothing out that no rule lets out", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    expect(
      account.aws.ask("DescribeSecurityGroupRules", { Filters: [{ Values: [made.id] }] }),
    ).to.deep.include({
      SecurityGroupRules: [],
    });
    expect(made.state).to.include({
      vpcId: "vpc-1",
      description: "Managed by Pulumi",
      ownerId: "111122223333",
    });
    await account.destroy(made);
  });

  it("takes a rule for revoked that an SDK finds gone, having asked again", async () => {
    account.aws.instead.RevokeSecurityGroupEgress = () => {
      throw Object.assign(new Error("does not exist"), { name: "InvalidSecurityGroupRuleId.NotFound" });
    };
    await account.destroy(await account.create(inputs));
    expect(account.aws.requests.map(({ command }) => command)).to.include("RevokeSecurityGroupEgress");
  });

  it("changes its tags in place, and is another in another VPC", async () => {
    const made = await account.create(inputs);
    const after = await account.update(made, { ...inputs, tags: { a: "1" } });
    expect(after.changes).to.deep.equal(["CreateTags"]);
    expect(await account.replacedBy(after, { ...inputs, vpcId: "vpc-2" })).to.deep.equal(["vpcId"]);
  });

  it("takes away the rules that others added before it goes, and waits for those who use it", async () => {
    const made = await account.create(inputs);
    const IpPermissions = [{ IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: made.id }] }];
    account.aws.ask("AuthorizeSecurityGroupIngress", { GroupId: made.id, IpPermissions });
    let asked = 0;
    account.aws.instead.DeleteSecurityGroup = () => {
      asked += 1;
      if (asked === 2) delete account.aws.instead.DeleteSecurityGroup;
      throw Object.assign(new Error("has a dependent object"), { name: "DependencyViolation" });
    };
    await account.destroy(made);
    expect(account.aws.changes).to.include("RevokeSecurityGroupIngress");
    expect(asked).to.equal(2);
  });
});

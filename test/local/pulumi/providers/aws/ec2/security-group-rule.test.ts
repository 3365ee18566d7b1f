import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.ec2.SecurityGroupRule", () => {
  let account: Account;
  let securityGroupId: string;
  beforeEach(async () => {
    account = await Account.open("aws:ec2/securityGroupRule:SecurityGroupRule");
    const { GroupId } = account.aws.ask("CreateSecurityGroup", { GroupName: "nodes" }) as { GroupId: string };
    securityGroupId = GroupId;
  });
  afterEach(() => account.close());
  const https = { type: "ingress", protocol: "tcp", fromPort: 443, toPort: 443 };

  it("is made, found by what it says, described anew in place, and taken away", async () => {
    const inputs = { ...https, securityGroupId, sourceSecurityGroupId: "sg-other", description: "one" };
    const made = await account.create(inputs);
    expect(made.id).to.match(/^sgrule-\d+$/);
    expect(made.state.securityGroupRuleId).to.match(/^sgr-/);
    const after = await account.update(made, { ...inputs, description: "two" });
    expect(after.changes).to.deep.equal(["ModifySecurityGroupRules"]);
    await account.destroy(after);
  });

  it("on every protocol has no ports, whatever was said of them", async () => {
    const all = { type: "ingress", protocol: "-1", fromPort: 0, toPort: 0 };
    await account.destroy(await account.create({ ...all, securityGroupId, self: true }));
    const outward = await account.create({
      ...all,
      type: "egress",
      securityGroupId,
      cidrBlocks: ["10.0.0.0/8"],
    });
    expect(account.aws.changes.at(-1)).to.equal("AuthorizeSecurityGroupEgress");
    await account.destroy(outward);
    expect(account.aws.changes.at(-1)).to.equal("RevokeSecurityGroupEgress");
  });

  it("for several blocks is several of EC2's, and gone when one is", async () => {
    const made = await account.create({
      ...https,
      securityGroupId,
      cidrBlocks: ["10.0.0.0/8", "192.168.0.0/16"],
    });
    expect(made.state.securityGroupRuleId).to.equal(undefined);
    const { SecurityGroupRules } = account.aws.ask("DescribeSecurityGroupRules", {
      Filters: [{ Values: [securityGroupId] }],
    }) as { SecurityGroupRules: { CidrIpv4: string; SecurityGroupRuleId: string }[] };
    const one = SecurityGroupRules.find(({ CidrIpv4 }) => CidrIpv4 === "10.0.0.0/8");
    account.aws.ask("RevokeSecurityGroupIngress", {
      GroupId: securityGroupId,
      SecurityGroupRuleIds: [one?.SecurityGroupRuleId],
    });
    expect(await account.refresh(made)).to.equal(undefined);
  });

  it("is another with another port, and the same with its blocks in another order", async () => {
    const inputs = { ...https, securityGroupId, cidrBlocks: ["10.0.0.0/8", "192.168.0.0/16"] };
    const made = await account.create(inputs);
    expect(await account.replacedBy(made, { ...inputs, toPort: 444 })).to.deep.equal(["toPort"]);
    expect(
      await account.replacedBy(made, { ...inputs, cidrBlocks: inputs.cidrBlocks.toReversed() }),
    ).to.deep.equal([]);
  });

  it("is made once: EC2 refuses one that says the same", async () => {
    const inputs = { ...https, securityGroupId, self: true };
    await account.create(inputs);
    const error = await account.engine.create(inputs).catch((error: Error) => error.message);
    expect(error).to.contain("InvalidPermission.Duplicate");
  });

  it("refuses a block with host bits, and a rule for nobody", async () => {
    const { failures } = await account.engine.check({
      ...https,
      securityGroupId,
      cidrBlocks: ["10.0.0.1/8"],
    });
    expect(failures.join()).to.contain('did you mean "10.0.0.0/8"?');
    const error = await account.engine
      .create({ ...https, securityGroupId })
      .catch((error: Error) => error.message);
    expect(error).to.contain(
      "one of cidrBlocks, ipv6CidrBlocks, prefixListIds, self and sourceSecurityGroupId",
    );
  });
});

import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.eks.Cluster", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:eks/cluster:Cluster");
  });
  afterEach(() => account.close());

  const vpcConfig = { subnetIds: ["subnet-a", "subnet-b"], endpointPrivateAccess: true };
  const inputs = { name: "dev", roleArn: "arn:aws:iam::111122223333:role/eks", vpcConfig };

  it("is what EKS made of it, and goes", async () => {
    const made = await account.create({
      ...inputs,
      accessConfig: { authenticationMode: "API" },
      enabledClusterLogTypes: ["api"],
      upgradePolicy: { supportType: "STANDARD" },
      tags: { a: "1" },
    });
    expect(made.id).to.equal("dev");
    expect(made.state).to.deep.include({
      arn: "arn:aws:eks:eu-central-1:111122223333:cluster/dev",
      version: "1.34",
      certificateAuthority: { data: "Q0E=" },
      identities: [{ oidcs: [{ issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC" }] }],
    });
    await account.destroy(made);
  });

  it("changes its subnets, security groups and endpoint in place, one kind at a time", async () => {
    const made = await account.create(inputs);
    const after = await account.update(made, {
      ...inputs,
      vpcConfig: {
        ...vpcConfig,
        subnetIds: ["subnet-a", "subnet-c"],
        securityGroupIds: ["sg-1"],
        publicAccessCidrs: ["10.0.0.0/8"],
      },
    });
    expect(after.changes).to.deep.equal(["UpdateClusterConfig", "UpdateClusterConfig"]);
    expect(after.state.vpcConfig).to.deep.include({
      subnetIds: ["subnet-a", "subnet-c"],
      securityGroupIds: ["sg-1"],
      publicAccessCidrs: ["10.0.0.0/8"],
    });
  });

  it("changes its version, logs, access, upgrade policy, protection and tags in place", async () => {
    const made = await account.create(inputs);
    const after = await account.update(made, {
      ...inputs,
      version: "1.35",
      enabledClusterLogTypes: ["audit"],
      accessConfig: { authenticationMode: "API_AND_CONFIG_MAP" },
      upgradePolicy: { supportType: "STANDARD" },
      deletionProtection: true,
      tags: { a: "1" },
    });
    expect(after.changes).to.deep.equal([
      "UpdateClusterVersion",
      ...Array.from({ length: 4 }, () => "UpdateClusterConfig"),
      "TagResource",
    ]);
  });

  describe("with EKS Auto Mode", () => {
    const role = "arn:aws:iam::111122223333:role/node";
    const autoMode = (enabled: boolean) => ({
      ...inputs,
      computeConfig: enabled
        ? { enabled, nodeRoleArn: role, nodePools: ["system", "general-purpose"] }
        : { enabled },
      storageConfig: { blockStorage: { enabled } },
      kubernetesNetworkConfig: { ipFamily: "ipv4", elasticLoadBalancing: { enabled } },
    });
    const whole = "must all be set to either true or false";
    const refusal = (asked: Promise<unknown>) =>
      asked.then(
        () => "none",
        ({ message }: Error) => message,
      );

    it("is made with it", async () => {
      const made = await account.create({ ...autoMode(true), bootstrapSelfManagedAddons: false });
      expect(made.state.computeConfig).to.deep.include({ enabled: true, nodeRoleArn: role });
      await account.destroy(made);
    });

    it("gets it in place, at once as a whole, and gives it up where each part is said to be off", async () => {
      const on = await account.update(await account.create(inputs), autoMode(true));
      expect(on.changes).to.deep.equal(["UpdateClusterConfig"]);
      const off = await account.update(on, autoMode(false));
      expect(off.changes).to.deep.equal(["UpdateClusterConfig"]);
    });

    it("refuses it in part, and to leave it by saying nothing, as load balancing stays on then", async () => {
      const { storageConfig: _, ...part } = autoMode(true);
      expect(await refusal(account.engine.create(await account.check(part)))).to.contain(whole);
      const made = await account.create(autoMode(true));
      const { engine } = account;
      const none = await account.check(inputs, made.inputs);
      expect(await refusal(engine.update(made.id, made.inputs, made.state, none))).to.contain(whole);
    });
  });

  it("is another with another role", async () => {
    const made = await account.create(inputs);
    const other = { ...inputs, roleArn: "arn:aws:iam::111122223333:role/other" };
    expect(await account.replacedBy(made, other)).to.deep.equal(["roleArn"]);
  });

  for (const [what, change, failure] of [
    [
      "no subnets",
      { subnetIds: [] },
      "vpcConfig.subnetIds: requires 1 item minimum, but has only 0 declared",
    ],
    [
      "subnets that are not given",
      { subnetIds: undefined },
      "vpcConfig.subnetIds: missing required property 'subnetIds'",
    ],
    [
      "a block with bits behind its prefix",
      { publicAccessCidrs: ["10.1.0.0/8"] },
      'vpcConfig.publicAccessCidrs: "10.1.0.0/8" is not a valid IPv4 CIDR block; did you mean "10.0.0.0/8"?',
    ],
    [
      "what is no block",
      { publicAccessCidrs: ["10.0.0.0/33"] },
      'vpcConfig.publicAccessCidrs: "10.0.0.0/33" is not a valid IPv4 CIDR block',
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { failures } = await account.engine.check({ ...inputs, vpcConfig: { ...vpcConfig, ...change } });
      expect(failures).to.deep.equal([failure]);
    });
  }

  it("says why it failed", async () => {
    const health = { issues: [{ code: "Ec2SubnetNotFound", message: "no subnet" }] };
    account.aws.instead.DescribeCluster = () => ({ cluster: { status: "FAILED", health } });
    const error = await account.engine
      .create(await account.check(inputs))
      .catch((error: Error) => error.message);
    expect(error).to.contain("the EKS cluster dev is FAILED: Ec2SubnetNotFound: no subnet");
  });

  it("is waited for", async () => {
    const checked = await account.check(inputs);
    let asked = 0;
    account.aws.instead.DescribeCluster = () => {
      asked += 1;
      delete account.aws.instead.DescribeCluster;
      return { cluster: { status: "CREATING" } };
    };
    const { state } = await account.engine.create(checked);
    expect(asked).to.equal(1);
    expect(state.status).to.equal("ACTIVE");
  });
});

import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.eks.NodeGroup", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:eks/nodeGroup:NodeGroup");
  });
  afterEach(() => account.close());

  const inputs = {
    clusterName: "dev",
    nodeGroupName: "nodes",
    nodeRoleArn: "arn:aws:iam::111122223333:role/nodes",
    subnetIds: ["subnet-a"],
    scalingConfig: { minSize: 1, maxSize: 3, desiredSize: 1 },
  };
  const failureOf = async (more: object): Promise<string> =>
    account.engine.create(await account.check({ ...inputs, ...more })).then(
      () => "none",
      (error: Error) => error.message,
    );

  it("is what EKS made of it, and goes", async () => {
    const made = await account.create({
      ...inputs,
      labels: { a: "1" },
      launchTemplate: { id: "lt-1", version: "1" },
    });
    expect(made.id).to.equal("dev:nodes");
    expect(made.state).to.deep.include({ status: "ACTIVE", amiType: "AL2023_x86_64_STANDARD" });
    await account.destroy(made);
  });

  it("changes its size, labels, template and tags in place", async () => {
    const made = await account.create({
      ...inputs,
      labels: { a: "1", b: "2" },
      launchTemplate: { id: "lt-1", version: "1" },
    });
    const after = await account.update(made, {
      ...inputs,
      scalingConfig: { minSize: 1, maxSize: 9, desiredSize: 1 },
      labels: { b: "3" },
      launchTemplate: { id: "lt-1", version: "2" },
      tags: { a: "1" },
    });
    expect(after.changes).to.deep.equal(["UpdateNodegroupVersion", "UpdateNodegroupConfig", "TagResource"]);
    expect(after.state.labels).to.deep.equal({ b: "3" });
  });

  it("is another with other instance types or subnets", async () => {
    const made = await account.create(inputs);
    const other = { ...inputs, instanceTypes: ["m7i.large"], subnetIds: ["subnet-b"] };
    expect(await account.replacedBy(made, other)).to.have.members(["instanceTypes", "subnetIds"]);
  });

  it("wants instance types of its AMI's architecture, which is x86_64 unless it says so", async () => {
    expect(await failureOf({ instanceTypes: ["t4g.medium"] })).to.contain(
      "InvalidParameterException: [t4g.medium] is not a valid instance type for requested amiType AL2023_x86_64_STANDARD",
    );
    expect(await failureOf({ instanceTypes: ["t3.medium", "c7gn.large"] })).to.contain("[c7gn.large] is not");
    expect(
      await failureOf({ amiType: "AL2023_ARM_64_STANDARD", instanceTypes: ["g4dn.xlarge", "im4gn.large"] }),
    ).to.contain("[g4dn.xlarge] is not");
    expect(await failureOf({ amiType: "AL2023_ARM_64_STANDARD" })).to.contain("[t3.medium] is not");
    expect(await failureOf({ amiType: "CUSTOM", instanceTypes: ["a1.medium", "t3.medium"] })).to.equal(
      "none",
    );
  });

  it("refuses no subnets, and more instance types than EKS takes", async () => {
    const instanceTypes = Array.from({ length: 21 }, (_, index) => `m${index}.large`);
    const { failures } = await account.engine.check({ ...inputs, subnetIds: [], instanceTypes });
    expect(failures).to.deep.equal([
      "subnetIds: requires 1 item minimum, but has only 0 declared",
      "instanceTypes: at most 20 instance types, there are 21",
    ]);
  });

  it("says why it could not be made", async () => {
    const health = { issues: [{ code: "NodeCreationFailure", message: "no route" }] };
    account.aws.instead.DescribeNodegroup = () => ({ nodegroup: { status: "CREATE_FAILED", health } });
    expect(await failureOf({})).to.contain(
      "the node group nodes is CREATE_FAILED: NodeCreationFailure: no route",
    );
  });
});

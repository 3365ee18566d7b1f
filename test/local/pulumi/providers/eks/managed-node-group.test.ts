import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { ManagedNodeGroup } from "../../../../../local/pulumi/providers/eks/managed-node-group.ts";
import { only, type Registered, setMocks, settled } from "../../../../mocks.ts";

describe("eks.ManagedNodeGroup", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const core = { cluster: { name: "dev" }, subnetIds: ["subnet-a"] };
  const make = (args: object) => new ManagedNodeGroup("nodes", args as never, {});

  it("takes the cluster's name and subnets from the cluster, or from its core", async () => {
    for (const cluster of [core, { core }]) {
      registered.length = 0;
      make({ cluster: pulumi.output(cluster), nodeRoleArn: "arn:role", amiType: "AL2023_ARM_64_STANDARD" });
      await settled(registered);
      const group = only(registered, "aws:eks/nodeGroup:NodeGroup");
      expect(group.inputs).to.deep.equal({
        clusterName: "dev",
        nodeRoleArn: "arn:role",
        subnetIds: ["subnet-a"],
        amiType: "AL2023_ARM_64_STANDARD",
        scalingConfig: { desiredSize: 2, minSize: 1, maxSize: 2 },
      });
      expect(group.parent).to.match(/eks:index:ManagedNodeGroup::nodes$/);
    }
  });

  it("refuses what it would ignore", () => {
    expect(() => make({ cluster: core, nodeRoleArn: "arn:role", gpu: true })).to.throw(
      "the local stand-in for eks.ManagedNodeGroup does not know gpu",
    );
  });
});

import type { Cluster as EksCluster } from "@pulumi/aws/eks/cluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import type { Role } from "@pulumi/aws/iam/role.js";
import type { ManagedNodeGroupArgs } from "@pulumi/eks/managedNodeGroup.js";
import * as pulumi from "@pulumi/pulumi";
import { known } from "./inputs.ts";

export class ManagedNodeGroup extends pulumi.ComponentResource {
  readonly outputs: pulumi.Inputs;

  constructor(name: string, args: ManagedNodeGroupArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:ManagedNodeGroup", name, {}, opts);
    known("eks.ManagedNodeGroup", args, [
      "amiType",
      "capacityType",
      "cluster",
      "clusterName",
      "diskSize",
      "instanceTypes",
      "labels",
      "nodeGroupName",
      "nodeRole",
      "nodeRoleArn",
      "scalingConfig",
      "subnetIds",
      "tags",
      "version",
    ]);
    // Either an eks.Cluster or its core.
    type Core = { cluster: EksCluster; subnetIds: string[] };
    const core = (pulumi.output(args.cluster) as unknown as pulumi.Output<Core & { core?: Core }>).apply(
      (given) => given.core ?? given,
    );
    const nodeRoleArn =
      args.nodeRoleArn ??
      (pulumi.output(args.nodeRole) as pulumi.Output<Role | undefined>).apply((role) => {
        if (role === undefined) throw new Error("a ManagedNodeGroup needs nodeRole or nodeRoleArn");
        return role.arn;
      });
    const nodeGroup = new NodeGroup(
      name,
      {
        clusterName: args.clusterName ?? core.apply((data) => data.cluster.name),
        nodeGroupName: args.nodeGroupName,
        nodeRoleArn,
        subnetIds: args.subnetIds ?? core.apply((data) => data.subnetIds),
        amiType: args.amiType,
        instanceTypes: args.instanceTypes,
        capacityType: args.capacityType,
        scalingConfig: args.scalingConfig ?? { desiredSize: 2, minSize: 1, maxSize: 2 },
        labels: args.labels,
        version: args.version,
        diskSize: args.diskSize,
        tags: args.tags,
      },
      { parent: this },
    );
    this.outputs = { nodeGroup };
    this.registerOutputs(this.outputs);
  }
}

import {
  DeleteNodegroupCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  ListNodegroupsCommand,
  TagResourceCommand,
  UpdateClusterConfigCommand,
  type UpdateClusterConfigCommandInput,
  UpdateNodegroupConfigCommand,
} from "@aws-sdk/client-eks";
import { cluster, type Drift, type Target, there } from "./target.ts";

const theCluster = async ({ live }: Target) =>
  (await live.eks().send(new DescribeClusterCommand({ name: cluster }))).cluster;

const enabledLogs = async (target: Target) =>
  (await theCluster(target))?.logging?.clusterLogging?.find(({ enabled }) => enabled)?.types?.sort();

const configure =
  (change: Omit<UpdateClusterConfigCommandInput, "name">): Drift["change"] =>
  ({ live }) =>
    live.eks().send(new UpdateClusterConfigCommand({ name: cluster, ...change }));

const nodeGroupName = async ({ live }: Target) =>
  (await live.eks().send(new ListNodegroupsCommand({ clusterName: cluster }))).nodegroups?.[0];

async function nodeGroup(target: Target) {
  const nodegroupName = await nodeGroupName(target);
  if (nodegroupName === undefined) return undefined;
  return (await target.live.eks().send(new DescribeNodegroupCommand({ clusterName: cluster, nodegroupName })))
    .nodegroup;
}

export const attributes: readonly Drift[] = [
  {
    what: "EKS: tag",
    resource: "cluster-cluster-eksCluster",
    property: "tags.environment",
    read: async (target) => (await theCluster(target))?.tags?.environment,
    change: async (target) =>
      target.live.eks().send(
        new TagResourceCommand({
          resourceArn: (await theCluster(target))?.arn,
          tags: { environment: "prod" },
        }),
      ),
  },
  {
    what: "EKS: control plane logs",
    resource: "cluster-cluster-eksCluster",
    property: "enabledClusterLogTypes",
    read: enabledLogs,
    change: configure({ logging: { clusterLogging: [{ types: ["audit"], enabled: false }] } }),
  },
  {
    what: "EKS: who reaches the API server",
    resource: "cluster-cluster-eksCluster",
    property: "vpcConfig.publicAccessCidrs",
    read: async (target) => (await theCluster(target))?.resourcesVpcConfig?.publicAccessCidrs,
    change: configure({ resourcesVpcConfig: { publicAccessCidrs: ["0.0.0.0/0"] } }),
  },
  {
    what: "EKS: private endpoint",
    resource: "cluster-cluster-eksCluster",
    property: "vpcConfig.endpointPrivateAccess",
    read: async (target) => (await theCluster(target))?.resourcesVpcConfig?.endpointPrivateAccess,
    change: configure({ resourcesVpcConfig: { endpointPrivateAccess: false } }),
  },
  {
    what: "nodes: scaling",
    resource: "cluster-node-group",
    property: "scalingConfig.maxSize",
    read: async (target) => (await nodeGroup(target))?.scalingConfig,
    change: async (target) =>
      target.live.eks().send(
        new UpdateNodegroupConfigCommand({
          clusterName: cluster,
          nodegroupName: await nodeGroupName(target),
          scalingConfig: { minSize: 1, maxSize: 9, desiredSize: 1 },
        }),
      ),
  },
];

export const deletionsWithContent: readonly Drift[] = [
  {
    what: "node group deleted",
    resource: "cluster-node-group",
    read: async (target) => there(await nodeGroup(target)),
    change: async (target) =>
      target.live
        .eks()
        .send(
          new DeleteNodegroupCommand({ clusterName: cluster, nodegroupName: await nodeGroupName(target) }),
        ),
  },
];

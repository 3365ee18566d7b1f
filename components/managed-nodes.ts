import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import type { Cluster as EksCluster } from "@pulumi/eks/cluster.js";
import type * as pulumi from "@pulumi/pulumi";
import { awsManagedPolicyArn } from "../iam/policies.ts";
import { type NewCluster, systemOf } from "./cluster-arguments.ts";

/** What EC2 makes for a node, and takes tags. */
const taggedOfNodes = ["instance", "volume", "network-interface"];

/** The managed node group, with the role and the launch template of its nodes. */
export function managedNodes(
  name: string,
  args: NewCluster & {
    nodes: Exclude<NewCluster["nodes"], "auto">;
    partition: string;
    subnetIds: pulumi.Input<string[]>;
  },
  { eksCluster: cluster }: EksCluster,
  parent: pulumi.CustomResourceOptions,
): NodeGroup {
  const { nodes, partition, subnetIds, tags } = args;
  const nodeRole = new Role(
    `${name}-node-role`,
    {
      description: `Nodes of the EKS cluster ${args.clusterName}`,
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
      tags,
    },
    parent,
  );
  const nodePolicies = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
  ].map(
    (policy) =>
      new RolePolicyAttachment(
        `${name}-node-${policy}`,
        { role: nodeRole.name, policyArn: awsManagedPolicyArn(partition, policy) },
        parent,
      ),
  );

  const launchTemplate = new LaunchTemplate(
    `${name}-nodes`,
    {
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      updateDefaultVersion: true,
      // A node group's own tags do not reach what EC2 makes for it.
      tagSpecifications: tags && taggedOfNodes.map((resourceType) => ({ resourceType, tags })),
      tags,
    },
    parent,
  );

  const nodeGroup = new NodeGroup(
    `${name}-node-group`,
    {
      clusterName: cluster.name,
      // Said always: by itself a node group stays at the version that it was made with.
      version: cluster.version,
      nodeRoleArn: nodeRole.arn,
      subnetIds,
      instanceTypes: nodes.instanceTypes,
      // Said always: EKS's own choice is for x86_64, whatever the types.
      amiType: systemOf(nodes.instanceTypes).amiType,
      scalingConfig: { minSize: nodes.min, maxSize: nodes.max, desiredSize: nodes.desired },
      launchTemplate: { id: launchTemplate.id, version: launchTemplate.latestVersion.apply(String) },
      tags,
    },
    {
      ...parent,
      // Nodes without these policies cannot join, and on destroy cannot leave. The role's ARN does not wait for them.
      dependsOn: nodePolicies,
      // How many nodes there are now is an autoscaler's to say.
      ignoreChanges: ["scalingConfig.desiredSize"],
    },
  );
  return nodeGroup;
}

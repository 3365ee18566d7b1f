import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { SecurityGroupRule, type SecurityGroupRuleArgs } from "@pulumi/aws/ec2/securityGroupRule.js";
import type { Cluster as EksCluster } from "@pulumi/aws/eks/cluster.js";
import * as pulumi from "@pulumi/pulumi";

type Tags = pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;

const everything = { fromPort: 0, toPort: 0, protocol: "-1" };
const https = { fromPort: 443, toPort: 443, protocol: "tcp" };

/** The group of the control plane's network interfaces. It lets everything out, and in what {@link nodeSecurityGroup} adds. */
export function clusterSecurityGroup(
  name: string,
  args: { vpcId: pulumi.Input<string>; tags: Tags; ownTags: Tags },
  opts: pulumi.CustomResourceOptions,
): SecurityGroup {
  const group = new SecurityGroup(
    `${name}-eksClusterSecurityGroup`,
    {
      vpcId: args.vpcId,
      revokeRulesOnDelete: true,
      tags: pulumi
        .all([args.tags, args.ownTags])
        .apply(([tags, own]) => ({ Name: `${name}-eksClusterSecurityGroup`, ...own, ...tags })),
    },
    opts,
  );
  new SecurityGroupRule(
    `${name}-eksClusterInternetEgressRule`,
    {
      ...everything,
      description: "Allow internet access.",
      type: "egress",
      cidrBlocks: ["0.0.0.0/0"],
      securityGroupId: group.id,
    },
    opts,
  );
  return group;
}

/**
 * The group for nodes that are not in a managed node group: to and from each other and the control plane.
 *
 * @returns it, and the rule by which they reach the API server.
 */
export function nodeSecurityGroup(
  name: string,
  args: {
    vpcId: pulumi.Input<string>;
    clusterSecurityGroupId: pulumi.Input<string>;
    cluster: EksCluster;
    tags: Tags;
    ownTags: Tags;
  },
  opts: pulumi.CustomResourceOptions,
): [SecurityGroup, SecurityGroupRule] {
  const { clusterSecurityGroupId } = args;
  const group = new SecurityGroup(
    `${name}-nodeSecurityGroup`,
    {
      vpcId: args.vpcId,
      revokeRulesOnDelete: true,
      tags: pulumi.all([args.tags, args.ownTags, args.cluster.name]).apply(([tags, own, clusterName]) => ({
        Name: `${name}-nodeSecurityGroup`,
        [`kubernetes.io/cluster/${clusterName}`]: "owned",
        ...own,
        ...tags,
      })),
    },
    opts,
  );
  const rule = (suffix: string, said: SecurityGroupRuleArgs): SecurityGroupRule =>
    new SecurityGroupRule(`${name}-${suffix}`, said, opts);
  const fromCluster = {
    type: "ingress",
    securityGroupId: group.id,
    sourceSecurityGroupId: clusterSecurityGroupId,
  };
  rule("eksNodeIngressRule", {
    ...everything,
    description: "Allow nodes to communicate with each other",
    type: "ingress",
    securityGroupId: group.id,
    self: true,
  });
  rule("eksNodeClusterIngressRule", {
    ...fromCluster,
    description: "Allow worker Kubelets and pods to receive communication from the cluster control plane",
    fromPort: 1025,
    toPort: 65535,
    protocol: "tcp",
  });
  rule("eksExtApiServerClusterIngressRule", {
    ...fromCluster,
    ...https,
    description:
      "Allow pods running extension API servers on port 443 to receive communication from cluster control plane",
  });
  rule("eksNodeInternetEgressRule", {
    ...everything,
    description: "Allow internet access.",
    type: "egress",
    cidrBlocks: ["0.0.0.0/0"],
    securityGroupId: group.id,
  });
  const toApiServer = rule("eksClusterIngressRule", {
    ...https,
    description: "Allow pods to communicate with the cluster API Server",
    type: "ingress",
    securityGroupId: clusterSecurityGroupId,
    sourceSecurityGroupId: group.id,
  });
  return [group, toApiServer];
}

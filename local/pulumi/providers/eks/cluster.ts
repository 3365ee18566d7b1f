import { getSubnetsOutput } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpcOutput } from "@pulumi/aws/ec2/getVpc.js";
// Whole modules: loading them is what lets the SDK turn references to their resources into resources.
import "@pulumi/aws/eks/index.js";
import "@pulumi/aws/iam/index.js";
import "@pulumi/eks";
import { Cluster as EksCluster } from "@pulumi/aws/eks/cluster.js";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup.js";
import { getPartitionOutput } from "@pulumi/aws/getPartition.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import type { ClusterArgs } from "@pulumi/eks/cluster.js";
import type { ManagedNodeGroupArgs } from "@pulumi/eks/managedNodeGroup.js";
import * as pulumi from "@pulumi/pulumi";
import type { Component, Method } from "./construct.ts";
import { type KubeconfigOptions, kubeconfig } from "./kubeconfig.ts";

// What the real components make and this project uses, with the same logical names. Left out, since no local pod or
// node would use them: the cluster's security group and its rules, the VPC CNI, kube-proxy and CoreDNS add-ons, access
// entries, the aws-auth ConfigMap, and the default node group.

class ServiceRole extends pulumi.ComponentResource {
  readonly role: Role;
  readonly attachment: RolePolicyAttachment;

  constructor(name: string, tags: ClusterArgs["tags"], opts: pulumi.ComponentResourceOptions) {
    super("eks:index:ServiceRole", name, {}, opts);
    const parent = { parent: this };
    this.role = new Role(
      `${name}-role`,
      {
        description: "Allows EKS to manage clusters on your behalf.",
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: ["eks.amazonaws.com"] },
              Action: ["sts:AssumeRole", "sts:TagSession"],
            },
          ],
        }),
        tags,
      },
      parent,
    );
    const { partition } = getPartitionOutput({}, parent);
    const policyArn = pulumi.interpolate`arn:${partition}:iam::aws:policy/AmazonEKSClusterPolicy`;
    // The logical name is the real component's: the first digits of a hash of the policy's ARN.
    this.attachment = new RolePolicyAttachment(`${name}-4b490823`, { policyArn, role: this.role }, parent);
    this.registerOutputs({ role: this.role });
  }
}

class Cluster extends pulumi.ComponentResource {
  readonly outputs: pulumi.Inputs;

  constructor(name: string, args: ClusterArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:Cluster", name, {}, opts);
    const parent = { parent: this };
    if (args.subnetIds && (args.publicSubnetIds || args.privateSubnetIds)) {
      throw new Error(
        "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. Choose a single approach.",
      );
    }
    if (!args.skipDefaultNodeGroup) {
      throw new Error(
        "the local stand-in for eks.Cluster makes no default node group: set skipDefaultNodeGroup",
      );
    }

    const vpcId = args.vpcId ? pulumi.output(args.vpcId) : getVpcOutput({ default: true }, parent).id;
    const subnetIds = subnetsOf(args, vpcId, parent);

    const serviceRole = args.serviceRole ? undefined : new ServiceRole(`${name}-eksRole`, args.tags, parent);
    const role = pulumi.output(args.serviceRole ?? serviceRole?.role) as pulumi.Output<Role>;

    const cluster = new EksCluster(
      `${name}-eksCluster`,
      {
        name: args.name,
        roleArn: role.apply(({ arn }) => arn),
        version: args.version,
        vpcConfig: {
          subnetIds,
          endpointPublicAccess: args.endpointPublicAccess,
          endpointPrivateAccess: args.endpointPrivateAccess,
          publicAccessCidrs: args.publicAccessCidrs,
        },
        bootstrapSelfManagedAddons: args.bootstrapSelfManagedAddons ?? true,
        enabledClusterLogTypes: args.enabledClusterLogTypes,
        accessConfig: args.authenticationMode
          ? {
              authenticationMode: args.authenticationMode,
              bootstrapClusterCreatorAdminPermissions: true,
            }
          : undefined,
        deletionProtection: args.deletionProtection,
        tags: pulumi
          .all([args.tags, args.clusterTags])
          .apply(([tags, clusterTags]) => ({ Name: `${name}-eksCluster`, ...clusterTags, ...tags })),
      },
      {
        ...parent,
        ignoreChanges: ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"],
        // EKS looks at the role's policies when the cluster is made.
        dependsOn: serviceRole ? [serviceRole.attachment] : [],
      },
    );

    // Whether there is a provider is decided by a plain value; the SDK gives it as an output when it is one.
    const oidcProvider = args.createOidcProvider
      ? new OpenIdConnectProvider(
          `${name}-oidcProvider`,
          {
            url: cluster.identities.apply(([identity]) => identity?.oidcs[0]?.issuer ?? ""),
            clientIdLists: ["sts.amazonaws.com"],
            tags: args.tags,
          },
          parent,
        )
      : undefined;

    const config = kubeconfig(cluster, args.providerCredentialOpts);
    const issuer = cluster.identities.apply(([identity]) => identity?.oidcs[0]?.issuer ?? "");
    this.outputs = {
      eksCluster: cluster,
      kubeconfig: config,
      kubeconfigJson: config.apply((value) => JSON.stringify(value)),
      instanceRoles: args.instanceRoles ?? [],
      oidcIssuer: issuer.apply((url) => url.replace(/^https:\/\//, "")),
      oidcProviderArn: oidcProvider?.arn ?? "",
      oidcProviderUrl: oidcProvider ? pulumi.interpolate`https://${oidcProvider.url}` : "",
      clusterSecurityGroupId: cluster.vpcConfig.apply(({ clusterSecurityGroupId }) => clusterSecurityGroupId),
      nodeSecurityGroupId: "",
      clusterIngressRuleId: "",
      core: {
        cluster,
        vpcId,
        subnetIds,
        publicSubnetIds: args.publicSubnetIds,
        privateSubnetIds: args.privateSubnetIds,
        endpoint: cluster.endpoint,
        kubeconfig: config,
        oidcProvider,
        clusterIamRole: role,
        instanceRoles: args.instanceRoles ?? [],
        nodeGroupOptions: {},
        tags: args.tags,
      },
    };
    this.registerOutputs(this.outputs);
  }
}

function subnetsOf(
  args: ClusterArgs,
  vpcId: pulumi.Output<string>,
  parent: pulumi.InvokeOptions,
): pulumi.Output<string[]> {
  if (args.subnetIds) return pulumi.output(args.subnetIds);
  if (args.publicSubnetIds || args.privateSubnetIds) {
    return pulumi
      .all([args.publicSubnetIds ?? [], args.privateSubnetIds ?? []])
      .apply(([publicIds, privateIds]) => [...publicIds, ...privateIds]);
  }
  return getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpcId] }] }, parent).ids;
}

class ManagedNodeGroup extends pulumi.ComponentResource {
  readonly outputs: pulumi.Inputs;

  constructor(name: string, args: ManagedNodeGroupArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:ManagedNodeGroup", name, {}, opts);
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

export const components: Readonly<Record<string, Component>> = {
  "eks:index:Cluster": (name, inputs, opts) => {
    const { urn, outputs } = new Cluster(name, inputs as ClusterArgs, opts);
    return { urn, outputs };
  },
  "eks:index:ManagedNodeGroup": (name, inputs, opts) => {
    const { urn, outputs } = new ManagedNodeGroup(name, inputs as ManagedNodeGroupArgs, opts);
    return { urn, outputs };
  },
};

export const methods: Readonly<Record<string, Method>> = {
  "eks:index:Cluster/getKubeconfig": ({ __self__, profileName, roleArn }) => {
    const self = pulumi.output(__self__) as pulumi.Output<{ eksCluster: EksCluster }>;
    const options = { profileName, roleArn } as KubeconfigOptions;
    const config = self.apply(({ eksCluster }) => kubeconfig(eksCluster, options));
    return { result: config.apply((value) => JSON.stringify(value)) };
  },
};

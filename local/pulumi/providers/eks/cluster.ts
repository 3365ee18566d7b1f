import { getSubnetsOutput } from "@pulumi/aws/ec2/getSubnets.js";
import { getVpcOutput } from "@pulumi/aws/ec2/getVpc.js";
// Whole modules: loading them is what lets the SDK turn references to their resources into resources.
import "@pulumi/aws/ec2/index.js";
import "@pulumi/aws/eks/index.js";
import "@pulumi/aws/iam/index.js";
import "@pulumi/eks";
import type { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Addon } from "@pulumi/aws/eks/addon.js";
import { Cluster as EksCluster } from "@pulumi/aws/eks/cluster.js";
import { getAddonVersionOutput } from "@pulumi/aws/eks/getAddonVersion.js";
import { getPartitionOutput } from "@pulumi/aws/getPartition.js";
import { getRegionOutput } from "@pulumi/aws/getRegion.js";
import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import type { Role } from "@pulumi/aws/iam/role.js";
import type { ClusterArgs } from "@pulumi/eks/cluster.js";
import type { ManagedNodeGroupArgs } from "@pulumi/eks/managedNodeGroup.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { type KubeconfigOptions, kubeconfig } from "./cluster-kubeconfig.ts";
import type { Component, Method } from "./construct.ts";
import { known } from "./inputs.ts";
import { ManagedNodeGroup } from "./managed-node-group.ts";
import { clusterSecurityGroup, nodeSecurityGroup } from "./security-groups.ts";
import { ServiceRole, type ServiceRoleArgs } from "./service-role.ts";
import { VpcCniAddon } from "./vpc-cni-addon.ts";

// What pulumi-eks 4.3.0 makes, asks and refuses, under the same logical names and parents. What it does beyond the
// inputs that are known here (a default node group, the aws-auth ConfigMap, access entries, Fargate, storage classes) is
// refused, not ignored. It does not look whether the API server answers yet, or for an `aws` command.

const inputs = [
  "authenticationMode",
  "autoMode",
  "bootstrapSelfManagedAddons",
  "clusterSecurityGroup",
  "clusterSecurityGroupTags",
  "clusterTags",
  "createOidcProvider",
  "deletionProtection",
  "enabledClusterLogTypes",
  "endpointPrivateAccess",
  "endpointPublicAccess",
  "instanceRoles",
  "kubeProxyAddonOptions",
  "name",
  "nodeSecurityGroupTags",
  "privateSubnetIds",
  "providerCredentialOpts",
  "publicAccessCidrs",
  "publicSubnetIds",
  "serviceRole",
  "skipDefaultNodeGroup",
  "skipDefaultSecurityGroups",
  "subnetIds",
  "tags",
  "upgradePolicy",
  "useDefaultVpcCni",
  "version",
  "vpcId",
];

/**
 * The thumbprint that the real component reads by TLS from `oidc.eks.<region>.amazonaws.com` in every preview and up. No
 * such host answers for the local issuer; this is the certificate authority's that AWS's own hosts had for years.
 */
const thumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280";

class Cluster extends pulumi.ComponentResource {
  readonly outputs: pulumi.Inputs;

  constructor(name: string, args: ClusterArgs, opts: pulumi.ComponentResourceOptions) {
    super("eks:index:Cluster", name, {}, opts);
    check(args);
    const parent = { parent: this };
    const { tags } = args;
    const autoMode = (args.autoMode as AutoMode | undefined)?.enabled === true;
    const { partition } = getPartitionOutput({}, parent);

    const vpcId = args.vpcId ? pulumi.output(args.vpcId) : getVpcOutput({ default: true }, parent).id;
    const subnetIds = subnetsOf(args, vpcId, parent);

    const serviceRole = args.serviceRole
      ? undefined
      : new ServiceRole(
          `${name}-eksRole`,
          {
            service: "eks.amazonaws.com",
            description: "Allows EKS to manage clusters on your behalf.",
            policies: ["AmazonEKSClusterPolicy", ...(autoMode ? autoModePolicies : [])],
            actions: ["sts:AssumeRole", "sts:TagSession"],
            partition,
            tags,
          },
          parent,
        );
    const role = pulumi.output(args.serviceRole ?? serviceRole?.role) as pulumi.Output<Role>;

    const makesSecurityGroups = !(args.skipDefaultSecurityGroups ?? autoMode);
    const given = args.clusterSecurityGroup as pulumi.Input<SecurityGroup> | undefined;
    const ownSecurityGroup =
      given === undefined && makesSecurityGroups
        ? clusterSecurityGroup(name, { vpcId, tags, ownTags: args.clusterSecurityGroupTags }, parent)
        : undefined;
    const securityGroupId = given ? pulumi.output(given).apply(({ id }) => id) : ownSecurityGroup?.id;

    const nodeRole = autoMode ? autoModeNodeRole(name, { partition, tags }, parent) : undefined;
    const cluster = new EksCluster(
      `${name}-eksCluster`,
      {
        name: args.name,
        roleArn: role.apply(({ arn }) => arn),
        version: args.version,
        vpcConfig: {
          securityGroupIds: securityGroupId && [securityGroupId],
          subnetIds,
          endpointPublicAccess: args.endpointPublicAccess,
          endpointPrivateAccess: args.endpointPrivateAccess,
          publicAccessCidrs: args.publicAccessCidrs,
        },
        // Auto Mode brings what the add-ons are for.
        bootstrapSelfManagedAddons: autoMode ? false : (args.bootstrapSelfManagedAddons ?? true),
        ...(nodeRole && {
          computeConfig: {
            enabled: true,
            nodeRoleArn: nodeRole.role.arn,
            nodePools: ["general-purpose", "system"],
          },
          storageConfig: { blockStorage: { enabled: true } },
          kubernetesNetworkConfig: { ipFamily: "ipv4", elasticLoadBalancing: { enabled: true } },
        }),
        enabledClusterLogTypes: args.enabledClusterLogTypes,
        accessConfig: {
          authenticationMode: args.authenticationMode,
          bootstrapClusterCreatorAdminPermissions: true,
        },
        upgradePolicy: args.upgradePolicy,
        deletionProtection: args.deletionProtection,
        tags: pulumi
          .all([tags, args.clusterTags])
          .apply(([tags, clusterTags]) => ({ Name: `${name}-eksCluster`, ...clusterTags, ...tags })),
      },
      {
        ...parent,
        ignoreChanges: ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"],
        // EKS looks at the roles' policies when the cluster is made.
        dependsOn: [...(serviceRole?.attachments ?? []), ...(nodeRole?.attachments ?? [])],
      },
    );

    // What decides whether there is an add-on is a plain value; the SDK gives it as an output when it is one.
    const kubeProxy = args.kubeProxyAddonOptions as { enabled?: boolean; version?: string } | undefined;
    if (kubeProxy?.enabled ?? !autoMode) {
      const newest = () =>
        getAddonVersionOutput(
          { addonName: "kube-proxy", kubernetesVersion: cluster.version, mostRecent: true },
          parent,
        ).version;
      new Addon(
        `${name}-kube-proxy`,
        {
          clusterName: cluster.name,
          addonName: "kube-proxy",
          addonVersion: kubeProxy?.version ?? newest(),
          preserve: true,
          resolveConflictsOnCreate: "OVERWRITE",
          resolveConflictsOnUpdate: "OVERWRITE",
          tags,
        },
        parent,
      );
    }

    const credentials = credentialsOf(args);
    const provider = new Provider(
      `${name}-eks-k8s`,
      { kubeconfig: pulumi.jsonStringify(kubeconfig(cluster, credentials)) },
      parent,
    );
    const vpcCni =
      (args.useDefaultVpcCni ?? autoMode)
        ? undefined
        : new VpcCniAddon(
            `${name}-vpc-cni`,
            { clusterName: cluster.name, clusterVersion: cluster.version, tags },
            { ...parent, providers: { kubernetes: provider } },
          );

    // Whether there is a provider is decided by a plain value; the SDK gives it as an output when it is one.
    const oidcProvider = args.createOidcProvider ? oidcProviderOf(name, cluster, parent) : undefined;

    const [ownNodeSecurityGroup, clusterIngressRule] =
      makesSecurityGroups && securityGroupId
        ? nodeSecurityGroup(
            name,
            {
              vpcId,
              clusterSecurityGroupId: securityGroupId,
              cluster,
              tags,
              ownTags: args.nodeSecurityGroupTags,
            },
            parent,
          )
        : [];

    // Whoever uses these has credentials of their own; a role that was asked for by name stays.
    const forUsers = kubeconfig(
      cluster,
      pulumi.output(credentials).apply((one) => ({ roleArn: one?.roleArn })),
    );
    const issuer = issuerOf(cluster);
    const fromEks = cluster.vpcConfig.apply(({ clusterSecurityGroupId }) => clusterSecurityGroupId);
    this.outputs = {
      eksCluster: cluster,
      kubeconfig: forUsers,
      kubeconfigJson: pulumi.jsonStringify(forUsers),
      instanceRoles: args.instanceRoles ?? [],
      oidcIssuer: issuer.apply((url) => url.replace(/^https:\/\//, "")),
      oidcProviderArn: oidcProvider?.arn ?? "",
      oidcProviderUrl: issuer,
      clusterSecurityGroup: given ?? ownSecurityGroup,
      clusterSecurityGroupId: securityGroupId ?? fromEks,
      nodeSecurityGroup: ownNodeSecurityGroup,
      nodeSecurityGroupId: ownNodeSecurityGroup?.id ?? fromEks,
      eksClusterIngressRule: clusterIngressRule,
      clusterIngressRuleId: clusterIngressRule?.securityGroupRuleId ?? "",
      defaultNodeGroupAsgName: "",
      fargateProfileId: "",
      fargateProfileStatus: "",
      autoModeNodeRoleName: nodeRole?.role.name ?? "",
      core: {
        cluster,
        vpcId,
        subnetIds,
        publicSubnetIds: args.publicSubnetIds,
        privateSubnetIds: args.privateSubnetIds,
        endpoint: cluster.endpoint,
        clusterSecurityGroup: given ?? ownSecurityGroup,
        kubeconfig: forUsers,
        provider,
        vpcCni,
        oidcProvider,
        clusterIamRole: role,
        instanceRoles: args.instanceRoles ?? [],
        nodeGroupOptions: { nodeSecurityGroup: ownNodeSecurityGroup, clusterIngressRule },
        nodeSecurityGroupTags: args.nodeSecurityGroupTags,
        tags,
      },
    };
    this.registerOutputs(this.outputs);
  }
}

/** What decides which resources there are is a plain value; the SDK gives it as an output when it is one. */
interface AutoMode {
  readonly enabled: boolean;
  readonly createNodeRole?: boolean;
  readonly computeConfig?: object;
}

/** What EKS's own role needs for Auto Mode beside the policy of every cluster. */
const autoModePolicies = [
  "AmazonEKSComputePolicy",
  "AmazonEKSBlockStoragePolicy",
  "AmazonEKSLoadBalancingPolicy",
  "AmazonEKSNetworkingPolicy",
];

/** The role of the nodes that Auto Mode brings. */
const autoModeNodeRole = (
  name: string,
  { partition, tags }: Pick<ServiceRoleArgs, "partition" | "tags">,
  parent: pulumi.ComponentResourceOptions,
): ServiceRole =>
  new ServiceRole(
    `${name}-nodeRole`,
    {
      service: "ec2.amazonaws.com",
      policies: ["AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"],
      actions: ["sts:AssumeRole"],
      partition,
      tags,
    },
    parent,
  );

/** @throws Error in the real component's words for what it refuses, in ours for what only the stand-in does. */
function check(args: ClusterArgs): void {
  known("eks.Cluster", args, inputs);
  if (args.subnetIds && (args.publicSubnetIds || args.privateSubnetIds)) {
    throw new Error(
      "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. Choose a single approach.",
    );
  }
  if (args.publicAccessCidrs && args.endpointPublicAccess === false) {
    throw new Error("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true");
  }
  const autoMode = args.autoMode as AutoMode | undefined;
  if (autoMode?.createNodeRole === false || autoMode?.computeConfig !== undefined) {
    throw new Error(
      "the local stand-in for eks.Cluster knows of autoMode no more than enabled: it makes the node role and takes EKS's node pools",
    );
  }
  if (!args.skipDefaultNodeGroup && !autoMode?.enabled) {
    throw new Error(
      "the local stand-in for eks.Cluster makes no default node group: set skipDefaultNodeGroup",
    );
  }
  if (args.authenticationMode !== "API") {
    throw new Error(
      `the local stand-in for eks.Cluster knows authenticationMode API only, not ${args.authenticationMode ?? "none"}`,
    );
  }
}

/** As the real component does: those of the default VPC where no VPC is given, none where one is, without its subnets. */
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
  if (args.vpcId) return pulumi.output([]);
  return getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpcId] }] }, parent).ids;
}

/** Whose credentials the component's own Kubernetes provider uses: those that are named, or the profile of the stack. */
function credentialsOf(args: ClusterArgs): ClusterArgs["providerCredentialOpts"] {
  const profileName = new pulumi.Config("aws").get("profile");
  return args.providerCredentialOpts ?? (profileName ? { profileName } : undefined);
}

/** The cluster's OIDC issuer, which EKS makes with it. */
const issuerOf = (cluster: EksCluster): pulumi.Output<string> =>
  cluster.identities.apply(([identity]) => {
    const issuer = identity?.oidcs[0]?.issuer;
    if (!issuer) throw new Error("the EKS cluster has no OIDC issuer");
    return issuer;
  });

function oidcProviderOf(
  name: string,
  cluster: EksCluster,
  parent: pulumi.CustomResourceOptions & pulumi.InvokeOptions,
): OpenIdConnectProvider {
  // Asked for, though no connection is opened to the issuer's host of that region.
  const { region } = getRegionOutput({}, parent);
  return new OpenIdConnectProvider(
    `${name}-oidcProvider`,
    {
      url: issuerOf(cluster),
      clientIdLists: ["sts.amazonaws.com"],
      thumbprintLists: [region.apply(() => thumbprint)],
    },
    parent,
  );
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

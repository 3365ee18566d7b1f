import * as sdk from "@aws-sdk/client-eks";
import type { ClusterArgs, ClusterState } from "@pulumi/aws/eks/cluster.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import {
  type AwsContext,
  type AwsResourceType,
  cancellable,
  ignoreGone,
  orUndefined,
  waitUntil,
} from "../calls.ts";
import { type Named, nameProperty, refuseCidrs, refuseEmpty } from "../property-rules.ts";
import { tagOutputs, tagsProperty, tagsToSet, unlessEmpty } from "../resource-tags.ts";
import { changeTags } from "./eks-tags.ts";
import { waitUntilActive } from "./health.ts";

/** A cluster as EKS describes it; undefined when it is gone. */
export const describeCluster = async (name: string, context: AwsContext): Promise<sdk.Cluster | undefined> =>
  (await orUndefined(context.config.eks.send(new sdk.DescribeClusterCommand({ name }), cancellable(context))))
    ?.cluster;

/** A cluster's outputs, as the resource and the `getCluster` function share them. */
export function clusterOutputs(live: sdk.Cluster) {
  const vpc = live.resourcesVpcConfig;
  return {
    arn: live.arn,
    name: live.name,
    version: live.version,
    roleArn: live.roleArn,
    endpoint: live.endpoint,
    status: live.status,
    platformVersion: live.platformVersion,
    createdAt: live.createdAt?.toISOString(),
    deletionProtection: live.deletionProtection ?? false,
    enabledClusterLogTypes: (live.logging?.clusterLogging ?? [])
      .filter(({ enabled }) => enabled)
      .flatMap(({ types }) => types ?? []) as string[],
    accessConfig: live.accessConfig && {
      authenticationMode: live.accessConfig.authenticationMode as string,
      bootstrapClusterCreatorAdminPermissions:
        live.accessConfig.bootstrapClusterCreatorAdminPermissions ?? false,
    },
    kubernetesNetworkConfig: live.kubernetesNetworkConfig && {
      ipFamily: live.kubernetesNetworkConfig.ipFamily as string,
      serviceIpv4Cidr: live.kubernetesNetworkConfig.serviceIpv4Cidr ?? "",
      serviceIpv6Cidr: live.kubernetesNetworkConfig.serviceIpv6Cidr ?? "",
      ...(live.kubernetesNetworkConfig.elasticLoadBalancing && {
        elasticLoadBalancing: { enabled: live.kubernetesNetworkConfig.elasticLoadBalancing.enabled ?? false },
      }),
    },
    ...(live.upgradePolicy && { upgradePolicy: { supportType: live.upgradePolicy.supportType as string } }),
    // MiniStack does not tell these; then they are taken to be as they were given.
    ...(live.computeConfig && {
      computeConfig: {
        enabled: live.computeConfig.enabled ?? false,
        nodePools: live.computeConfig.nodePools ?? [],
        nodeRoleArn: live.computeConfig.nodeRoleArn ?? "",
      },
    }),
    ...(live.storageConfig && {
      storageConfig: { blockStorage: { enabled: live.storageConfig.blockStorage?.enabled ?? false } },
    }),
    vpcConfig: {
      vpcId: vpc?.vpcId ?? "",
      subnetIds: vpc?.subnetIds ?? [],
      securityGroupIds: vpc?.securityGroupIds ?? [],
      clusterSecurityGroupId: vpc?.clusterSecurityGroupId ?? "",
      endpointPublicAccess: vpc?.endpointPublicAccess ?? true,
      endpointPrivateAccess: vpc?.endpointPrivateAccess ?? false,
      publicAccessCidrs: vpc?.publicAccessCidrs ?? [],
    },
    certificateAuthorities: [{ data: live.certificateAuthority?.data ?? "" }],
    identities: [{ oidcs: [{ issuer: live.identity?.oidc?.issuer ?? "" }] }],
  };
}

const clusterIsActive = (name: string, context: AwsContext): Promise<void> =>
  waitUntilActive(`the EKS cluster ${name}`, context, 30 * 60, () => describeCluster(name, context));

const everyLogType = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

/** The log types to keep and, as EKS wants it said, those to drop. */
const logging = (types: readonly string[] | undefined): sdk.Logging => ({
  clusterLogging: [
    { enabled: true, types: everyLogType.filter((type) => types?.includes(type)) },
    { enabled: false, types: everyLogType.filter((type) => !types?.includes(type)) },
  ].filter((setup) => setup.types.length > 0),
});

/** Who reaches the API server, as a text to compare. */
function endpointOf({ vpcConfig }: Unwrap<ClusterArgs>): string {
  const { endpointPublicAccess = true, endpointPrivateAccess = false, publicAccessCidrs } = vpcConfig;
  return JSON.stringify([
    endpointPublicAccess,
    endpointPrivateAccess,
    [...(publicAccessCidrs ?? ["0.0.0.0/0"])].sort(),
  ]);
}

/**
 * EKS Auto Mode is on or off as a whole. What is not said of load balancing stays as it is, as with the real provider: so
 * what has it on cannot drop the three blocks, but must say that each is off.
 *
 * @throws Error in the real provider's words.
 */
function checkAutoMode(
  { computeConfig, storageConfig, kubernetesNetworkConfig }: Unwrap<ClusterArgs>,
  old?: Unwrap<ClusterState>,
): void {
  const loadBalancing =
    kubernetesNetworkConfig?.elasticLoadBalancing ?? old?.kubernetesNetworkConfig?.elasticLoadBalancing;
  const parts = [computeConfig, storageConfig?.blockStorage, loadBalancing].map(
    (part) => part?.enabled === true,
  );
  if (new Set(parts).size > 1) {
    throw new Error(
      "compute_config.enabled, kubernetes_networking_config.elastic_load_balancing.enabled, and storage_config.block_storage.enabled must all be set to either true or false",
    );
  }
}

export const cluster: AwsResourceType<Named<Unwrap<ClusterArgs>>, Unwrap<ClusterState>> = {
  properties: {
    name: nameProperty(100),
    roleArn: { required: true, replace: true },
    version: {},
    vpcConfig: {
      required: true,
      members: {
        subnetIds: { required: true, equal: sameSet, refuse: refuseEmpty },
        securityGroupIds: { equal: sameSet },
        endpointPublicAccess: { default: true },
        endpointPrivateAccess: { default: false },
        publicAccessCidrs: { equal: sameSet, default: ["0.0.0.0/0"], refuse: refuseCidrs },
      },
    },
    accessConfig: {
      members: {
        authenticationMode: {},
        bootstrapClusterCreatorAdminPermissions: { replace: true, default: true },
      },
    },
    kubernetesNetworkConfig: {
      members: {
        ipFamily: { replace: true, default: "ipv4" },
        serviceIpv4Cidr: { replace: true, refuse: refuseCidrs },
        elasticLoadBalancing: { members: { enabled: { default: false } } },
      },
    },
    // EKS Auto Mode: these two and `elasticLoadBalancing` go together.
    computeConfig: {
      members: { enabled: { default: false }, nodePools: { equal: sameSet }, nodeRoleArn: {} },
    },
    storageConfig: { members: { blockStorage: { members: { enabled: { default: false } } } } },
    upgradePolicy: { members: { supportType: { default: "EXTENDED" } } },
    // EKS does not tell later how it was set.
    bootstrapSelfManagedAddons: { replace: true, default: true },
    enabledClusterLogTypes: { equal: sameSet },
    deletionProtection: { default: false },
    tags: tagsProperty,
  },
  computed: [
    "arn",
    "endpoint",
    "status",
    "platformVersion",
    "createdAt",
    "certificateAuthority",
    "certificateAuthorities",
    "identities",
    "version",
  ],
  volatile: ["platformVersion"],

  async create(inputs, context) {
    checkAutoMode(inputs);
    await context.config.eks.send(
      new sdk.CreateClusterCommand({
        name: inputs.name,
        roleArn: inputs.roleArn,
        version: inputs.version,
        resourcesVpcConfig: inputs.vpcConfig as sdk.VpcConfigRequest,
        accessConfig: inputs.accessConfig as sdk.CreateAccessConfigRequest | undefined,
        kubernetesNetworkConfig: inputs.kubernetesNetworkConfig as
          | sdk.KubernetesNetworkConfigRequest
          | undefined,
        computeConfig: inputs.computeConfig,
        storageConfig: inputs.storageConfig,
        upgradePolicy: inputs.upgradePolicy as sdk.UpgradePolicyRequest | undefined,
        bootstrapSelfManagedAddons: inputs.bootstrapSelfManagedAddons,
        logging: inputs.enabledClusterLogTypes?.length ? logging(inputs.enabledClusterLogTypes) : undefined,
        deletionProtection: inputs.deletionProtection,
        tags: unlessEmpty(tagsToSet(inputs.tags, context)),
      }),
      cancellable(context),
    );
    await clusterIsActive(inputs.name, context);
    return inputs.name;
  },

  async read(id, context, { inputs }) {
    const live = await describeCluster(id, context);
    if (live === undefined || live.status === "DELETING") return undefined;
    const { certificateAuthorities, ...outputs } = clusterOutputs(live);
    return {
      ...outputs,
      region: context.config.region,
      certificateAuthorities,
      certificateAuthority: certificateAuthorities[0],
      ...tagOutputs(live.tags, inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldInputs, oldState }, context) {
    const { eks } = context.config;
    checkAutoMode(news, oldState);
    const configure = async (change: Omit<sdk.UpdateClusterConfigCommandInput, "name">): Promise<void> => {
      await eks.send(new sdk.UpdateClusterConfigCommand({ name: id, ...change }), cancellable(context));
      await clusterIsActive(id, context);
    };
    // EKS takes one kind of change at a time.
    if (changed.has("version") && news.version) {
      await eks.send(new sdk.UpdateClusterVersionCommand({ name: id, version: news.version }));
      await clusterIsActive(id, context);
    }
    const vpcChanged = (key: "subnetIds" | "securityGroupIds"): boolean =>
      !sameSet(oldInputs.vpcConfig?.[key], news.vpcConfig[key]);
    if (vpcChanged("subnetIds") || vpcChanged("securityGroupIds")) {
      const { subnetIds, securityGroupIds } = news.vpcConfig;
      await configure({ resourcesVpcConfig: { subnetIds, securityGroupIds } });
    }
    if (endpointOf(oldInputs) !== endpointOf(news)) {
      const { endpointPublicAccess = true, endpointPrivateAccess = false } = news.vpcConfig;
      const publicAccessCidrs = news.vpcConfig.publicAccessCidrs ?? ["0.0.0.0/0"];
      await configure({
        resourcesVpcConfig: {
          endpointPublicAccess,
          endpointPrivateAccess,
          publicAccessCidrs: endpointPublicAccess ? publicAccessCidrs : undefined,
        },
      });
    }
    if (changed.has("enabledClusterLogTypes")) {
      await configure({ logging: logging(news.enabledClusterLogTypes) });
    }
    if (changed.has("accessConfig")) {
      const authenticationMode = news.accessConfig?.authenticationMode as sdk.AuthenticationMode | undefined;
      await configure({ accessConfig: { authenticationMode } });
    }
    if (changed.has("upgradePolicy")) {
      const supportType = (news.upgradePolicy?.supportType ?? "EXTENDED") as sdk.SupportType;
      await configure({ upgradePolicy: { supportType } });
    }
    if (["computeConfig", "storageConfig", "kubernetesNetworkConfig"].some((key) => changed.has(key))) {
      await configure({
        computeConfig: news.computeConfig,
        storageConfig: news.storageConfig,
        kubernetesNetworkConfig: { elasticLoadBalancing: news.kubernetesNetworkConfig?.elasticLoadBalancing },
      });
    }
    if (changed.has("deletionProtection")) {
      await configure({ deletionProtection: news.deletionProtection ?? false });
    }
    await changeTags(oldState.arn, oldState.tagsAll, news.tags, context);
  },

  async delete(id, _, context) {
    await ignoreGone(
      context.config.eks.send(new sdk.DeleteClusterCommand({ name: id }), cancellable(context)),
    );
    await waitUntil(`the EKS cluster ${id} is gone`, context, 15 * 60, async () => {
      return (await describeCluster(id, context)) === undefined;
    });
  },
};

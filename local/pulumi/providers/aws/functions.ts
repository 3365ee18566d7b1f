import { DescribeSubnetsCommand, DescribeVpcsCommand, type Filter } from "@aws-sdk/client-ec2";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { DescribeAddonCommand, DescribeAddonVersionsCommand } from "@aws-sdk/client-eks";
import { GetOpenIDConnectProviderCommand, ListOpenIDConnectProvidersCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { GetVpcResult } from "@pulumi/aws/ec2/getVpc.js";
import type { GetAddonResult } from "@pulumi/aws/eks/getAddon.js";
import type { GetClusterResult } from "@pulumi/aws/eks/getCluster.js";
import { dnsSuffixOfRegion, partitionOfRegion } from "../../../../iam/partition.ts";
import { type Properties, secret } from "../../provider-host/index.ts";
import { type AwsContext, orUndefined } from "./calls.ts";
import { clusterOutputs, describeCluster } from "./eks/cluster.ts";
import { tagMap } from "./resource-tags.ts";

type AwsFunction = (args: Properties, context: AwsContext) => Promise<Properties>;

/** Every output that the provider's own function has, so that a program which reads one finds it. */
type Outputs<Result> = { readonly [Key in keyof Result]-?: unknown };

const getCallerIdentity: AwsFunction = async (_, { config: { sts } }) => {
  const { Account, Arn, UserId } = await sts.send(new GetCallerIdentityCommand({}));
  return { id: Account, accountId: Account, arn: Arn, userId: UserId };
};

const getRegion: AwsFunction = async (args, { config }) => {
  const region = String(args.region ?? args.name ?? config.region);
  const endpoint = `ec2.${region}.amazonaws.com`;
  return { id: region, name: region, region, description: region, endpoint };
};

const getPartition: AwsFunction = async (_, { config: { region } }) => {
  const partition = partitionOfRegion(region);
  const dnsSuffix = dnsSuffixOfRegion(region);
  const reverseDnsPrefix = dnsSuffix.split(".").reverse().join(".");
  return { id: partition, partition, dnsSuffix, reverseDnsPrefix };
};

const getAddonVersion: AwsFunction = async (args, { config: { eks, region } }) => {
  const { addonName, kubernetesVersion, mostRecent = false } = args;
  const { addons = [] } = await eks.send(
    new DescribeAddonVersionsCommand({
      addonName: String(addonName),
      kubernetesVersion: String(kubernetesVersion),
    }),
  );
  // EKS tells the newest first; without mostRecent the provider takes the default one.
  const found = addons[0]?.addonVersions?.find(
    ({ compatibilities = [] }) => mostRecent || compatibilities.some((one) => one.defaultVersion),
  );
  if (found === undefined) {
    throw new Error(
      `reading EKS Add-On version info (${addonName}, ${kubernetesVersion}): couldn't find resource`,
    );
  }
  const version = found.addonVersion;
  return { id: addonName, addonName, kubernetesVersion, mostRecent, version, region };
};

const getAddon: AwsFunction = async (args, { config: { eks, region } }) => {
  const [clusterName, addonName] = [String(args.clusterName), String(args.addonName)];
  const live = await orUndefined(eks.send(new DescribeAddonCommand({ clusterName, addonName })));
  if (live?.addon === undefined) {
    throw new Error(`reading EKS Add-On (${clusterName}:${addonName}): couldn't find resource`);
  }
  const { addonArn: arn, addonVersion, configurationValues = "", tags } = live.addon;
  return {
    id: `${clusterName}:${addonName}`,
    arn,
    clusterName,
    addonName,
    addonVersion,
    configurationValues,
    createdAt: live.addon.createdAt?.toISOString(),
    modifiedAt: live.addon.modifiedAt?.toISOString(),
    podIdentityAssociations: [],
    serviceAccountRoleArn: live.addon.serviceAccountRoleArn ?? "",
    tags: tags ?? {},
    region,
  } satisfies Outputs<GetAddonResult>;
};

const getCluster: AwsFunction = async (args, context) => {
  const name = String(args.name);
  const live = await describeCluster(name, context);
  if (live === undefined) throw new Error(`reading EKS Cluster (${name}): couldn't find resource`);
  const { accessConfig, computeConfig, kubernetesNetworkConfig, storageConfig, upgradePolicy, ...outputs } =
    clusterOutputs(live);
  const list = <T>(block: T | undefined): T[] => (block === undefined ? [] : [block]);
  return {
    id: name,
    ...outputs,
    clusterId: live.id ?? "",
    tags: live.tags ?? {},
    region: context.config.region,
    accessConfigs: list(accessConfig),
    computeConfigs: list(computeConfig),
    kubernetesNetworkConfigs: list(kubernetesNetworkConfig),
    storageConfigs: list(storageConfig),
    upgradePolicies: list(upgradePolicy),
    // Nothing here has any of these.
    controlPlaneScalingConfigs: [],
    kubeApiServerConfigs: [],
    kubeControllerManagerConfigs: [],
    kubeSchedulerConfigs: [],
    outpostConfigs: [],
    remoteNetworkConfigs: [],
    zonalShiftConfigs: [],
  } satisfies Outputs<GetClusterResult>;
};

const getOpenIdConnectProvider: AwsFunction = async (args, { config: { iam } }) => {
  const url = args.url === undefined ? undefined : String(args.url).replace(/^https:\/\//, "");
  let arn = args.arn === undefined ? undefined : String(args.arn);
  if (arn === undefined) {
    const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
    arn = OpenIDConnectProviderList.find(({ Arn }) => Arn?.endsWith(`:oidc-provider/${url}`))?.Arn;
  }
  if (arn === undefined) {
    throw new Error(`finding IAM OIDC Provider by url (${args.url}): not found`);
  }
  const live = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
  return {
    id: arn,
    arn,
    url: live.Url?.replace(/^https:\/\//, ""),
    clientIdLists: live.ClientIDList ?? [],
    thumbprintLists: live.ThumbprintList ?? [],
    tags: tagMap(live.Tags),
  };
};

const getAuthorizationToken: AwsFunction = async (args, { config: { ecr, region } }) => {
  const registryIds = args.registryId ? [String(args.registryId)] : undefined;
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({ registryIds }));
  const { authorizationToken = "", expiresAt, proxyEndpoint } = authorizationData?.[0] ?? {};
  const [userName, ...password] = Buffer.from(authorizationToken, "base64").toString().split(":");
  return {
    id: region,
    authorizationToken: secret(authorizationToken),
    userName,
    password: secret(password.join(":")),
    proxyEndpoint,
    expiresAt: expiresAt?.toISOString(),
  };
};

const toFilters = (filters: unknown): Filter[] =>
  ((filters as { name: string; values: string[] }[] | undefined) ?? []).map(({ name, values }) => ({
    Name: name,
    Values: values,
  }));

const getVpc: AwsFunction = async (args, { config: { ec2, region } }) => {
  const Filters = toFilters(args.filters);
  if (args.default !== undefined) Filters.push({ Name: "is-default", Values: [String(args.default)] });
  const VpcIds = args.id ? [String(args.id)] : undefined;
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ VpcIds, Filters }));
  const [vpc] = Vpcs;
  if (vpc === undefined) throw new Error("no matching EC2 VPC found");
  if (Vpcs.length > 1) {
    throw new Error(
      "multiple EC2 VPCs matched; use additional constraints to reduce matches to a single EC2 VPC",
    );
  }
  return {
    id: vpc.VpcId,
    arn: `arn:${partitionOfRegion(region)}:ec2:${region}:${vpc.OwnerId}:vpc/${vpc.VpcId}`,
    cidrBlock: vpc.CidrBlock,
    cidrBlockAssociations: [],
    ipv6AssociationId: "",
    ipv6CidrBlock: "",
    ipv6CidrBlockAssociations: [],
    enableDnsHostnames: true,
    enableDnsSupport: true,
    enableNetworkAddressUsageMetrics: false,
    mainRouteTableId: "",
    filters: args.filters,
    default: vpc.IsDefault,
    state: vpc.State,
    ownerId: vpc.OwnerId,
    dhcpOptionsId: vpc.DhcpOptionsId,
    instanceTenancy: vpc.InstanceTenancy,
    tags: tagMap(vpc.Tags),
    region,
  } satisfies Outputs<GetVpcResult>;
};

const getSubnets: AwsFunction = async (args, { config: { ec2, region } }) => {
  const Filters = toFilters(args.filters);
  for (const [key, value] of Object.entries((args.tags as Record<string, string>) ?? {})) {
    Filters.push({ Name: `tag:${key}`, Values: [value] });
  }
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ Filters }));
  const ids = Subnets.map(({ SubnetId }) => SubnetId ?? "").sort();
  return { id: region, ids, filters: args.filters, tags: args.tags, region };
};

export const awsFunctions: Readonly<Record<string, AwsFunction>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": getCallerIdentity,
  "aws:index/getRegion:getRegion": getRegion,
  "aws:index/getPartition:getPartition": getPartition,
  "aws:eks/getAddon:getAddon": getAddon,
  "aws:eks/getAddonVersion:getAddonVersion": getAddonVersion,
  "aws:eks/getCluster:getCluster": getCluster,
  "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": getOpenIdConnectProvider,
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": getAuthorizationToken,
  "aws:ec2/getVpc:getVpc": getVpc,
  "aws:ec2/getSubnets:getSubnets": getSubnets,
};

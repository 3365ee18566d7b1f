import { DescribeSubnetsCommand, DescribeVpcsCommand, type Filter } from "@aws-sdk/client-ec2";
import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { DescribeAddonCommand } from "@aws-sdk/client-eks";
import { GetOpenIDConnectProviderCommand, ListOpenIDConnectProvidersCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { dnsSuffixOfRegion, partitionOfRegion } from "../../../../iam/partition.ts";
import { type Properties, secret } from "../../provider-host/index.ts";
import { type AwsContext, orUndefined } from "./calls.ts";
import { clusterOutputs, describeCluster } from "./eks/cluster.ts";
import { tagMap } from "./resource-tags.ts";

type AwsFunction = (args: Properties, context: AwsContext) => Promise<Properties>;

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

/**
 * The newest version of each add-on that pulumi-eks and this project ask for. MiniStack 1.5.33 has no
 * DescribeAddonVersions; where the front door comes to serve it, this asks there. `%` is the Kubernetes version.
 */
const addonVersions: Readonly<Record<string, string>> = {
  coredns: "v1.12.4-eksbuild.1",
  "eks-pod-identity-agent": "v1.3.9-eksbuild.3",
  "kube-proxy": "v%.1-eksbuild.2",
  "vpc-cni": "v1.20.4-eksbuild.1",
};

const getAddonVersion: AwsFunction = async (args, { config: { region } }) => {
  const { addonName, kubernetesVersion, mostRecent = false } = args;
  const version = addonVersions[String(addonName)]?.replace("%", String(kubernetesVersion));
  if (version === undefined) {
    throw new Error(
      `reading EKS Add-On version info (${addonName}, ${kubernetesVersion}): couldn't find resource`,
    );
  }
  return { id: addonName, addonName, kubernetesVersion, mostRecent, version, region };
};

const getAddon: AwsFunction = async (args, { config: { eks, region } }) => {
  const [clusterName, addonName] = [String(args.clusterName), String(args.addonName)];
  const live = await orUndefined(eks.send(new DescribeAddonCommand({ clusterName, addonName })));
  if (live?.addon === undefined) {
    throw new Error(`reading EKS Add-On (${clusterName}:${addonName}): couldn't find resource`);
  }
  const { addonArn: arn, addonVersion, configurationValues = "", tags } = live.addon;
  const id = `${clusterName}:${addonName}`;
  return { id, arn, clusterName, addonName, addonVersion, configurationValues, tags: tags ?? {}, region };
};

const getCluster: AwsFunction = async (args, context) => {
  const name = String(args.name);
  const live = await describeCluster(name, context);
  if (live === undefined) throw new Error(`reading EKS Cluster (${name}): couldn't find resource`);
  return { id: name, ...clusterOutputs(live), tags: live.tags ?? {}, region: context.config.region };
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
    cidrBlock: vpc.CidrBlock,
    default: vpc.IsDefault,
    state: vpc.State,
    ownerId: vpc.OwnerId,
    dhcpOptionsId: vpc.DhcpOptionsId,
    instanceTenancy: vpc.InstanceTenancy,
    tags: tagMap(vpc.Tags),
    region,
  };
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

import * as z from "zod";
import { clusterName } from "../iam/names.ts";
import { partitionIn, partitionOfRegion, partitionRule, region } from "../iam/partition.ts";
import { tagsSchema } from "../iam/tags.ts";
import {
  anyOf,
  type Fault,
  fail,
  flag,
  integer,
  list,
  matching,
  must,
  object,
  ofKind,
  oneOf,
  plain,
  text,
} from "../iam/validation.ts";
import { audience } from "./irsa-arguments.ts";
import type { CredentialsArgs } from "./kubeconfig.ts";

// What a cluster may be told: the arguments of the components, and the rules that the configuration asks too.

/** The machines that run the cluster's pods. */
export interface NodeArgs {
  /** EC2 instance types of one architecture, the first that EC2 has is taken. Default `["t3.medium"]`. */
  readonly instanceTypes?: readonly string[];
  /** Fewest nodes. Default 1. */
  readonly min?: number;
  /** Most nodes. Default 3, or `min`. */
  readonly max?: number;
  /**
   * Nodes to start with. Default `min`. How many there are after that is an autoscaler's to say; a `min` above it has to
   * wait until there are so many.
   */
  readonly desired?: number;
}

/** From where the API server can be reached. */
export interface EndpointArgs {
  /** From the internet. Default true. */
  readonly public?: boolean;
  /** From inside the VPC. Default true. */
  readonly private?: boolean;
  /** Blocks that may reach the public endpoint, at most 40. Default everywhere, `["0.0.0.0/0"]`. */
  readonly allowedCidrs?: readonly string[];
  /** Blocks that may reach the private endpoint: a VPN, a peered network. Default none: the nodes alone reach it. */
  readonly privateCidrs?: readonly string[];
  /** Security groups that may reach the private endpoint, such as that of a pipeline's runners in the VPC. Default none. */
  readonly securityGroupIds?: readonly string[];
}

/** The network to use: a VPC, and at least two of its subnets. */
export interface NetworkArgs {
  readonly vpcId: string;
  /** Subnets for load balancers that face the internet. */
  readonly publicSubnetIds?: readonly string[];
  /** Subnets for the nodes; where there are none, they go into the public ones. */
  readonly privateSubnetIds?: readonly string[];
}

/** Control plane logs. Source: "Send control plane logs to CloudWatch Logs", EKS User Guide. */
const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

/** Add-ons that a cluster made here has. */
const addonNames = ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"] as const;

const addonVersion = matching(
  /^v\d+\.\d+\.\d+-eksbuild\.\d+$/,
  "a version that `aws eks describe-addon-versions` lists, such as v1.20.4-eksbuild.1",
).optional();

/** Source: UpgradePolicyRequest, Amazon EKS API Reference. */
const upgradePolicies = ["STANDARD", "EXTENDED"] as const;

export interface LogArgs {
  /** Which to keep. Default none. */
  readonly types?: readonly (typeof logTypes)[number][];
  /** Days that CloudWatch keeps them. Default 30. */
  readonly retentionDays?: number;
}

export interface ClusterArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: string;

  /** Region of the cluster. */
  readonly region: string;

  /** Kubernetes version, such as `"1.35"`. Default: the one that EKS takes for new clusters. */
  readonly version?: string;

  /**
   * What EKS does when the version leaves standard support, 14 months after its release: `STANDARD` upgrades the cluster
   * by itself, `EXTENDED` keeps it for a year more, at six times the price per hour. Default `STANDARD`: whoever pays for
   * time should have asked for it.
   */
  readonly upgradePolicy?: (typeof upgradePolicies)[number];

  /**
   * ARNs of IAM roles and users that may do everything in the cluster: people, and the roles of pipelines. Default none;
   * whoever creates the cluster may already, and must not be listed: EKS takes one access entry a principal.
   */
  readonly admins?: readonly string[];

  /** A managed node group, or `auto` for EKS Auto Mode: EKS brings nodes as pods need them. Default a small group. */
  readonly nodes?: NodeArgs | "auto";
  readonly endpoint?: EndpointArgs;

  /** Default: the region's default VPC. */
  readonly network?: NetworkArgs;

  readonly logs?: LogArgs;

  /**
   * Whether EKS and Pulumi both refuse to delete the cluster; Pulumi also its log group and its OIDC provider. Default
   * false. To delete a protected one, run `up` with false first.
   */
  readonly deletionProtection?: boolean;

  /**
   * Versions of add-ons, such as `{ "vpc-cni": "v1.20.4-eksbuild.1" }`. Default: each comes at the version that EKS takes
   * for the cluster's, and stays there, so that an unchanged `up` changes nothing.
   */
  readonly addons?: { readonly [Name in (typeof addonNames)[number]]?: string };

  /** Whether to install the add-on that EKS Pod Identity needs. Default false. */
  readonly podIdentityAgent?: boolean;

  /**
   * Audiences that tokens may have beside `sts.amazonaws.com`, from the `audience` of those ServiceAccounts that have one:
   * STS takes no other than the OIDC provider lists. Default none.
   */
  readonly audiences?: readonly string[];

  /** Whose credentials the kubeconfig uses. Default: the caller's own. Those that made the cluster may do everything in it. */
  readonly credentials?: CredentialsArgs;

  /** Tags of everything that can be tagged. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ExistingClusterArgs {
  /** Name of the EKS cluster. */
  readonly clusterName: string;
  /** Region of the cluster. */
  readonly region: string;

  /**
   * Whether to make the IAM OIDC provider of the cluster's issuer, since nobody has. Default false: it is looked up. AWS
   * takes one for an issuer, so a second can never come to be. Said and not found out: a program that looked first
   * would find its own provider the second time, and delete it.
   */
  readonly createOidcProvider?: boolean;

  /**
   * Audiences that tokens may have beside `sts.amazonaws.com`, from the `audience` of those ServiceAccounts that have one:
   * STS takes no other than the OIDC provider lists. For a provider that is made here. Default none.
   */
  readonly audiences?: readonly string[];

  /** Whether something uses EKS Pod Identity: then it is a warning where the cluster lacks the add-on. Default false. */
  readonly podIdentityAgent?: boolean;

  /** Whose credentials the kubeconfig uses. Default: the caller's own. */
  readonly credentials?: CredentialsArgs;

  /** Tags of the OIDC provider. Default none. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ReferencedClusterArgs {
  /** Full name of a stack with the outputs `clusterName`, `kubeconfig` and `oidcProviderArn`, such as one of this program. */
  readonly stack: string;

  /** As that of an `ExistingCluster`. Default false. */
  readonly podIdentityAgent?: boolean;
}

/** What an instance type's processor runs, in the words of EC2. */
export type Architecture = "x86_64" | "arm64";

/** Graviton's families have a `g` after the generation's digit: t4g, m7gd, c6gn, im4gn. The first was a1. */
const architectureOf = (instanceType: string): Architecture =>
  /^(?:a1|[a-z]+\d+g[a-z]*)\./.test(instanceType) ? "arm64" : "x86_64";

/** Platforms of images that EKS's nodes run, in the words of Docker. */
export const platforms = ["linux/amd64", "linux/arm64"] as const;

interface System {
  readonly amiType: string;
  readonly platform: (typeof platforms)[number];
}

const systems: Readonly<Record<Architecture, System>> = {
  x86_64: { amiType: "AL2023_x86_64_STANDARD", platform: "linux/amd64" },
  arm64: { amiType: "AL2023_ARM_64_STANDARD", platform: "linux/arm64" },
};

/** What nodes of these types boot, and the platform of the images that they run. The types are of one architecture. */
export const systemOf = ([first = ""]: readonly string[]): System => systems[architectureOf(first)];

/** Source: CreateNodegroup, Amazon EKS API Reference. */
const instanceTypes = list(
  matching(/^[a-z0-9-]+\.[a-z0-9-]+$/, "an EC2 instance type such as t3.medium"),
  'a list of EC2 instance types such as ["t3.medium"]',
  { max: 20 },
).superRefine((types, context) => {
  const [first = ""] = types;
  const other = types.findIndex((type) => architectureOf(type) !== architectureOf(first));
  if (other > 0) {
    fail(context, [other], `it must be of ${architectureOf(first)} like ${first}: the nodes boot one image`);
  }
});

export const nodesSchema = object({
  instanceTypes: instanceTypes.default(["t3.medium"]),
  min: integer(0, 450).default(1),
  max: integer(1, 450).optional(),
  desired: integer(0, 450).optional(),
})
  .transform(({ min, max = Math.max(3, min), desired = min, ...rest }) => ({ ...rest, min, max, desired }))
  .superRefine(({ min, max, desired }, context) => {
    if (min > max) fail(context, ["max"], must("at least min"));
    if (desired < min || desired > max) fail(context, ["desired"], must("from min to max"));
  });

/** An IPv4 block as AWS takes it: no leading zeros, and no bits beyond the mask. */
function isCidr(value: string): boolean {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(value);
  if (!match) return false;
  const numbers = match.slice(1).map(Number);
  const [mask = 33] = numbers.splice(4);
  if (match.slice(1).some((text) => text !== String(Number(text)))) return false;
  if (mask > 32 || numbers.some((octet) => octet > 255)) return false;
  const address = numbers.reduce((sum, octet) => sum * 256 + octet, 0);
  return address % 2 ** (32 - mask) === 0;
}

/** AWS refuses what is there already, and no two of our resources may have one name. */
const noneTwice = (items: readonly string[], context: z.core.$RefinementCtx): void => {
  for (const [index, item] of items.entries()) {
    if (items.indexOf(item) < index) fail(context, [index], "it is in the list already");
  }
};

export const cidr = text("an IPv4 block such as 203.0.113.0/24, with no bits beyond its mask", isCidr);

/** Source: VpcConfigRequest, Amazon EKS API Reference. */
export const endpointSchema = object({
  public: flag().default(true),
  private: flag().default(true),
  allowedCidrs: list(cidr, "a list of IPv4 blocks; without the key all may come", { max: 40 }).optional(),
  privateCidrs: list(cidr, "a list of IPv4 blocks").superRefine(noneTwice).optional(),
  securityGroupIds: list(
    matching(/^sg-[0-9a-f]+$/, "the id of a security group (sg-...)"),
    "a list of ids of security groups",
  )
    .superRefine(noneTwice)
    .optional(),
}).superRefine((endpoint, context) => {
  if (!endpoint.public && !endpoint.private) {
    fail(context, ["private"], must("true where public is false, or nobody reaches the API server"));
  }
  if (!endpoint.public && endpoint.allowedCidrs !== undefined) {
    fail(context, ["allowedCidrs"], "they are for the public endpoint, which is off; leave them out");
  }
  for (const key of ["privateCidrs", "securityGroupIds"] as const) {
    if (!endpoint.private && endpoint[key] !== undefined) {
      fail(context, [key], "they are for the private endpoint, which is off; leave them out");
    }
  }
});

const subnets = list(
  matching(/^subnet-[0-9a-f]+$/, "the id of a subnet (subnet-...)"),
  "a list of subnet ids",
).optional();

export const networkSchema = object({
  vpcId: matching(/^vpc-[0-9a-f]+$/, "the id of a VPC (vpc-...)"),
  publicSubnetIds: subnets,
  privateSubnetIds: subnets,
}).superRefine(({ publicSubnetIds, privateSubnetIds }, context) => {
  // An empty list has been refused as such.
  if ([publicSubnetIds, privateSubnetIds].some((given) => given?.length === 0)) return;
  const count = new Set([...(publicSubnetIds ?? []), ...(privateSubnetIds ?? [])]).size;
  if (count < 2) {
    fail(
      context,
      [publicSubnetIds !== undefined ? "publicSubnetIds" : "privateSubnetIds"],
      "EKS needs at least two subnets, in two availability zones",
    );
  }
});

/** Days that CloudWatch Logs takes as a retention. Source: PutRetentionPolicy, CloudWatch Logs API Reference. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const retentionRule = must(`one of ${retentionDays.join(", ")}`);

export const logsSchema = object({
  types: list(oneOf(logTypes), `a list of ${logTypes.join(", ")}`, { min: 0 }).default([]),
  retentionDays: z
    .number(retentionRule)
    .refine((days) => retentionDays.includes(days), retentionRule)
    .default(30),
});

/** Source: CreateAccessEntry, Amazon EKS API Reference: no groups, and no sessions of a role. */
const adminsSchema = list(
  matching(
    /^arn:aws[a-z-]*:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]+$/,
    "the ARN of an IAM role or user (arn:aws:iam::111122223333:role/NAME)",
  ),
  "a list of ARNs of IAM roles and users",
).superRefine(noneTwice);

/** What is wrong with a new cluster's arguments together, and in its region. */
export function newClusterFaults(
  { admins = [], nodes, addons }: Pick<ClusterArgs, "admins" | "nodes" | "addons">,
  region: string,
): Fault[] {
  const partition = partitionOfRegion(region);
  const foreign = admins.flatMap((holds, index) =>
    partitionIn(holds) === partition
      ? []
      : [{ path: ["admins", index], holds, problem: partitionRule(partition, region) }],
  );
  const brought = Object.entries(nodes === "auto" ? { ...addons } : {}).map(([key, holds]) => ({
    path: ["addons", key],
    holds,
    problem: "EKS Auto Mode (nodes: auto) brings it by itself; leave it out",
  }));
  return [...foreign, ...brought];
}

const nodesRule = "auto, or a map of instanceTypes, min, max, desired";

/** What a new cluster may be told, by the component and by the configuration. */
export const newClusterFields = {
  version: matching(/^1\.\d{2}$/, 'a Kubernetes version in quotes, such as "1.35"').optional(),
  admins: adminsSchema.optional(),
  addons: object({
    "vpc-cni": addonVersion,
    "kube-proxy": addonVersion,
    "eks-pod-identity-agent": addonVersion,
  } satisfies Record<(typeof addonNames)[number], z.ZodType>).prefault({}),
  upgradePolicy: oneOf(upgradePolicies).default("STANDARD"),
  nodes: anyOf([nodesSchema, ofKind<"auto">((value) => value === "auto")], nodesRule).prefault({}),
  endpoint: endpointSchema.prefault({}),
  network: networkSchema.optional(),
  logs: logsSchema.prefault({}),
  deletionProtection: flag().default(false),
};

export const roleArn = matching(
  /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
  "the ARN of an IAM role (arn:aws:iam::111122223333:role/NAME)",
);
export const profile = text("the name of an AWS profile", (value) => value !== "");

const credentials = object({
  profile: profile.optional(),
  roleArn: roleArn.optional(),
} satisfies Record<keyof CredentialsArgs, z.ZodType>).optional();

/** Audiences beside STS's own: IAM takes 100 client IDs. Source: "IAM and AWS STS quotas", IAM User Guide. */
export const otherAudiencesPerProvider = 99;
const audiences = list(audience, "a list of audiences", { min: 0, max: otherAudiencesPerProvider }).default(
  [],
);

const podIdentityAgent = flag().default(false);

export const clusterArguments = object({
  clusterName,
  region,
  ...newClusterFields,
  podIdentityAgent,
  audiences,
  credentials,
  tags: tagsSchema(plain).optional(),
} satisfies Record<keyof ClusterArgs, z.ZodType>).superRefine((args, context) => {
  for (const { path, problem } of newClusterFaults(args, args.region)) fail(context, path, problem);
});

/** The arguments of a new cluster, complete and checked. */
export type NewCluster = z.output<typeof clusterArguments>;

export const createOidcProvider = flag().default(false);

export const existingClusterArguments = object({
  clusterName,
  region,
  createOidcProvider,
  podIdentityAgent,
  audiences,
  credentials,
  tags: tagsSchema(plain).optional(),
} satisfies Record<keyof ExistingClusterArgs, z.ZodType>);

export const stackName = matching(
  /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
  "a stack with the outputs clusterName, kubeconfig and oidcProviderArn, such as my-org/platform/prod",
);

export const referencedClusterArguments = object({
  stack: stackName,
  podIdentityAgent,
} satisfies Record<keyof ReferencedClusterArgs, z.ZodType>);

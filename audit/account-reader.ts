import {
  DescribeInstancesCommand,
  DescribeLaunchTemplateVersionsCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import {
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  EKSClient,
  paginateListClusters,
  paginateListNodegroups,
} from "@aws-sdk/client-eks";
import {
  IAMClient,
  type RoleDetail as IamRoleDetail,
  paginateGetAccountAuthorizationDetails,
} from "@aws-sdk/client-iam";
import PQueue from "p-queue";
import { awsWorld, podIdentityAssociations } from "../doctor/aws.ts";
import type { UnmanagedNode } from "./cluster-reader.ts";
import { hostOf } from "./inventory.ts";
import type { Association, NodeGroup, RoleDetail, Snapshot, Unseen } from "./snapshot.ts";

// What an audit reads of AWS: the account's IAM in one listing, and the cluster's own things of EKS.

/** Requests at a time: EKS takes more of a second than a cluster has associations for, and slows whoever asks faster. */
const atOnce = 8;

/** Collects what could not be looked at, so that the rest is. */
export class Gaps {
  readonly unseen: Unseen[] = [];

  /** Asks, and gives something else where that is refused. */
  async unless<T>(what: string, takes: string, otherwise: T, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.unseen.push({ what, why: error instanceof Error ? error.message : String(error), takes });
      return otherwise;
    }
  }
}

type OfAccount = Pick<
  Snapshot,
  "accountId" | "cluster" | "roles" | "documents" | "providers" | "issuers" | "associations"
> & {
  /** Whether the agent is installed as an add-on. */
  readonly agentAddon: boolean;
};

/**
 * Reads the account.
 *
 * @throws Error where the account's roles or its providers cannot be read: without them there is no audit.
 */
export async function readAccount(
  region: string,
  { name, arn, issuer }: Snapshot["cluster"],
  gaps: Gaps,
): Promise<OfAccount> {
  const { eks: doctorsEks, iam: doctorsIam } = awsWorld(region);
  const eks = new EKSClient({ region });
  const cluster = { name, arn, ...(issuer && { issuer }) };
  const [accountId, authorization, providers, issuers, associations, agentAddon] = await Promise.all([
    doctorsIam.accountId(),
    readAuthorization(new IAMClient({ region })),
    doctorsIam.oidcProviders(),
    gaps.unless(
      "The account's clusters",
      "Rights for eks:ListClusters and eks:DescribeCluster.",
      undefined,
      () => readIssuers(eks),
    ),
    gaps.unless(
      "Associations of EKS Pod Identity",
      "Rights for eks:ListPodIdentityAssociations and eks:DescribePodIdentityAssociation.",
      [],
      () => readAssociations(eks, name),
    ),
    gaps.unless(
      "The add-on eks-pod-identity-agent",
      "Rights for eks:DescribeAddon.",
      false,
      async () => (await doctorsEks.addon(name, "eks-pod-identity-agent")) !== undefined,
    ),
  ]);
  const { roles, documents } = authorization;
  // What IAM leaves out of its listing is asked for by itself, for roles of the cluster alone.
  const wanted = new Set(roles.filter((role) => concerns(role, issuer, associations)).flatMap(policiesOf));
  const queue = new PQueue({ concurrency: atOnce });
  await queue.addAll(
    [...wanted]
      .filter((arn) => !(arn in documents))
      .map((arn) => async () => {
        const document = await doctorsIam.policyDocument(arn).catch(() => undefined);
        if (document !== undefined) documents[arn] = document;
      }),
  );
  return {
    accountId,
    cluster,
    roles,
    documents,
    providers,
    ...(issuers && { issuers }),
    associations,
    agentAddon,
  };
}

const policiesOf = ({ attached, boundaryArn }: RoleDetail): string[] => [
  ...attached,
  ...(boundaryArn === undefined ? [] : [boundaryArn]),
];

/** Whether a role may be one that the cluster's pods come to: by a token, an association, an annotation, or their node. */
const concerns = (
  { trustPolicy, arn }: RoleDetail,
  issuer: string | undefined,
  associations: readonly Association[],
): boolean =>
  (issuer !== undefined && trustPolicy.includes(hostOf(issuer))) ||
  /AssumeRoleWithWebIdentity|pods\.eks\.|ec2\.amazonaws\./.test(trustPolicy) ||
  associations.some(({ roleArn, targetRoleArn }) => roleArn === arn || targetRoleArn === arn);

async function readAuthorization(
  client: IAMClient,
): Promise<{ roles: RoleDetail[]; documents: Record<string, string> }> {
  const roles: RoleDetail[] = [];
  const documents: Record<string, string> = {};
  const pages = paginateGetAccountAuthorizationDetails(
    { client, pageSize: 1000 },
    { Filter: ["Role", "LocalManagedPolicy", "AWSManagedPolicy"] },
  );
  for await (const { RoleDetailList = [], Policies = [] } of pages) {
    roles.push(...RoleDetailList.map(toRole));
    for (const { Arn, DefaultVersionId, PolicyVersionList = [] } of Policies) {
      const version =
        PolicyVersionList.find(({ IsDefaultVersion }) => IsDefaultVersion) ??
        PolicyVersionList.find(({ VersionId }) => VersionId === DefaultVersionId);
      if (Arn && version?.Document) documents[Arn] = decodeURIComponent(version.Document);
    }
  }
  return { roles, documents };
}

function toRole({
  RoleName,
  Arn,
  AssumeRolePolicyDocument = "",
  CreateDate,
  RoleLastUsed,
  PermissionsBoundary,
  RolePolicyList = [],
  AttachedManagedPolicies = [],
  InstanceProfileList = [],
}: IamRoleDetail): RoleDetail {
  if (RoleName === undefined || Arn === undefined || CreateDate === undefined) {
    throw new Error("AWS answered with a role without name, ARN or date.");
  }
  return {
    name: RoleName,
    arn: Arn,
    trustPolicy: decodeURIComponent(AssumeRolePolicyDocument),
    created: CreateDate,
    ...(RoleLastUsed?.LastUsedDate && { lastUsed: RoleLastUsed.LastUsedDate }),
    ...(PermissionsBoundary?.PermissionsBoundaryArn && {
      boundaryArn: PermissionsBoundary.PermissionsBoundaryArn,
    }),
    inline: RolePolicyList.map(({ PolicyName = "", PolicyDocument = "" }) => ({
      name: PolicyName,
      document: decodeURIComponent(PolicyDocument),
    })),
    attached: AttachedManagedPolicies.flatMap(({ PolicyArn }) => PolicyArn ?? []),
    profiles: InstanceProfileList.flatMap((profile) => profile.Arn ?? []),
  };
}

/** Issuers of all clusters of the account in the region. */
async function readIssuers(client: EKSClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { clusters = [] } of paginateListClusters({ client }, {})) names.push(...clusters);
  const queue = new PQueue({ concurrency: atOnce });
  const issuers = await queue.addAll(
    names.map((name) => async () => {
      const { cluster } = await client.send(new DescribeClusterCommand({ name }));
      return cluster?.identity?.oidc?.issuer;
    }),
  );
  return issuers.flatMap((one) => one ?? []);
}

async function readAssociations(client: EKSClient, clusterName: string): Promise<Association[]> {
  const found = await podIdentityAssociations(client, clusterName);
  return found.map(({ id, namespace, serviceAccount, roleArn, told }) => ({
    id,
    namespace,
    serviceAccount,
    roleArn,
    ...(told.createdAt && { created: told.createdAt }),
    ...(told.targetRoleArn && { targetRoleArn: told.targetRoleArn }),
    ...(told.externalId && { externalId: told.externalId }),
    ...(told.policy && { sessionPolicy: told.policy }),
    sessionTags: told.disableSessionTags !== true,
  }));
}

/** Node groups with their launch templates, and instances that belong to none. */
export async function readNodeGroups(
  region: string,
  clusterName: string,
  roles: readonly RoleDetail[],
  unmanaged: readonly UnmanagedNode[],
): Promise<NodeGroup[]> {
  const eks = new EKSClient({ region });
  const ec2 = new EC2Client({ region });
  const names: string[] = [];
  for await (const { nodegroups = [] } of paginateListNodegroups({ client: eks }, { clusterName })) {
    names.push(...nodegroups);
  }
  const queue = new PQueue({ concurrency: atOnce });
  const groups = await queue.addAll(
    names.map((nodegroupName) => async (): Promise<NodeGroup> => {
      const { nodegroup } = await eks.send(new DescribeNodegroupCommand({ clusterName, nodegroupName }));
      const { id, name, version = "$Default" } = nodegroup?.launchTemplate ?? {};
      const options =
        (id ?? name) === undefined
          ? undefined
          : (
              await ec2.send(
                new DescribeLaunchTemplateVersionsCommand({
                  ...(id === undefined ? { LaunchTemplateName: name } : { LaunchTemplateId: id }),
                  Versions: [version],
                }),
              )
            ).LaunchTemplateVersions?.[0]?.LaunchTemplateData?.MetadataOptions;
      const template = id ?? name;
      return {
        name: nodegroupName,
        kind: "node group",
        ...(nodegroup?.nodeRole && { roleArn: nodegroup.nodeRole }),
        ...(options?.HttpPutResponseHopLimit && { hopLimit: options.HttpPutResponseHopLimit }),
        ...(options?.HttpTokens && { tokens: options.HttpTokens }),
        ...(template && { template }),
      };
    }),
  );
  const roleOfProfile = new Map(
    roles.flatMap(({ arn, profiles }) => profiles.map((profile) => [profile, arn])),
  );
  const ids = unmanaged.map(({ instance }) => instance);
  const batches = Array.from({ length: Math.ceil(ids.length / 200) }, (_, at) =>
    ids.slice(at * 200, at * 200 + 200),
  );
  const instances = await queue.addAll(
    batches.map((InstanceIds) => async () => {
      const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
      return Reservations.flatMap(({ Instances = [] }) => Instances);
    }),
  );
  return [
    ...groups,
    ...instances.flat().map(({ InstanceId = "", MetadataOptions, IamInstanceProfile }): NodeGroup => {
      const roleArn = roleOfProfile.get(IamInstanceProfile?.Arn ?? "");
      return {
        name: InstanceId,
        kind: "instance",
        ...(roleArn && { roleArn }),
        ...(MetadataOptions?.HttpPutResponseHopLimit && {
          hopLimit: MetadataOptions.HttpPutResponseHopLimit,
        }),
        ...(MetadataOptions?.HttpTokens && { tokens: MetadataOptions.HttpTokens }),
      };
    }),
  ];
}

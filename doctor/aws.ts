import {
  DescribeAddonCommand,
  DescribeClusterCommand,
  DescribePodIdentityAssociationCommand,
  EKSClient,
  ListClustersCommand,
  ListPodIdentityAssociationsCommand,
  type PodIdentityAssociation,
  type PodIdentityAssociationSummary,
  paginateListPodIdentityAssociations,
  ResourceNotFoundException,
} from "@aws-sdk/client-eks";
import {
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  NoSuchEntityException,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
} from "@aws-sdk/client-iam";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandOutput,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  STSServiceException,
} from "@aws-sdk/client-sts";
import PQueue from "p-queue";
import type { Profiles } from "./chain.ts";
import type { Iam, Session, StsAnswer, World } from "./world.ts";

const sessionName = "irsa-doctor";

/** AWS as the person's own credentials see it. */
export function awsWorld(
  region: string,
  profiles: Profiles = {},
): Pick<World, "eks" | "iam" | "targetIam" | "sts"> {
  return {
    eks: eksWorld(region),
    iam: iamWorld(region, profiles.role),
    targetIam: iamWorld(region, profiles.target),
    sts: stsWorld(region),
  };
}

function eksWorld(region: string): World["eks"] {
  const eks = new EKSClient({ region });
  return {
    async cluster(name) {
      const answer = await unless(ResourceNotFoundException, () =>
        eks.send(new DescribeClusterCommand({ name })),
      );
      if (answer?.cluster === undefined) return undefined;
      const { arn, status, endpoint, identity, certificateAuthority } = answer.cluster;
      return {
        arn: there(arn, `the ARN of the cluster ${name}`),
        status: there(status, `the status of the cluster ${name}`),
        endpoint,
        certificateAuthority: certificateAuthority?.data || undefined,
        issuer: identity?.oidc?.issuer,
      };
    },
    async clusterNames() {
      return (await eks.send(new ListClustersCommand({}))).clusters ?? [];
    },
    async association(clusterName, namespace, serviceAccount) {
      // EKS admits one for a ServiceAccount.
      const { associations: [one] = [] } = await eks.send(
        new ListPodIdentityAssociationsCommand({ clusterName, namespace, serviceAccount }),
      );
      if (one === undefined) return undefined;
      const id = there(one.associationId, "the id of the association");
      const { association } = await eks.send(
        new DescribePodIdentityAssociationCommand({ clusterName, associationId: id }),
      );
      return {
        id,
        roleArn: there(association?.roleArn, `the role of the association ${id}`),
        created: association?.createdAt,
        targetRoleArn: association?.targetRoleArn || undefined,
        externalId: association?.externalId || undefined,
        sessionTags: association?.disableSessionTags !== true,
        sessionPolicy: association?.policy || undefined,
      };
    },
    async addon(clusterName, addonName) {
      const answer = await unless(ResourceNotFoundException, () =>
        eks.send(new DescribeAddonCommand({ clusterName, addonName })),
      );
      if (answer?.addon === undefined) return undefined;
      const { status, health } = answer.addon;
      return {
        status: there(status, `the status of the add-on ${addonName}`),
        issues: (health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`),
      };
    },
  };
}

function iamWorld(region: string, profile?: string): Iam {
  const own = { region, ...(profile && { profile }) };
  const iam = new IAMClient(own);
  const sts = new STSClient(own);

  const policyDocument = async (arn: string): Promise<string | undefined> => {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
    const { PolicyVersion } = await iam.send(
      new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: Policy?.DefaultVersionId }),
    );
    return PolicyVersion?.Document && decodeURIComponent(PolicyVersion.Document);
  };

  return {
    async accountId() {
      return there(
        (await sts.send(new GetCallerIdentityCommand({}))).Account,
        "the account of the credentials",
      );
    },
    async oidcProviders() {
      const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
      return Promise.all(
        OpenIDConnectProviderList.map(async ({ Arn }) => {
          const arn = there(Arn, "the ARN of an OIDC provider");
          const { Url, ClientIDList = [] } = await iam.send(
            new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }),
          );
          return { arn, url: there(Url, `the URL of ${arn}`), audiences: ClientIDList };
        }),
      );
    },
    async role(name) {
      const answer = await unless(NoSuchEntityException, () =>
        iam.send(new GetRoleCommand({ RoleName: name })),
      );
      if (answer?.Role === undefined) return undefined;
      const { Arn, AssumeRolePolicyDocument, MaxSessionDuration = 3600, PermissionsBoundary } = answer.Role;
      return {
        name,
        arn: there(Arn, `the ARN of the role ${name}`),
        trustPolicy: decodeURIComponent(there(AssumeRolePolicyDocument, `the trust policy of ${name}`)),
        maxSessionSeconds: MaxSessionDuration,
        boundaryArn: PermissionsBoundary?.PermissionsBoundaryArn,
      };
    },
    async policies({ name: RoleName }) {
      const inline: string[] = [];
      for await (const page of paginateListRolePolicies({ client: iam }, { RoleName })) {
        inline.push(...(page.PolicyNames ?? []));
      }
      const attached: { name: string; arn: string }[] = [];
      for await (const page of paginateListAttachedRolePolicies({ client: iam }, { RoleName })) {
        attached.push(
          ...(page.AttachedPolicies ?? []).map(({ PolicyName, PolicyArn }) => ({
            name: there(PolicyName, `the name of a policy of ${RoleName}`),
            arn: there(PolicyArn, `the ARN of a policy of ${RoleName}`),
          })),
        );
      }
      return Promise.all([
        ...inline.map(async (name) => {
          const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: name }));
          return { name, document: PolicyDocument && decodeURIComponent(PolicyDocument) };
        }),
        ...attached.map(async ({ name, arn }) => ({
          name,
          arn,
          document: await policyDocument(arn).catch(() => undefined),
        })),
      ]);
    },
    policyDocument,
  };
}

function stsWorld(region: string): World["sts"] {
  const sts = new STSClient({ region });
  return {
    assume: (RoleArn, token, seconds) =>
      answerOf(() =>
        sts.send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn,
            RoleSessionName: sessionName,
            WebIdentityToken: token,
            DurationSeconds: seconds,
          }),
        ),
      ),
  };

  async function answerOf(
    ask: () => Promise<Pick<AssumeRoleCommandOutput, "AssumedRoleUser" | "Credentials">>,
  ): Promise<StsAnswer> {
    try {
      const { AssumedRoleUser, Credentials } = await ask();
      const credentials = {
        accessKeyId: there(Credentials?.AccessKeyId, "credentials"),
        secretAccessKey: there(Credentials?.SecretAccessKey, "credentials"),
        sessionToken: Credentials?.SessionToken,
      };
      const session: Session = {
        arn: there(AssumedRoleUser?.Arn, "the ARN of the session"),
        assume: (RoleArn, ExternalId) =>
          answerOf(() =>
            new STSClient({ region, credentials }).send(
              new AssumeRoleCommand({ RoleArn, ExternalId, RoleSessionName: sessionName }),
            ),
          ),
      };
      return { admitted: true, session };
    } catch (error) {
      if (!(error instanceof STSServiceException)) throw error;
      return { admitted: false, code: error.name, message: error.message };
    }
  }
}

/** What AWS always answers with, though its types do not say so. */
function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`AWS answered without ${what}.`);
  return value;
}

/** Asks, and gives undefined for the one error of AWS's that means "not there". */
async function unless<T>(
  type: new (...args: never[]) => Error,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof type) return undefined;
    throw error;
  }
}

/** An association of EKS Pod Identity with what it cannot be without, and all that EKS tells of it. */
export interface ToldAssociation {
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  readonly told: PodIdentityAssociation;
}

/** Requests at a time: EKS takes more of a second than a cluster has associations for, and slows whoever asks faster. */
const atOnce = 8;

/** A cluster's associations of EKS Pod Identity: lists, and one call for each that is wanted, since a list tells no role. */
export async function podIdentityAssociations(
  client: EKSClient,
  clusterName: string,
  wanted: (one: PodIdentityAssociationSummary) => boolean = () => true,
): Promise<ToldAssociation[]> {
  const found: PodIdentityAssociationSummary[] = [];
  for await (const { associations = [] } of paginateListPodIdentityAssociations(
    { client },
    { clusterName },
  )) {
    found.push(...associations.filter(wanted));
  }
  return new PQueue({ concurrency: atOnce }).addAll(
    found.map(({ associationId }) => async (): Promise<ToldAssociation> => {
      const { association } = await client.send(
        new DescribePodIdentityAssociationCommand({ clusterName, associationId }),
      );
      const told = there(association, `the association ${associationId}`);
      return {
        id: there(associationId, "the id of an association"),
        namespace: there(told.namespace, `the namespace of the association ${associationId}`),
        serviceAccount: there(told.serviceAccount, `the ServiceAccount of the association ${associationId}`),
        roleArn: there(told.roleArn, `the role of the association ${associationId}`),
        told,
      };
    }),
  );
}

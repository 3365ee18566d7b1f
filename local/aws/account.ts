import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import {
  DescribeAccessEntryCommand,
  DescribePodIdentityAssociationCommand,
  EKSClient,
  ListAssociatedAccessPoliciesCommand,
  ListClustersCommand,
  ListPodIdentityAssociationsCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-eks";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteOpenIDConnectProviderCommand,
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetRoleCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListOpenIDConnectProvidersCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { AssociationRecord } from "../eks/api.ts";
import type { AccessEntries } from "../eks/token-authenticator.ts";
import type { RoleSession } from "./eks-auth.ts";
import type { IamAccount, OidcProviderRecord } from "./iam.ts";
import { rootCredentials } from "./ministack.ts";
import type { Assumption, PodIdentityAssociation } from "./podidentity.ts";
import { AwsError } from "./reply.ts";
import { type OidcProvider, type TrustedRole, withoutScheme } from "./webidentity.ts";

export interface AccountOptions {
  /** MiniStack's own URL, not the front door's. */
  endpoint: string;
  region: string;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The account in MiniStack, looked at and changed as its root: what the front door knows of IAM and EKS. */
export class Account implements IamAccount, AccessEntries {
  private readonly iam: IAMClient;
  private readonly eks: EKSClient;
  private readonly ecr: ECRClient;
  private readonly options: AccountOptions;

  constructor(options: AccountOptions) {
    this.options = options;
    const client = { ...options, credentials: rootCredentials };
    this.iam = new IAMClient(client);
    this.eks = new EKSClient(client);
    this.ecr = new ECRClient(client);
  }

  /**
   * Makes an IAM user with AdministratorAccess and gives it a new access key in place of those that it had. Its
   * signatures are verified, unlike those of MiniStack's root.
   */
  async administrator(userName = "admin"): Promise<Credentials> {
    await this.iam
      .send(new CreateUserCommand({ UserName: userName }))
      .catch(ignoring("EntityAlreadyExists", "EntityAlreadyExistsException"));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await this.iam.send(new AttachUserPolicyCommand({ UserName: userName, PolicyArn }));
    const { AccessKeyMetadata } = await this.iam.send(new ListAccessKeysCommand({ UserName: userName }));
    for (const { AccessKeyId } of AccessKeyMetadata ?? []) {
      await this.iam.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId }));
    }
    const { AccessKey } = await this.iam.send(new CreateAccessKeyCommand({ UserName: userName }));
    if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey)
      throw new Error("MiniStack gave no access key.");
    return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
  }

  async oidcProviders(): Promise<OidcProvider[]> {
    const { OpenIDConnectProviderList } = await this.iam.send(new ListOpenIDConnectProvidersCommand({}));
    const providers = await Promise.all(
      (OpenIDConnectProviderList ?? []).map(async ({ Arn: arn = "" }) => {
        const record = await this.oidcProvider(arn).catch(ignoring("NoSuchEntity"));
        return record ? [{ arn, ...record }] : [];
      }),
    );
    return providers.flat();
  }

  async oidcProvider(arn: string): Promise<OidcProviderRecord> {
    try {
      const found = await this.iam.send(
        new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }),
      );
      const tags = (found.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""] as const);
      return {
        url: withoutScheme(found.Url ?? ""),
        clientIds: found.ClientIDList ?? [],
        thumbprints: found.ThumbprintList ?? [],
        tags: new Map(tags),
      };
    } catch (error) {
      if (!isNamed(error, "NoSuchEntityException", "NoSuchEntity")) throw error;
      throw new AwsError("NoSuchEntity", `OpenIDConnect Provider not found for arn ${arn}`, 404);
    }
  }

  /** MiniStack cannot change a provider, so it is made anew; only its creation date tells. */
  async replaceOidcProvider(arn: string, record: OidcProviderRecord): Promise<void> {
    await this.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
    await this.iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: `https://${record.url}`,
        ClientIDList: [...record.clientIds],
        ThumbprintList: [...record.thumbprints],
        Tags: [...record.tags].map(([Key, Value]) => ({ Key, Value })),
      }),
    );
  }

  async role(name: string): Promise<TrustedRole | undefined> {
    const found = await this.iam
      .send(new GetRoleCommand({ RoleName: name }))
      .catch(ignoring("NoSuchEntityException", "NoSuchEntity"));
    if (!found?.Role?.Arn) return undefined;
    return {
      arn: found.Role.Arn,
      trustPolicy: decodeURIComponent(found.Role.AssumeRolePolicyDocument ?? ""),
      maxSessionSeconds: found.Role.MaxSessionDuration ?? 3600,
    };
  }

  /** Whether a role or user has this ARN, path and all. */
  async principalExists(arn: string): Promise<boolean> {
    const [, kind, name = ""] = /:(role|user)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
    const found =
      kind === "user"
        ? await this.iam
            .send(new GetUserCommand({ UserName: name }))
            .catch(ignoring("NoSuchEntityException", "NoSuchEntity"))
        : { User: { Arn: (await this.role(name))?.arn } };
    return found?.User?.Arn === arn;
  }

  /** Assumes a role: as root, or as the session of another role. */
  async assumeRole(assumption: Assumption, as?: RoleSession): Promise<RoleSession> {
    const { roleArn, roleSessionName, durationSeconds, tags, policy, externalId } = assumption;
    const sts = new STSClient({ ...this.options, credentials: as ?? rootCredentials, maxAttempts: 1 });
    const { Credentials, AssumedRoleUser } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: roleSessionName,
        DurationSeconds: durationSeconds,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        TransitiveTagKeys: Object.keys(tags),
        Policy: policy,
        ExternalId: externalId,
      }),
    );
    if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey || !AssumedRoleUser?.Arn)
      throw new Error("MiniStack gave no session.");
    return {
      accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey,
      sessionToken: Credentials.SessionToken ?? "",
      expiration: Credentials.Expiration ?? new Date(0),
      arn: AssumedRoleUser.Arn,
      assumedRoleId: AssumedRoleUser.AssumedRoleId ?? "",
    };
  }

  async policyExists(arn: string): Promise<boolean> {
    const found = await this.iam
      .send(new GetPolicyCommand({ PolicyArn: arn }))
      .catch(ignoring("NoSuchEntityException", "NoSuchEntity"));
    return found !== undefined;
  }

  /** Whether the tags of an ECR repository are IMMUTABLE; not when it is not there. */
  async isImmutable(repository: string): Promise<boolean> {
    const found = await this.ecr
      .send(new DescribeRepositoriesCommand({ repositoryNames: [repository] }))
      .catch(ignoring("RepositoryNotFoundException"));
    return found?.repositories?.[0]?.imageTagMutability === "IMMUTABLE";
  }

  async clusterNames(): Promise<string[]> {
    return (await this.eks.send(new ListClustersCommand({}))).clusters ?? [];
  }

  async tags(arn: string): Promise<Record<string, string>> {
    return (await this.eks.send(new ListTagsForResourceCommand({ resourceArn: arn }))).tags ?? {};
  }

  /** A Pod Identity association; undefined when it is not there. */
  async association(clusterName: string, associationId: string): Promise<AssociationRecord | undefined> {
    const found = await this.describeAssociation(clusterName, associationId);
    if (found === undefined) return undefined;
    const { tags = {}, disableSessionTags = false, policy } = found;
    return { tags, disableSessionTags, policy };
  }

  /** The Pod Identity association for a ServiceAccount, and when it was made; undefined when there is none. */
  async podIdentityAssociation(
    clusterName: string,
    namespace: string,
    serviceAccount: string,
  ): Promise<(PodIdentityAssociation & { createdAt: Date }) | undefined> {
    const command = new ListPodIdentityAssociationsCommand({ clusterName, namespace, serviceAccount });
    const { associations = [] } = await this.eks.send(command);
    const id = associations[0]?.associationId;
    const found = id === undefined ? undefined : await this.describeAssociation(clusterName, id);
    if (!id || !found?.createdAt || !found.associationArn || !found.roleArn) return undefined;
    return {
      id,
      arn: found.associationArn,
      roleArn: found.roleArn,
      targetRoleArn: found.targetRoleArn,
      disableSessionTags: found.disableSessionTags ?? false,
      policy: found.policy,
      createdAt: found.createdAt,
    };
  }

  /** When the Pod Identity association for a ServiceAccount was made; undefined when there is none. */
  async associationCreatedAt(namespace: string, serviceAccount: string): Promise<Date | undefined> {
    for (const clusterName of await this.clusterNames()) {
      const found = await this.podIdentityAssociation(clusterName, namespace, serviceAccount);
      if (found) return found.createdAt;
    }
    return undefined;
  }

  private async describeAssociation(clusterName: string, associationId: string) {
    const command = new DescribePodIdentityAssociationCommand({ clusterName, associationId });
    const found = await this.eks.send(command).catch(ignoring("ResourceNotFoundException"));
    return found?.association;
  }

  async accessEntry(clusterName: string, principalArn: string) {
    const principal = { clusterName, principalArn };
    const found = await this.eks
      .send(new DescribeAccessEntryCommand(principal))
      .catch(ignoring("ResourceNotFoundException"));
    if (!found?.accessEntry) return undefined;
    const { associatedAccessPolicies } = await this.eks.send(
      new ListAssociatedAccessPoliciesCommand(principal),
    );
    return {
      username: found.accessEntry.username || undefined,
      groups: found.accessEntry.kubernetesGroups ?? [],
      accessPolicies: (associatedAccessPolicies ?? []).map(({ policyArn }) => policyArn ?? ""),
    };
  }
}

const isNamed = (error: unknown, ...names: string[]): boolean =>
  error instanceof Error && names.includes(error.name);

/** For `catch`: undefined for an error of one of the names, any other goes on. */
const ignoring =
  (...names: string[]) =>
  (error: unknown): undefined => {
    if (!isNamed(error, ...names) && !(error instanceof AwsError && names.includes(error.code))) throw error;
  };

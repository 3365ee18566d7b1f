import {
  DescribeClusterCommand,
  EKSClient,
  ListClustersCommand,
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
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
  STSServiceException,
} from "@aws-sdk/client-sts";
import type { Role } from "./chain.ts";
import type { World } from "./world.ts";

/** AWS as the person's own credentials see it. */
export function awsWorld(region: string): Pick<World, "eks" | "iam" | "sts"> {
  const eks = new EKSClient({ region });
  const iam = new IAMClient({ region });
  const sts = new STSClient({ region });

  const policyDocument = async (arn: string): Promise<string | undefined> => {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
    const { PolicyVersion } = await iam.send(
      new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: Policy?.DefaultVersionId }),
    );
    return PolicyVersion?.Document && decodeURIComponent(PolicyVersion.Document);
  };

  return {
    eks: {
      async cluster(name) {
        const answer = await unless(ResourceNotFoundException, () =>
          eks.send(new DescribeClusterCommand({ name })),
        );
        if (answer?.cluster === undefined) return undefined;
        const { arn = "", status = "", endpoint = "", identity } = answer.cluster;
        return { arn, status, endpoint, issuer: identity?.oidc?.issuer };
      },
      async clusterNames() {
        return (await eks.send(new ListClustersCommand({}))).clusters ?? [];
      },
    },
    iam: {
      async accountId() {
        return (await sts.send(new GetCallerIdentityCommand({}))).Account ?? "";
      },
      async oidcProviders() {
        const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
        return Promise.all(
          OpenIDConnectProviderList.map(async ({ Arn: arn = "" }) => {
            const { Url = "", ClientIDList = [] } = await iam.send(
              new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }),
            );
            return { arn, url: Url, audiences: ClientIDList };
          }),
        );
      },
      async role(name) {
        const answer = await unless(NoSuchEntityException, () =>
          iam.send(new GetRoleCommand({ RoleName: name })),
        );
        if (answer?.Role === undefined) return undefined;
        const {
          Arn = "",
          AssumeRolePolicyDocument = "",
          MaxSessionDuration = 3600,
          PermissionsBoundary,
        } = answer.Role;
        return {
          name,
          arn: Arn,
          trustPolicy: decodeURIComponent(AssumeRolePolicyDocument),
          maxSessionSeconds: MaxSessionDuration,
          boundaryArn: PermissionsBoundary?.PermissionsBoundaryArn,
        };
      },
      async policies({ name: RoleName }: Role) {
        const inline: string[] = [];
        for await (const page of paginateListRolePolicies({ client: iam }, { RoleName })) {
          inline.push(...(page.PolicyNames ?? []));
        }
        const attached: { name: string; arn: string }[] = [];
        for await (const page of paginateListAttachedRolePolicies({ client: iam }, { RoleName })) {
          attached.push(
            ...(page.AttachedPolicies ?? []).map(({ PolicyName = "", PolicyArn = "" }) => ({
              name: PolicyName,
              arn: PolicyArn,
            })),
          );
        }
        return Promise.all([
          ...inline.map(async (name) => {
            const { PolicyDocument } = await iam.send(
              new GetRolePolicyCommand({ RoleName, PolicyName: name }),
            );
            return { name, document: PolicyDocument && decodeURIComponent(PolicyDocument) };
          }),
          ...attached.map(async ({ name, arn }) => ({
            name,
            document: await policyDocument(arn).catch(() => undefined),
          })),
        ]);
      },
      policyDocument,
    },
    sts: {
      async assume(roleArn, token, seconds) {
        try {
          const { AssumedRoleUser } = await sts.send(
            new AssumeRoleWithWebIdentityCommand({
              RoleArn: roleArn,
              RoleSessionName: "irsa-doctor",
              WebIdentityToken: token,
              DurationSeconds: seconds,
            }),
          );
          return { admitted: true, arn: AssumedRoleUser?.Arn ?? "" };
        } catch (error) {
          if (!(error instanceof STSServiceException)) throw error;
          return { admitted: false, code: error.name, message: error.message };
        }
      },
    },
  };
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

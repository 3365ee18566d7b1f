import { EKSClient } from "@aws-sdk/client-eks";
import {
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  paginateGetAccountAuthorizationDetails,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import type { CoreV1Api, V1ServiceAccount, V1ServiceAccountList } from "@kubernetes/client-node";
import { kubeconfig } from "../components/kubeconfig.ts";
import { awsWorld, podIdentityAssociations } from "../doctor/aws.ts";
import { kubernetesAt, orApiServerError } from "../doctor/kubernetes.ts";
import { recognise } from "../doctor/links/kubeconfig-cluster.ts";
import type { AssociationFacts, ClusterFacts, Estate, RoleFacts, ServiceAccountFacts } from "./estate.ts";

/** What to look at. */
export interface Place {
  readonly cluster: string;
  readonly region: string;
  /** Default: all. */
  readonly namespaces: readonly string[];
  /** A context of `$KUBECONFIG`. Default: the cluster's own address, with the AWS credentials that there are. */
  readonly context?: string;
}

/** Reads the cluster and its account. Lists only: a call a page, and one for each Pod Identity association. */
export async function readEstate(place: Place): Promise<Estate> {
  const cluster = await readCluster(place);
  const [providers, serviceAccounts, associations, roles] = await Promise.all([
    readProviders(place),
    readServiceAccounts(cluster, place),
    readAssociations(place),
    readRoles(place),
  ]);
  const issuer = cluster.issuer.replace(/^https:\/\//, "");
  return {
    cluster,
    oidcProviderArn: providers.find((arn) => arn.endsWith(`:oidc-provider/${issuer}`)),
    serviceAccounts,
    associations,
    roles,
  };
}

async function readCluster({ cluster: name, region }: Place): Promise<ClusterFacts> {
  const { eks } = awsWorld(region);
  const found = await eks.cluster(name);
  if (found === undefined) {
    const names = await eks.clusterNames().catch(() => []);
    throw new Error(
      `There is no EKS cluster ${name} in ${region}, in the account of these credentials; there ${names.length > 0 ? `are: ${names.join(", ")}` : "is none"}.`,
    );
  }
  const { arn, endpoint, certificateAuthority, issuer, status } = found;
  if (endpoint === undefined || certificateAuthority === undefined || issuer === undefined) {
    throw new Error(`The cluster ${name} is ${status}: it has no API server, or no issuer, yet.`);
  }
  return { name, region, arn, endpoint, certificateAuthority, issuer };
}

/** Their ARNs tell all that is asked, without a call for each. */
async function readProviders({ region }: Place): Promise<string[]> {
  const answer = await new IAMClient({ region }).send(new ListOpenIDConnectProvidersCommand({}));
  return (answer.OpenIDConnectProviderList ?? []).flatMap(({ Arn }) => Arn ?? []);
}

/** Entries of one answer of Kubernetes. */
const pageSize = 500;

async function readServiceAccounts(
  cluster: ClusterFacts,
  { namespaces, context }: Place,
): Promise<ServiceAccountFacts[]> {
  const { core } = await kubernetesOf(cluster, context);
  const all: V1ServiceAccount[] = [];
  const lists = namespaces.length > 0 ? namespaces : [undefined];
  for (const namespace of lists) {
    let more: string | undefined;
    do {
      const page = await orApiServerError(() => listOf(core, namespace, more));
      all.push(...page.items);
      more = page.metadata?._continue || undefined;
    } while (more !== undefined);
  }
  return all.map(toFacts);
}

const listOf = (
  core: CoreV1Api,
  namespace: string | undefined,
  _continue: string | undefined,
): Promise<V1ServiceAccountList> =>
  namespace === undefined
    ? core.listServiceAccountForAllNamespaces({ limit: pageSize, _continue })
    : core.listNamespacedServiceAccount({ namespace, limit: pageSize, _continue });

/** @throws Error when the context leads to another cluster. */
async function kubernetesOf(
  { name, region, endpoint, certificateAuthority, issuer }: ClusterFacts,
  context: string | undefined,
): Promise<{ readonly core: CoreV1Api }> {
  // The one that the program will use too.
  if (context === undefined)
    return kubernetesAt(kubeconfig({ cluster: name, endpoint, certificateAuthority, region }));
  const { core, world } = kubernetesAt(undefined, context);
  const known = recognise(endpoint, certificateAuthority, world);
  const same =
    known === undefined
      ? (await world.issuer().catch(() => undefined)) === issuer
      : typeof known === "string";
  if (!same) {
    throw new Error(
      `The context ${context} leads to ${world.server}, which is not known as the API server of ${name}, ${endpoint}.`,
    );
  }
  return { core };
}

/** What the API server itself writes into an object's metadata, and what a binding has words for. */
const ordinaryMetadata = new Set([
  ...["name", "namespace", "labels", "annotations", "ownerReferences"],
  ...["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"],
]);

function toFacts({ metadata = {}, automountServiceAccountToken }: V1ServiceAccount): ServiceAccountFacts {
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    automountToken: automountServiceAccountToken,
    owners: (metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind} ${name}`),
    otherMetadata: Object.entries(metadata)
      .filter(([key, value]) => value !== undefined && !ordinaryMetadata.has(key))
      .map(([key]) => key),
  };
}

async function readAssociations({ cluster, region, namespaces }: Place): Promise<AssociationFacts[]> {
  const found = await podIdentityAssociations(
    new EKSClient({ region }),
    cluster,
    ({ namespace = "" }) => namespaces.length === 0 || namespaces.includes(namespace),
  );
  return found.map(({ id, namespace, serviceAccount, roleArn, told }) => ({
    id,
    namespace,
    serviceAccount,
    roleArn,
    tags: told.tags ?? {},
    targetRoleArn: told.targetRoleArn || undefined,
    disableSessionTags: told.disableSessionTags || undefined,
    policy: told.policy || undefined,
    ownerArn: told.ownerArn || undefined,
  }));
}

/** All roles, from two lists: each leaves out what the other tells. */
async function readRoles({ region }: Place): Promise<RoleFacts[]> {
  const iam = new IAMClient({ region });
  const described = new Map<string, Pick<RoleFacts, "description" | "maxSessionDuration">>();
  const rest: Omit<RoleFacts, "description" | "maxSessionDuration">[] = [];
  const descriptions = async (): Promise<void> => {
    for await (const { Roles = [] } of paginateListRoles({ client: iam }, {})) {
      for (const { Arn = "", Description: description = "", MaxSessionDuration = 3600 } of Roles) {
        described.set(Arn, { description, maxSessionDuration: MaxSessionDuration });
      }
    }
  };
  const details = async (): Promise<void> => {
    const pages = paginateGetAccountAuthorizationDetails({ client: iam }, { Filter: ["Role"] });
    for await (const { RoleDetailList = [] } of pages) {
      for (const one of RoleDetailList) {
        rest.push({
          name: one.RoleName ?? "",
          arn: one.Arn ?? "",
          path: one.Path ?? "/",
          permissionsBoundary: one.PermissionsBoundary?.PermissionsBoundaryArn,
          trustPolicy: decodeURIComponent(one.AssumeRolePolicyDocument ?? ""),
          tags: Object.fromEntries((one.Tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
          inlinePolicies: (one.RolePolicyList ?? []).map(({ PolicyName = "", PolicyDocument = "" }) => ({
            name: PolicyName,
            document: decodeURIComponent(PolicyDocument),
          })),
          attachedPolicies: (one.AttachedManagedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []),
        });
      }
    }
  };
  await Promise.all([descriptions(), details()]);
  // One that was made between the two is not whole; it is there the next time.
  return rest.flatMap((role) => {
    const more = described.get(role.arn);
    return more === undefined ? [] : [{ ...role, ...more }];
  });
}

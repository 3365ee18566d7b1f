import { type Subject, trustPolicy } from "../../iam/trust-policy.ts";
import type { Limits, QuotaKey } from "./quotas.ts";

// What fits. Pure functions of the quotas and of what an organisation runs; no figure of AWS's is written here.

/** What one cluster runs, and what it takes besides. */
export interface Shape {
  /** ServiceAccounts with a role, in each cluster. */
  readonly bindingsPerCluster: number;
  /** Clusters that share a binding's role: 1 gives every cluster roles of its own. */
  readonly clustersPerRole: number;
  /** Managed policies attached to each role. */
  readonly managedPoliciesPerRole: number;
  /** How many of those are the role's own, made for it and counted in the account. */
  readonly ownPoliciesPerRole: number;
  /** Roles that a cluster takes for itself: its own and its nodes'. */
  readonly rolesPerCluster: number;
  /** Roles of the account that have nothing to do with clusters. */
  readonly otherRoles: number;
  readonly podsPerBinding: number;
  readonly identity: "irsa" | "pod-identity";
  /** Regions of the account that have clusters. */
  readonly regions: number;
  /** Lengths of the namespaces' and the ServiceAccounts' names, for the trust policies. */
  readonly names: NameLengths;
}

export interface NameLengths {
  readonly region: string;
  readonly namespace: number;
  readonly serviceAccount: number;
}

/** What is needed of one quota, and what there is. */
export interface Need {
  readonly quota: QuotaKey;
  readonly needed: number;
  readonly allowed: number;
}

/** What an account with so many clusters needs. */
export function needs(shape: Shape, clusters: number, limits: Limits): Need[] {
  const { bindingsPerCluster, identity } = shape;
  const shared = Math.max(1, shape.clustersPerRole);
  const roles = bindingsPerCluster * Math.ceil(clusters / shared);
  const irsa = identity === "irsa";
  const need = (quota: QuotaKey, needed: number): Need => ({ quota, needed, allowed: limits[quota] });
  return [
    need("rolesPerAccount", shape.otherRoles + clusters * shape.rolesPerCluster + roles),
    ...(irsa ? [need("oidcProvidersPerAccount", clusters)] : []),
    need("clustersPerRegion", Math.ceil(clusters / shape.regions)),
    need("customerManagedPolicies", roles * shape.ownPoliciesPerRole),
    need("managedPoliciesPerRole", shape.managedPoliciesPerRole),
    ...(irsa
      ? [need("trustPolicyCharacters", trustPolicyLength(shape.names, Math.min(shared, clusters), 1))]
      : [need("podIdentityAssociations", bindingsPerCluster)]),
    // As many as namespaces can there be at most: one for each binding.
    need("namespacesPerCluster", bindingsPerCluster),
    need("podsPerCluster", bindingsPerCluster * shape.podsPerBinding),
  ];
}

/** What does not fit, the most exceeded first. */
export const exceeded = (all: readonly Need[]): Need[] =>
  all
    .filter(({ needed, allowed }) => needed > allowed)
    .sort((a, b) => b.needed / b.allowed - a.needed / a.allowed);

export interface Fit {
  /** The most that fits. */
  readonly count: number;
  /** What one more would exceed; several when they end at the same count. */
  readonly stops: readonly Need[];
}

/** The most clusters, each with all its bindings, that one account holds, and which quota ends it. */
export const mostClusters = (shape: Shape, limits: Limits): Fit =>
  most((clusters) => needs(shape, clusters, limits));

/** The most bindings in each of so many clusters. */
export const mostBindingsPerCluster = (shape: Shape, clusters: number, limits: Limits): Fit =>
  most((bindingsPerCluster) => needs({ ...shape, bindingsPerCluster }, clusters, limits));

function most(needsOf: (count: number) => Need[]): Fit {
  const count = largest((candidate) => exceeded(needsOf(candidate)).length === 0);
  return { count, stops: exceeded(needsOf(count + 1)) };
}

/** Beyond this nothing here is asked for. */
const ceiling = 10_000_000;

/**
 * The largest whole number that passes a test which all smaller ones pass.
 *
 * @returns 0 when 1 does not pass.
 * @throws Error when there seems to be no end.
 */
export function largest(passes: (count: number) => boolean): number {
  let above = 1;
  while (passes(above)) {
    above *= 2;
    if (above > ceiling) throw new Error(`${ceiling} pass too: nothing limits it.`);
  }
  let below = above === 1 ? 0 : above / 2;
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (passes(middle)) below = middle;
    else above = middle;
  }
  return below;
}

/** An organisation: its environments, each of so many clusters. */
export interface Organisation {
  readonly environments: number;
  readonly clustersPerEnvironment: number;
  /** Whether each environment has accounts of its own. */
  readonly accountPerEnvironment: boolean;
  readonly shape: Shape;
}

export interface Accounts {
  readonly accounts: number;
  readonly clustersPerAccount: number;
  /** What ends an account, and so makes the next one necessary. */
  readonly stops: readonly Need[];
}

/**
 * How many accounts an organisation needs, when a cluster and its roles live in one account.
 *
 * @throws Error when one cluster with its bindings does not fit in an account.
 */
export function accountsFor(organisation: Organisation, limits: Limits): Accounts {
  const { environments, clustersPerEnvironment, accountPerEnvironment, shape } = organisation;
  const { count, stops } = mostClusters(shape, limits);
  if (count === 0) {
    const why = stops.map((one) => `${one.quota} allows ${one.allowed}, it needs ${one.needed}`).join("; ");
    throw new Error(
      `One cluster with ${shape.bindingsPerCluster} bindings does not fit in an account: ${why}.`,
    );
  }
  const accounts = accountPerEnvironment
    ? environments * Math.ceil(clustersPerEnvironment / count)
    : Math.ceil((environments * clustersPerEnvironment) / count);
  return { accounts, clustersPerAccount: count, stops };
}

/** ARN of a cluster's OIDC provider, as long as they all are in this region. */
const oidcProviderArn = (region: string, index: number): string =>
  `arn:aws:iam::111122223333:oidc-provider/oidc.eks.${region}.amazonaws.com/id/${index.toString(16).toUpperCase().padStart(32, "0")}`;

/** A valid name of a length, another for each index. */
function name(length: number, index: number): string {
  const number = index.toString(36);
  if (number.length > length) throw new Error(`There are not ${index} names of ${length} characters.`);
  return number.padStart(length, "0");
}

/** A trust policy as this project makes it, for so many clusters and ServiceAccounts. */
function policyFor(names: NameLengths, clusters: number, serviceAccounts: number, maxCharacters: number) {
  const subjects = Array.from(
    { length: serviceAccounts },
    (_, index): Subject => ({
      namespace: name(names.namespace, index),
      serviceAccount: name(names.serviceAccount, index),
    }),
  );
  const [first, ...otherSubjects] = subjects;
  if (first === undefined) throw new Error("A trust policy admits at least one ServiceAccount.");
  return trustPolicy({
    ...first,
    otherSubjects,
    oidcProviderArn: Array.from({ length: clusters }, (_, index) => oidcProviderArn(names.region, index)),
    maxCharacters,
  });
}

/** Characters of the trust policy for so many clusters and ServiceAccounts. IAM counts none that are white space, and there are none. */
export const trustPolicyLength = (names: NameLengths, clusters: number, serviceAccounts: number): number =>
  clusters === 0
    ? 0
    : JSON.stringify(policyFor(names, clusters, serviceAccounts, Number.POSITIVE_INFINITY)).length;

/** Whether the project makes this trust policy within the quota. */
export function trustPolicyFits(
  names: NameLengths,
  clusters: number,
  serviceAccounts: number,
  characters: number,
): boolean {
  try {
    policyFor(names, clusters, serviceAccounts, characters);
    return true;
  } catch (error) {
    if (error instanceof Error && /^The trust policy has \d+ characters/.test(error.message)) return false;
    throw error;
  }
}

export const mostClustersInTrust = (names: NameLengths, characters: number, serviceAccounts = 1): number =>
  largest((clusters) => trustPolicyFits(names, clusters, serviceAccounts, characters));

export const mostServiceAccountsInTrust = (names: NameLengths, characters: number, clusters = 1): number =>
  largest((serviceAccounts) => trustPolicyFits(names, clusters, serviceAccounts, characters));

/**
 * STS calls a second of so many processes, each of which renews its session shortly before its end.
 *
 * @param seconds The session.
 * @param window How long before its end it is renewed.
 */
export const stsCallsPerSecond = (processes: number, seconds: number, window: number): number =>
  processes / (seconds - window);

/** STS calls a second while so many pods a second are replaced: each new pod asks once, on top of the steady state. */
export const stsCallsInRollout = (steady: number, podsPerSecond: number): number => steady + podsPerSecond;

/** Token requests a second that the kubelets make of the API server. */
export const tokenRequestsPerSecond = (pods: number, limits: Limits): number =>
  pods / (limits.tokenSeconds * limits.tokenRotation);

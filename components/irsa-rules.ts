import type * as z from "zod";
import { boundBy, partitionRule } from "../iam/partition.ts";
import { policiesFault, type ResolvedPolicy } from "../iam/policies.ts";
import { arnsIn, type TrustPolicy } from "../iam/policy-document.ts";
import type { Quotas } from "../iam/quotas.ts";
import type { RoleArgs } from "../iam/role.ts";
import { isPattern, type Matching, roleTrustPolicy, type Subject } from "../iam/trust-policy.ts";
import { type Fault, fail, isLater, valueAt } from "../iam/validation.ts";
import { annotationKeys } from "./irsa-annotations.ts";
import {
  type ChainArgs,
  type IdentityArgs,
  phaseOf,
  type sessionSchema,
  type TargetRoleArgs,
} from "./irsa-identity.ts";

// The rules over several keys of a binding, which the component and the configuration ask.

/** What the rules over several keys look at. */
interface Ruled {
  readonly role?: RoleArgs<unknown>;
  readonly policies?: readonly unknown[];
  readonly description?: unknown;
  readonly otherSubjects?: readonly Subject<unknown>[];
  readonly audience?: string;
  readonly roleOnly?: boolean;
  readonly adopt?: boolean;
  readonly namespace?: unknown;
  readonly serviceAccount?: unknown;
  readonly labels?: unknown;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly tokenExpirationSeconds?: number;
  readonly stsRegionalEndpoints?: boolean;
  readonly automountToken?: boolean | "unset";
  readonly identity?: IdentityArgs;
  readonly targetRole?: TargetRoleArgs<unknown>;
  readonly session?: z.output<typeof sessionSchema>;
  readonly chain?: ChainArgs<unknown>;
}

/** The rules over several keys. */
export function irsaRules(args: Ruled, context: z.core.$RefinementCtx): void {
  const { role, policies = [], otherSubjects = [], annotations = {} } = args;
  if (role !== undefined && "arn" in role) {
    if (policies.length > 0) {
      fail(context, ["policies"], "a role that is there already keeps its policies; leave these out");
    }
    if (args.roleOnly) {
      fail(context, ["roleOnly"], "with a role that is there already nothing is left to make");
    }
    if (args.description !== undefined) {
      fail(context, ["description"], "a role that is there already stays as it is; leave this out");
    }
    if (otherSubjects.length > 0) {
      fail(
        context,
        ["otherSubjects"],
        "a role that is there already keeps its trust policy; leave these out",
      );
    }
  } else if (args.description !== undefined && role?.description !== undefined) {
    fail(context, ["description"], "there is a role.description already; leave out one of the two");
  }
  if (args.roleOnly && args.adopt) {
    fail(context, ["adopt"], "with roleOnly there is no ServiceAccount to adopt; leave out one of the two");
  }
  if (args.roleOnly) {
    for (const key of ["labels", "annotations", "tokenExpirationSeconds", "stsRegionalEndpoints"] as const) {
      if (args[key] === undefined) continue;
      fail(context, [key], "it is for the ServiceAccount, which roleOnly leaves to others; leave it out");
    }
  }
  if (args.automountToken === true && (args.roleOnly || args.adopt)) {
    fail(context, ["automountToken"], "the ServiceAccount is another's, and says so itself; leave it out");
  }
  identityRules(args, context);
  for (const annotation of Object.keys(annotations)) {
    if (!annotation.startsWith("eks.amazonaws.com/")) continue;
    const key = annotationKeys[annotation];
    fail(
      context,
      ["annotations", annotation],
      key === undefined
        ? "annotations of EKS are not for ServiceAccounts; leave it out"
        : `${key} sets it; use that key`,
    );
  }
}

/** The rules over what only one mechanism has. */
function identityRules(args: Ruled, context: z.core.$RefinementCtx): void {
  const { webIdentity, podIdentity } = phaseOf(args.identity);
  if (!webIdentity) {
    const ofToken = "it is for a web identity token, which EKS Pod Identity does not use; leave it out";
    for (const [key, problem] of [
      ["audience", "EKS Pod Identity has no audience; leave it out"],
      ["tokenExpirationSeconds", ofToken],
      ["stsRegionalEndpoints", ofToken],
      ["chain", "EKS Pod Identity assumes the second role itself: name it in targetRole"],
    ] as const) {
      if (args[key] !== undefined) fail(context, [key], problem);
    }
  }
  if (!podIdentity) {
    for (const [key, instead] of [
      ["targetRole", "chain is what IRSA has"],
      ["session", "leave it out"],
    ] as const) {
      if (args[key] !== undefined)
        fail(context, [key], `only EKS Pod Identity (identity: pod-identity) has it; ${instead}`);
    }
    return;
  }
  const { namespace, serviceAccount, otherSubjects = [] } = args;
  const associated = new Set([`${namespace}/${serviceAccount}`]);
  for (const [index, subject] of otherSubjects.entries()) {
    const path = ["otherSubjects", index];
    const account = `${subject.namespace}/${subject.serviceAccount}`;
    if (isPattern(subject)) {
      fail(
        context,
        path,
        "an association of EKS Pod Identity is for one ServiceAccount, and which ones a pattern will match nobody knows before they are there; name each",
      );
    } else if (isLater(subject.namespace) || isLater(subject.serviceAccount)) {
      fail(
        context,
        path,
        "under EKS Pod Identity it gets an association, so it must be known from the start",
      );
    } else if (associated.has(account)) {
      fail(context, path, "it has an association already; leave it out");
    }
    associated.add(account);
  }
}

/** The name of what attaches a policy, or holds it. Those of all components of a stack must differ. */
export const policyResource = (component: string, policy: Pick<ResolvedPolicy<unknown>, "name">): string =>
  `${component}-${policy.name}`;

/** The policy of the pod's role by which it may assume the next one; no other may have this name. */
export const assumeRolePolicyName = "assume-role";

/** Where the role is to be: what the rules below need to know of it. */
export interface Placement {
  /** Absent where it is not known yet. */
  readonly partition?: string;
  /** Told in errors where the partition is its. */
  readonly region?: string;
  /** OIDC providers of the clusters, or ARNs that are as long as theirs will be. */
  readonly oidcProviderArns: readonly string[];
  /** The clusters, or names that are as long. */
  readonly clusterNames: readonly string[];
}

/** What the rules below look at. */
interface Placed extends Ruled {
  readonly namespace: unknown;
  readonly serviceAccount: unknown;
  readonly policies: readonly ResolvedPolicy<unknown>[];
  readonly quotas: Quotas;
}

/** What is wrong only there: with the partition, or with an account's quotas. */
export function placementFaults(args: Placed, placement: Placement): Fault[] {
  const { partition, region, oidcProviderArns, clusterNames } = placement;
  const faults: Fault[] = [];
  const { role, policies, quotas } = args;
  if (partition !== undefined) {
    const bound = [
      ...policies.flatMap(({ bound, reference = 0 }) =>
        bound.map((one) => ({ ...one, path: ["policies", reference, ...one.path] })),
      ),
      ...[
        { path: ["role", "arn"], holds: valueAt(role, ["arn"]) },
        { path: ["role", "permissionsBoundary"], holds: valueAt(role, ["permissionsBoundary"]) },
        { path: ["targetRole", "arn"], holds: args.targetRole?.arn },
        { path: ["chain", "role"], holds: args.chain?.role },
        ...(args.session?.policy ? arnsIn(args.session.policy) : []).map(({ path, arn }) => ({
          path: ["session", "policy", ...path],
          holds: arn,
        })),
        ...oidcProviderArns.map((holds, index) => ({ path: ["oidcProviderArn", index], holds })),
      ].flatMap(({ path, holds }) => boundBy(holds, path)),
    ];
    for (const { path, holds, partition: own } of bound) {
      if (own !== partition) faults.push({ path, holds, problem: partitionRule(partition, region) });
    }
  }
  const next = args.targetRole ?? args.chain;
  const taken = policies.find(({ kind, name }) => kind === "inline" && name === assumeRolePolicyName);
  if (next !== undefined && taken !== undefined) {
    faults.push({
      path: ["policies", taken.reference ?? 0],
      holds: taken,
      problem: `the policy by which the role may assume ${args.targetRole ? "targetRole" : "chain.role"} is called ${assumeRolePolicyName} already`,
    });
  }
  const excess = policiesFault(policies, quotas);
  if (excess) {
    faults.push({
      path: ["policies", excess.index],
      holds: policies.find(({ reference }) => reference === excess.index),
      problem: excess.problem,
    });
  }
  if (role === undefined || !("arn" in role)) {
    // What is known later has a character at least.
    const name = (given: unknown): string | Matching =>
      typeof given === "string" || !isLater(given) ? (given as string | Matching) : "x";
    const subjects = [args, ...(args.otherSubjects ?? [])].map((one) => ({
      namespace: name(one.namespace),
      serviceAccount: name(one.serviceAccount),
    }));
    try {
      trustPolicyFor(args, { oidcProviderArns, clusterNames, subjects });
    } catch (error) {
      const { message } = error as Error;
      const key = (args.otherSubjects ?? []).length > 0 ? "otherSubjects" : "oidcProviderArn";
      const problem = `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.$/, "");
      faults.push({ path: [key], holds: valueAt(args, [key]), problem });
    }
  }
  return faults;
}

/**
 * The trust policy of the role, by the mechanisms that its identity has now.
 *
 * @throws Error when it is longer than the quota.
 */
export function trustPolicyFor(
  {
    identity,
    audience,
    quotas,
    session,
  }: Pick<Ruled, "identity" | "audience" | "session"> & { readonly quotas: Quotas },
  clusters: {
    readonly oidcProviderArns: readonly string[];
    readonly clusterNames: readonly string[];
    readonly subjects: readonly Subject[];
  },
): TrustPolicy {
  const { webIdentity, podIdentity } = phaseOf(identity);
  const { oidcProviderArns, clusterNames, subjects } = clusters;
  return roleTrustPolicy({
    subjects,
    webIdentity: webIdentity ? { oidcProviderArns, audience } : undefined,
    podIdentity: podIdentity ? { clusterNames, sessionTags: session === undefined } : undefined,
    maxCharacters: quotas.trustPolicyCharacters,
  });
}

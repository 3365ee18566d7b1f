import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import {
  clusterName,
  isQualifiedName,
  isServiceAccountName,
  labelValue,
  namespaceName,
  qualifiedNameRule,
  serviceAccountName,
  serviceAccountNameRule,
} from "../iam/names.ts";
import { boundBy, partitionIn, partitionRule } from "../iam/partition.ts";
import {
  type PolicyReading,
  policiesFault,
  policiesSchema,
  type PolicyReference as Reference,
  type ResolvedPolicy,
} from "../iam/policies.ts";
import {
  arnsIn,
  characters,
  type PolicyDocumentInput,
  policyDocument,
  type TrustPolicy,
} from "../iam/policy-document.ts";
import { type Quotas, quotasSchema, sessionPolicyCharacters } from "../iam/quotas.ts";
import * as iam from "../iam/role.ts";
import { tagsSchema } from "../iam/tags.ts";
import {
  isPattern,
  type Matching,
  oidcProviderArnLike,
  oidcProviderArnSchema,
  roleTrustPolicy,
  type Subject,
  stsAudience,
  subjectsSchema,
} from "../iam/trust-policy.ts";
import {
  ArgumentError,
  anyOf,
  asGiven,
  check,
  type Fault,
  fail,
  flag,
  integer,
  isLater,
  known,
  type Late,
  list,
  map,
  matching,
  must,
  object,
  ofKind,
  oneOf,
  text,
  valueAt,
} from "../iam/validation.ts";

// What an `IrsaServiceAccount` may be told, and the rules that the configuration asks too.

type Text = pulumi.Input<string>;

/** The forms of a policy, whose ARN may be an output of another resource. */
export type PolicyReference = Reference<Text>;
export type RoleArgs = iam.RoleArgs<Text>;
export type NewRoleArgs = iam.NewRoleArgs<Text>;
/** A ServiceAccount that the role admits beside the component's own. */
export type SubjectArgs = Subject<Text>;

export const identityMechanisms = ["irsa", "pod-identity"] as const;
/** How a pod gets the role's credentials. */
export type IdentityMechanism = (typeof identityMechanisms)[number];

/** The mechanism of new pods, while those of the other one still run. */
export interface MigratingIdentity {
  /** How a pod that starts now gets the role's credentials. */
  readonly mechanism: IdentityMechanism;
  /** Whether the role goes on to admit pods that have their credentials by the other mechanism. Default false. */
  readonly migrating?: boolean;
}
export type IdentityArgs = IdentityMechanism | MigratingIdentity;

/**
 * What there is for an identity. A migration goes along the rows of this table, in either direction, an `up` each; between
 * two neighbours no pod is refused, whichever of the two it was started under.
 *
 * | | trust | annotation | association | pods |
 * |---|---|---|---|---|
 * | `irsa` | web identity | yes | no | as the webhook has it |
 * | `irsa`, migrating | both | yes | no | told of web identity by their template, association or not |
 * | `pod-identity`, migrating | both | yes | yes | as the webhook has it: the association wins |
 * | `pod-identity` | Pod Identity | no | yes | as the webhook has it |
 */
export function phaseOf(identity: IdentityArgs = "irsa") {
  const { mechanism, migrating = false } = typeof identity === "string" ? { mechanism: identity } : identity;
  return {
    mechanism,
    migrating,
    webIdentity: mechanism === "irsa" || migrating,
    podIdentity: mechanism === "pod-identity" || migrating,
    /** The engine deletes last: so on the way back pods have web identity before the association goes. */
    associated: mechanism === "pod-identity",
    webIdentityInTemplate: mechanism === "irsa" && migrating,
  };
}

/** The role that EKS goes on to assume for the pods: often one of another account. `L` is a text that may come later. */
export interface TargetRoleArgs<L = Text> {
  /** Its ARN. What its trust policy must hold is the component's `targetTrustPolicy`. */
  readonly arn: L;
}

/** The role that pods go on to assume with the credentials of their first. `L` is a text that may come later. */
export interface ChainArgs<L = Text> {
  /** ARN of the second role. What its trust policy must hold is the component's `targetTrustPolicy`. */
  readonly role: L;
  /** What the second role's owner wants to be told, 2 to 1,224 characters. Default nothing. */
  readonly externalId?: string;
}

/**
 * Sessions of EKS Pod Identity without the tags by which it tells their cluster, namespace and ServiceAccount. AWS takes a
 * session policy for such sessions only: so there is none to say it for others.
 */
export interface SessionArgs {
  /** No tags. A trust policy cannot ask for them then: whom the role is for, the associations alone say. */
  readonly disableTags: true;
  /**
   * A policy document of at most 2,048 characters: what it does not allow, these pods may not, whatever the role may.
   * Default none.
   */
  readonly policy?: PolicyDocumentInput | string;
}

export const admissionModes = ["open", "enforced"] as const;
/** What becomes of a pod that comes without its identity. */
export type AdmissionMode = (typeof admissionModes)[number];

export interface IrsaServiceAccountArgs {
  /**
   * ARN of the IAM OIDC provider of the cluster that the ServiceAccount lives in. It also tells the partition. With
   * several, the role can be assumed from each of these clusters; the ServiceAccount is made in the one that the
   * component's Kubernetes provider talks to.
   */
  readonly oidcProviderArn: pulumi.Input<string> | readonly pulumi.Input<string>[];

  /** Namespace of the ServiceAccount; it must exist. */
  readonly namespace: pulumi.Input<string>;

  /** Name of the ServiceAccount. Default: the component's own name. */
  readonly serviceAccount?: pulumi.Input<string>;

  /**
   * What the role may do. At most ten managed policies, or what `quotas` says, and 10,240 characters of inline ones. Plain
   * values, since they decide which resources there are. Default nothing.
   *
   * @example ["AmazonS3ReadOnlyAccess", { name: "table", arn: tablePolicy.arn }, { name: "list", file: "list.json" }]
   */
  readonly policies?: readonly PolicyReference[];

  /**
   * How the role is made, or which one is there already.
   *
   * @example { namePrefix: "reader-", path: "/team-a/", maxSessionDuration: 7200 }
   * @example { arn: "arn:aws:iam::111122223333:role/reader" }
   */
  readonly role?: RoleArgs;

  /** What the role is for, as its description. Default: which ServiceAccount assumes it. */
  readonly description?: pulumi.Input<string>;

  /**
   * More ServiceAccounts that the role admits. They are not made. With `pod-identity` each is a name that is known from the
   * start, since each gets an association. Default none.
   */
  readonly otherSubjects?: readonly SubjectArgs[];

  /** Audience of the token; the OIDC provider must list it. Default `sts.amazonaws.com`. */
  readonly audience?: string;

  /** What AWS allows the account, where that was raised. Default: AWS's defaults. */
  readonly quotas?: Quotas;

  /** Make the role only, for a chart that brings its ServiceAccount: give it the `roleArn`. Default false. */
  readonly roleOnly?: boolean;

  /**
   * Annotate a ServiceAccount that is there already, whoever made it. Only the fields set here are taken over, and on
   * destroy they are given back; the ServiceAccount itself is never deleted. It wants a Kubernetes provider with server-side
   * apply, which is the provider's default. Default false.
   */
  readonly adopt?: boolean;

  /** Labels of the ServiceAccount. Default none. */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /** Annotations of the ServiceAccount beside those of IRSA. Default none. */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;

  /** Seconds that a pod's token lives, 600 to 86,400. Default: the webhook's, 86,400. */
  readonly tokenExpirationSeconds?: number;

  /** Whether SDKs call STS in their own region. Default: the webhook's, true. */
  readonly stsRegionalEndpoints?: boolean;

  /**
   * Whether pods get a token for the Kubernetes API too; `unset` leaves it to each pod, and where that says nothing it gets
   * one. Default false: a pod that does not call it needs none. Has no meaning with `adopt`.
   */
  readonly automountToken?: boolean | "unset";

  /**
   * `irsa`, or `pod-identity`: EKS Pod Identity, which needs the agent add-on in the cluster and `clusterName`. To
   * switch replaces neither the role nor the ServiceAccount; pods take it up when they restart. For a switch at which no pod
   * is refused, `{ mechanism, migrating: true }` is on the way: see docs/migrating.md. Default `irsa`.
   *
   * @example { mechanism: "pod-identity", migrating: true }
   */
  readonly identity?: IdentityArgs;

  /**
   * Name of the EKS cluster; only `pod-identity` needs it. With several, the role can be assumed from each of these clusters;
   * the association is made in the first.
   */
  readonly clusterName?: pulumi.Input<string> | readonly pulumi.Input<string>[];

  /**
   * With `pod-identity`: the role that EKS goes on to assume, often of another account, whose credentials the pods get. The
   * component's role may assume it; its own trust policy must hold the component's `targetTrustPolicy`. Default none.
   */
  readonly targetRole?: TargetRoleArgs;

  /**
   * With `pod-identity`: what the pods' sessions are like, where they are to have no tags, or less than the role. Default:
   * sessions with tags, which may do all that the role may.
   *
   * @example { disableTags: true, policy: { Version: "2012-10-17", Statement: [...] } }
   */
  readonly session?: SessionArgs;

  /**
   * With `irsa`: a second role that pods go on to assume, often of another account, whose credentials they get. Workloads
   * must take up the component's `podAdditions`, all of them: without the variable that they empty, the SDKs for Go and Java
   * take the web identity that the webhook put into the environment, and stay the first role. Default none.
   *
   * @example { role: "arn:aws:iam::222233334444:role/reports", externalId: "reports" }
   */
  readonly chain?: ChainArgs;

  /**
   * `enforced`: the API server (Kubernetes 1.30 and later) refuses a pod of the ServiceAccount that comes without its
   * identity, so that its controller tries again until the webhook knows of it. Default `open`: such a pod starts, and never
   * gets credentials.
   */
  readonly admission?: AdmissionMode;

  /** Tags of the role, and of what else is made in AWS. Default none. */
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** An audience of a web identity token: what IAM's OIDC providers call a client ID. It stands in the trust policy. */
export const audience = matching(
  /^[\u0020-\u007e\u00a1-\u00ff]{1,255}$/,
  "1 to 255 characters of Latin-1 (no typographic quotes or dashes)",
);

/** What a binding says, in the words that the component and the configuration share. */
export function irsaFields<L>(reading: PolicyReading<L>) {
  const { late } = reading;
  return {
    namespace: late(namespaceName),
    serviceAccount: late(serviceAccountName),
    policies: policiesSchema(reading),
    role: iam.roleSchema(late).optional(),
    description: late(iam.roleDescription).optional(),
    otherSubjects: subjectsSchema(late).default([]),
    audience: audience.optional(),
    quotas: quotasSchema.default({}),
    roleOnly: flag().default(false),
    adopt: flag().default(false),
    labels: map(late(labelValue), "a map of keys to texts", qualifiedNameRule, isQualifiedName).optional(),
    annotations: map(
      late(text("text")),
      "a map of keys to texts",
      qualifiedNameRule,
      isQualifiedName,
    ).optional(),
    tokenExpirationSeconds: integer(600, 86_400, "of seconds ").optional(),
    stsRegionalEndpoints: flag().optional(),
    automountToken: anyOf([flag(), oneOf(["unset"])], "true, false or unset").default(false),
    identity: identitySchema.default("irsa"),
    targetRole: object(
      { arn: late(iam.roleArn) },
      { externalId: "EKS makes one for each association; it is in the component's targetTrustPolicy" },
    ).optional(),
    session: sessionSchema.optional(),
    chain: object({ role: late(iam.roleArn), externalId: externalId.optional() }).optional(),
    admission: oneOf(admissionModes).default("open"),
    tags: tagsSchema(late).optional(),
  };
}

const mechanism = oneOf(identityMechanisms);
const identitySchema: z.ZodType<IdentityArgs, IdentityArgs> = anyOf([
  object({ mechanism, migrating: flag().optional() }),
  mechanism,
]);

/** Source: AssumeRole, AWS STS API Reference. */
const externalId = matching(
  /^[\w+=,.@:/-]{2,1224}$/,
  "2 to 1,224 letters, digits or any of + = , . @ : / - _",
);

const sessionSchema = object({
  disableTags: z.literal(true, must("true: AWS takes a session policy for sessions without tags only")),
  policy: policyDocument
    .refine(
      (document) => characters(document) <= sessionPolicyCharacters,
      `AWS takes ${sessionPolicyCharacters} characters in a session policy`,
    )
    .optional(),
});

/** What the rules over several keys look at. */
interface Ruled {
  readonly role?: iam.RoleArgs<unknown>;
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

/** The annotations that come by keys of their own. Source: README of github.com/aws/amazon-eks-pod-identity-webhook. */
const annotationKeys: Readonly<Record<string, string>> = {
  "eks.amazonaws.com/role-arn": "role.arn",
  "eks.amazonaws.com/audience": "audience",
  "eks.amazonaws.com/token-expiration": "tokenExpirationSeconds",
  "eks.amazonaws.com/sts-regional-endpoints": "stsRegionalEndpoints",
};

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

/** The name of what attaches a policy, or holds it. Those of all components of a stack must differ. */
export const policyResource = (component: string, policy: Pick<ResolvedPolicy<unknown>, "name">): string =>
  `${component}-${policy.name}`;

/**
 * The annotations of the ServiceAccount; undefined where there are none, and none are asked for. Source: README of
 * github.com/aws/amazon-eks-pod-identity-webhook.
 */
export function annotationsOf<T, R>(
  args: {
    readonly identity: IdentityArgs;
    readonly audience?: string | undefined;
    readonly annotations?: Readonly<Record<string, T>> | undefined;
    readonly tokenExpirationSeconds?: number | undefined;
    readonly stsRegionalEndpoints?: boolean | undefined;
  },
  roleArn: R,
): Record<string, T | R | string> | undefined {
  const { identity, audience, annotations, tokenExpirationSeconds, stsRegionalEndpoints } = args;
  // Under Pod Identity the association says it all.
  if (!phaseOf(identity).webIdentity) return annotations && { ...annotations };
  return {
    ...annotations,
    "eks.amazonaws.com/role-arn": roleArn,
    ...(audience !== undefined && audience !== stsAudience ? { "eks.amazonaws.com/audience": audience } : {}),
    ...(tokenExpirationSeconds !== undefined
      ? { "eks.amazonaws.com/token-expiration": String(tokenExpirationSeconds) }
      : {}),
    ...(stsRegionalEndpoints !== undefined
      ? { "eks.amazonaws.com/sts-regional-endpoints": String(stsRegionalEndpoints) }
      : {}),
  };
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

const later = <T>(schema: z.ZodType<T, T>) => anyOf([schema, ofKind<pulumi.Output<T> | Promise<T>>(isLater)]);
const input: Late<Text> = (schema) => later(schema);

const fields = irsaFields<Text>({ late: input, readFile: (path) => readFileSync(path, "utf8") });

const irsaArguments = object({
  oidcProviderArn: anyOf([
    input(oidcProviderArnSchema),
    list(input(oidcProviderArnSchema), "the ARN of at least one OIDC provider"),
  ]),
  clusterName: anyOf([
    input(clusterName),
    list(input(clusterName), "the name of at least one EKS cluster"),
  ]).optional(),
  ...fields,
  serviceAccount: fields.serviceAccount.optional(),
  policies: known(fields.policies).default([]),
  role: known(fields.role.unwrap()).optional(),
  otherSubjects: known(fields.otherSubjects.unwrap()).default([]),
  identity: known(fields.identity.unwrap()).default("irsa"),
  targetRole: known(fields.targetRole.unwrap()).optional(),
  session: known(fields.session.unwrap()).optional(),
  chain: known(fields.chain.unwrap()).optional(),
  labels: later(fields.labels.unwrap()).optional(),
  annotations: known(fields.annotations.unwrap()).optional(),
  tags: later(fields.tags.unwrap()).optional(),
} satisfies Record<keyof IrsaServiceAccountArgs, z.ZodType>)
  .superRefine(irsaRules)
  .superRefine(({ identity, clusterName }, context) => {
    if (phaseOf(identity).podIdentity && clusterName === undefined) {
      fail(context, ["clusterName"], "EKS Pod Identity needs the name of the cluster");
    }
  });

/** Clusters of the region with the shortest name: for a provider that is not known yet. */
const shortestOidcProviderArn = (partition = "aws"): string =>
  oidcProviderArnLike("eu-west-1").replace("arn:aws:", `arn:${partition}:`);

/**
 * The arguments as the component uses them: complete and checked.
 *
 * @throws ArgumentError that names everything that is wrong.
 */
export function checkIrsaArguments(name: string, args: IrsaServiceAccountArgs) {
  const checked = check(irsaArguments, args);
  if (checked.serviceAccount === undefined && !isServiceAccountName(name)) {
    const problem = `the component's own name, ${name}, is not one: ${serviceAccountNameRule}`;
    throw new ArgumentError([{ path: ["serviceAccount"], holds: undefined, problem }]);
  }
  const complete = {
    ...checked,
    serviceAccount: checked.serviceAccount ?? name,
    oidcProviderArns: [checked.oidcProviderArn].flat() as Text[],
    clusterNames: [checked.clusterName ?? []].flat() as Text[],
    phase: phaseOf(checked.identity),
  };
  const [home] = complete.oidcProviderArns;
  const partition = typeof home === "string" ? partitionIn(home) : undefined;
  const faults = placementFaults(complete, {
    partition,
    oidcProviderArns: complete.oidcProviderArns.map((arn) =>
      typeof arn === "string" ? arn : shortestOidcProviderArn(partition),
    ),
    clusterNames: complete.clusterNames.map((name) => (typeof name === "string" ? name : "x")),
  });
  if (faults.length > 0) throw new ArgumentError(faults.map((fault) => asGiven(fault, args)));
  return complete;
}

/** The arguments of the component, complete and checked. */
export type CheckedIrsaArguments = ReturnType<typeof checkIrsaArguments>;

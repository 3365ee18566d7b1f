import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import type * as z from "zod";
import {
  isQualifiedName,
  isServiceAccountName,
  labelValue,
  namespaceName,
  qualifiedNameRule,
  serviceAccountName,
  serviceAccountNameRule,
} from "../iam/names.ts";
import { partitionIn, partitionRule } from "../iam/partition.ts";
import {
  type PolicyReading,
  policiesFault,
  policiesSchema,
  type PolicyReference as Reference,
  type ResolvedPolicy,
} from "../iam/policies.ts";
import type { TrustPolicy } from "../iam/policy-document.ts";
import { type Quotas, quotasSchema } from "../iam/quotas.ts";
import * as iam from "../iam/role.ts";
import { tagsSchema } from "../iam/tags.ts";
import {
  type Matching,
  oidcProviderArnLike,
  oidcProviderArnSchema,
  podIdentityTrustPolicy,
  type Subject,
  subjectsSchema,
  trustPolicy,
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

  /** More ServiceAccounts that the role admits. They are not made. Default none. */
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
   * Whether pods get a token for the Kubernetes API too. Default false: a pod that does not call it needs none. Has no
   * meaning with `adopt`.
   */
  readonly automountToken?: boolean;

  /**
   * `irsa`, or `pod-identity`: EKS Pod Identity, which needs the agent add-on in the cluster and `clusterName`. To
   * switch replaces neither the role nor the ServiceAccount; pods take it up when they restart. Default `irsa`.
   */
  readonly identity?: IdentityMechanism;

  /** Name of the EKS cluster; only `pod-identity` needs it. */
  readonly clusterName?: pulumi.Input<string>;

  /** Tags of the role, and of what else is made in AWS. Default none. */
  readonly tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** An audience of a web identity token: what IAM's OIDC providers call a client ID. */
export const audience = text("1 to 255 characters", ({ length }) => length >= 1 && length <= 255);

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
    automountToken: flag().default(false),
    identity: oneOf(identityMechanisms).default("irsa"),
    tags: tagsSchema(late).optional(),
  };
}

/** What the rules over several keys look at. */
interface Ruled {
  readonly role?: iam.RoleArgs<unknown>;
  readonly policies?: readonly unknown[];
  readonly description?: unknown;
  readonly otherSubjects?: readonly Subject<unknown>[];
  readonly audience?: string;
  readonly roleOnly?: boolean;
  readonly adopt?: boolean;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly identity?: IdentityMechanism;
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
  if (args.identity === "pod-identity" && args.audience !== undefined) {
    fail(context, ["audience"], "EKS Pod Identity has no audience; leave it out");
  }
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

/** Where the role is to be: what the rules below need to know of it. */
export interface Placement {
  /** Absent where it is not known yet. */
  readonly partition?: string;
  /** Told in errors where the partition is its. */
  readonly region?: string;
  /** OIDC providers of the clusters, or ARNs that are as long as theirs will be. */
  readonly oidcProviderArns: readonly string[];
}

/** What the rules below look at. */
interface Placed extends Ruled {
  readonly namespace: unknown;
  readonly serviceAccount: unknown;
  readonly policies: readonly ResolvedPolicy<unknown>[];
  readonly quotas: Quotas;
}

/** What is wrong only there: with the partition, or with an account's quotas. */
export function placementFaults(args: Placed, { partition, region, oidcProviderArns }: Placement): Fault[] {
  const faults: Fault[] = [];
  const { role, policies, quotas } = args;
  if (partition !== undefined) {
    const bound = [
      ...policies.flatMap(({ bound, reference = 0 }) =>
        bound.map((one) => ({ ...one, path: ["policies", reference, ...one.path] })),
      ),
      ...["arn", "permissionsBoundary"].flatMap((key) => {
        const holds = valueAt(role, [key]);
        const own = typeof holds === "string" ? partitionIn(holds) : undefined;
        return own === undefined ? [] : [{ path: ["role", key], holds, partition: own }];
      }),
    ];
    for (const { path, holds, partition: own } of bound) {
      if (own !== partition) faults.push({ path, holds, problem: partitionRule(partition, region) });
    }
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
      trustPolicyFor(args, oidcProviderArns, subjects);
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
 * The trust policy for these subjects, the first of which is the ServiceAccount itself.
 *
 * @throws Error when it is longer than the quota.
 */
export function trustPolicyFor(
  { identity, audience, quotas }: { identity?: IdentityMechanism; audience?: string; quotas: Quotas },
  oidcProviderArn: readonly string[],
  subjects: readonly Subject[],
): TrustPolicy {
  const maxCharacters = quotas.trustPolicyCharacters;
  if (identity === "pod-identity") return podIdentityTrustPolicy(subjects, maxCharacters);
  const [first, ...otherSubjects] = subjects as [Subject, ...Subject[]];
  return trustPolicy({ ...first, oidcProviderArn, otherSubjects, audience, maxCharacters });
}

const later = <T>(schema: z.ZodType<T, T>) => anyOf([schema, ofKind<pulumi.Output<T> | Promise<T>>(isLater)]);
const input: Late<Text> = (schema) => later(schema);

const fields = irsaFields<Text>({ late: input, readFile: (path) => readFileSync(path, "utf8") });

const irsaArguments = object({
  oidcProviderArn: anyOf([
    input(oidcProviderArnSchema),
    list(input(oidcProviderArnSchema), "the ARN of at least one OIDC provider"),
  ]),
  clusterName: input(text("the name of the EKS cluster")).optional(),
  ...fields,
  serviceAccount: fields.serviceAccount.optional(),
  policies: known(fields.policies).default([]),
  role: known(fields.role.unwrap()).optional(),
  otherSubjects: known(fields.otherSubjects.unwrap()).default([]),
  labels: later(fields.labels.unwrap()).optional(),
  annotations: known(fields.annotations.unwrap()).optional(),
  tags: later(fields.tags.unwrap()).optional(),
} satisfies Record<keyof IrsaServiceAccountArgs, z.ZodType>)
  .superRefine(irsaRules)
  .superRefine(({ identity, clusterName }, context) => {
    if (identity === "pod-identity" && clusterName === undefined) {
      fail(context, ["clusterName"], "EKS Pod Identity needs the name of the cluster");
    }
  });

/** Clusters of the region with the shortest name: for a provider that is not known yet. */
const shortestOidcProviderArn = oidcProviderArnLike("eu-west-1");

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
  };
  const [home] = complete.oidcProviderArns;
  const faults = placementFaults(complete, {
    partition: typeof home === "string" ? partitionIn(home) : undefined,
    oidcProviderArns: complete.oidcProviderArns.map((arn) =>
      typeof arn === "string" ? arn : shortestOidcProviderArn,
    ),
  });
  if (faults.length > 0) throw new ArgumentError(faults.map((fault) => asGiven(fault, args)));
  return complete;
}

/** The arguments of the component, complete and checked. */
export type CheckedIrsaArguments = ReturnType<typeof checkIrsaArguments>;

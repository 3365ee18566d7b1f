import { readFileSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import type * as z from "zod";
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
import { partitionIn } from "../iam/partition.ts";
import { type PolicyReading, policiesSchema, type PolicyReference as Reference } from "../iam/policies.ts";
import { type Quotas, quotasSchema } from "../iam/quotas.ts";
import * as iam from "../iam/role.ts";
import { tagsSchema } from "../iam/tags.ts";
import {
  oidcProviderArnLike,
  oidcProviderArnSchema,
  type Subject,
  subjectsSchema,
} from "../iam/trust-policy.ts";
import {
  ArgumentError,
  anyOf,
  asGiven,
  check,
  fail,
  flag,
  integer,
  isLater,
  known,
  type Late,
  list,
  map,
  matching,
  object,
  ofKind,
  oneOf,
  text,
} from "../iam/validation.ts";
import {
  type ChainArgs,
  externalId,
  type IdentityArgs,
  identitySchema,
  phaseOf,
  type SessionArgs,
  sessionSchema,
  type TargetRoleArgs,
} from "./irsa-identity.ts";
import { irsaRules, placementFaults } from "./irsa-rules.ts";

// What an `IrsaServiceAccount` may be told, and the rules that the configuration asks too.

type Text = pulumi.Input<string>;

/** The forms of a policy, whose ARN may be an output of another resource. */
export type PolicyReference = Reference<Text>;
export type RoleArgs = iam.RoleArgs<Text>;
export type NewRoleArgs = iam.NewRoleArgs<Text>;
/** A ServiceAccount that the role admits beside the component's own. */
export type SubjectArgs = Subject<Text>;

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

import * as z from "zod";
import { type BundleReference, bundleNames, bundleSchema } from "./bundles.ts";
import { type Bound, boundBy, longestPartition, partitionOfRegion } from "./partition.ts";
import {
  arnsIn,
  bareDocument,
  characters,
  documentInText,
  type PolicyDocument,
  type PolicyDocumentInput,
  policyDocument,
} from "./policy-document.ts";
import {
  inlinePolicyCharacters,
  managedPoliciesPerRole,
  managedPolicyCharacters,
  type Quotas,
} from "./quotas.ts";
import { pathInPolicyArn, policyArn } from "./role.ts";
import {
  anyOf,
  check,
  type Fault,
  fail,
  keyOf,
  type Late,
  matching,
  must,
  object,
  ofKind,
  oneOf,
  plain,
  readInside,
  sentence,
  valueAt,
} from "./validation.ts";

/**
 * A policy to attach to a role, in one of the forms that people have at hand:
 *
 * - the name of a policy that AWS manages, with its path if it has one: `AmazonS3ReadOnlyAccess`,
 *   `service-role/AmazonEBSCSIDriverPolicy`;
 * - the ARN of any managed policy: `arn:aws:iam::111122223333:policy/team/read-buckets`;
 * - a managed policy whose ARN is known only later, under a name of your choice: `{ name: "read", arn: policy.arn }`;
 * - a document, bare or under a name, as an object or as JSON text: `{ Version, Statement }`, `{ name: "list", document }`;
 * - a file that holds one: `{ name: "list", file: "policies/list.json" }`;
 * - a well-known bundle: `{ bundle: "external-dns", hostedZones: ["Z2FDTNDATAQYW2"] }`.
 *
 * `L` is the type of a text that may come later.
 */
export type PolicyReference<L = string> =
  | string
  | ManagedPolicy<L>
  | NamedDocument
  | PolicyFile
  | PolicyDocumentInput
  | BundleReference
  | ResolvedPolicy<L>;

export interface ManagedPolicy<L = string> {
  /** Tells this attachment from the role's others; it is a part of the Pulumi name only. Default: the ARN's own. */
  readonly name?: string;
  readonly arn: L;
}

interface Named {
  /** The policy's name within the role, 1 to 128 characters of `A-Z a-z 0-9 + = , . @ - _`. */
  readonly name: string;
  /**
   * `inline`, a part of the role; or `managed`, a policy of its own, which may have 6,144 characters and counts among the
   * role's managed ones. Default `inline`.
   */
  readonly attach?: "inline" | "managed";
}

export interface NamedDocument extends Named {
  readonly document: PolicyDocumentInput | string;
}

export interface PolicyFile extends Named {
  /** A file that holds the document as JSON. */
  readonly file: string;
}

/** What a reference comes to: how the role gets it, under a name that is stable and plain. */
export type ResolvedPolicy<L = string> = {
  readonly name: string;
  /** What binds it to one partition: the ARNs that it names, and where they stand in the reference. */
  readonly bound: readonly Bound[];
  /** The place of its reference in the list, which a bundle's policies share. Default 0. */
  readonly reference?: number;
  /** The bundle that it is of. */
  readonly bundle?: string;
} & (
  | {
      /** A policy of AWS's own. Its ARN is complete but for the partition: `iam::aws:policy/AmazonS3ReadOnlyAccess`. */
      readonly kind: "aws-managed";
      readonly path: string;
    }
  | { readonly kind: "managed"; readonly arn: L | string } // a plain ARN is an `L` too, which the types cannot know
  | {
      /** A document, in the role or beside it; that of a bundle names resources of the partition that it is for. */
      readonly kind: "inline" | "customer-managed";
      readonly document: (partition: string) => PolicyDocument;
    }
);

/** Marks what was read, so that a list which holds it is read once. In JSON, and so in errors, it is a reference again. */
class Resolved {
  toJSON(this: ResolvedPolicy<unknown>): unknown {
    switch (this.kind) {
      case "aws-managed":
        return this.path;
      case "managed":
        return { name: this.name, arn: this.arn };
      default:
        return { name: this.name, document: this.document("aws") };
    }
  }
}
const resolved = <L>(policy: ResolvedPolicy<L>): ResolvedPolicy<L> => Object.assign(new Resolved(), policy);
const isResolved = (value: unknown): value is ResolvedPolicy<never> => value instanceof Resolved;

/** The narrowest permission that lists an account's buckets. IAM knows no resource for it but `*`. */
export const listBuckets: NamedDocument & { readonly document: PolicyDocument } = {
  name: "list-buckets",
  document: {
    Version: "2012-10-17",
    Statement: [{ Sid: "ListBuckets", Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  },
};

/** What a policy reference may be, for error messages. */
export const policyForms =
  "the name of an AWS managed policy (AmazonS3ReadOnlyAccess), a policy's ARN (arn:aws:iam::111122223333:policy/NAME), " +
  "a document ({ Version, Statement }, { name, document }, or { name, file }), " +
  `or a bundle ({ bundle: ${bundleNames.join(" | ")} })`;

const policyName = matching(/^[\w+=,.@-]{1,128}$/, "1 to 128 letters, digits or any of + = , . @ - _");

const managedByArn = <L>(name: string | undefined, arn: L, path: readonly PropertyKey[]): ResolvedPolicy<L> =>
  resolved({
    kind: "managed",
    name: name ?? pathInPolicyArn(String(arn))?.replaceAll("/", "-") ?? "",
    arn,
    bound: boundBy(arn, path),
  });

const ofDocument = (
  { name, attach = "inline" }: Named,
  document: PolicyDocument,
  path: readonly PropertyKey[],
): ResolvedPolicy<never> =>
  resolved<never>({
    kind: attach === "managed" ? "customer-managed" : "inline",
    name,
    document: () => document,
    bound: arnsIn(document).flatMap((one) => boundBy(one.arn, [...path, ...one.path])),
  });

/** A name, an ARN, or a document as JSON. */
const policyText = z.string().transform((reference, context): ResolvedPolicy<string> => {
  if (reference.trimStart().startsWith("{")) {
    const document = readInside(documentInText, reference, context);
    return document === undefined ? z.NEVER : ofDocument({ name: "inline" }, document, []);
  }
  if (reference.startsWith("arn:") && pathInPolicyArn(reference) !== undefined) {
    return managedByArn(undefined, reference, []);
  }
  if (!/^(?=.{1,640}$)([\w+=,.@-]+\/)*[\w+=,.@-]{1,128}$/.test(reference)) {
    fail(context, [], must(policyForms));
    return z.NEVER;
  }
  return resolved({ kind: "aws-managed", name: reference.replaceAll("/", "-"), path: reference, bound: [] });
});

const hasBundle = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "bundle");
const bundle = ofKind<BundleReference>(hasBundle).transform((reference, context): ResolvedPolicy<never>[] => {
  const policies = readInside(bundleSchema, reference, context);
  if (policies === undefined) return z.NEVER;
  const bound = Object.entries(reference).flatMap(([key, value]): readonly Bound[] =>
    key === "region" && typeof value === "string"
      ? [{ path: [key], holds: value, partition: partitionOfRegion(value) }]
      : [value].flat().flatMap((one, index) => boundBy(one, Array.isArray(value) ? [key, index] : [key])),
  );
  // Told of once, whatever it comes to.
  return policies.map((policy, index) =>
    resolved<never>({
      ...policy,
      bound: index === 0 ? bound : [],
      bundle: String(valueAt(reference, ["bundle"])),
    }),
  );
});

/** How references are read: texts that may come later, and files. */
export interface PolicyReading<L> {
  readonly late: Late<L>;
  /** @throws Error when there is no such file. */
  readonly readFile: (path: string) => string;
}

/** One reference, as what it comes to: a bundle may be several policies. */
function policySchema<L>({
  late,
  readFile,
}: PolicyReading<L>): z.ZodType<readonly ResolvedPolicy<L>[], PolicyReference<L>> {
  const named = { name: policyName, attach: oneOf(["inline", "managed"]).optional() };
  const managed = object({ name: policyName.optional(), arn: late(policyArn) }).transform(
    ({ name, arn }, context): ResolvedPolicy<L> => {
      if (name === undefined && typeof arn !== "string")
        fail(context, ["name"], "an ARN that is known later needs one");
      return managedByArn(name, arn as L, ["arn"]);
    },
  );
  const document = object({ ...named, document: policyDocument }).transform((one) =>
    ofDocument(one, one.document, ["document"]),
  );
  const file = object({ ...named, file: z.string(must("the path of a file")) }).transform((one, context) => {
    let json: string;
    try {
      json = readFile(one.file);
    } catch (error) {
      fail(context, ["file"], `it cannot be read: ${(error as Error).message}`);
      return z.NEVER;
    }
    // The configuration has no key for what is in a file.
    const inFile = (fault: Fault): Fault => ({
      path: ["file"],
      holds: one.file,
      problem: fault.path.length === 0 ? fault.problem : `in it ${sentence(keyOf(fault.path), fault)}`,
    });
    const document = readInside(documentInText, json, context, inFile);
    if (document === undefined) return z.NEVER;
    const policy = ofDocument(one, document, []);
    return resolved({ ...policy, bound: policy.bound.map((one) => ({ ...one, path: ["file"] })) });
  });
  const bare = bareDocument.transform((one) => ofDocument({ name: "inline" }, one, []));
  return anyOf(
    [ofKind<ResolvedPolicy<L>>(isResolved), policyText, bundle, managed, document, file, bare],
    policyForms,
  ).transform((policies) => [policies].flat());
}

/** The policies of one role, as what they come to. Their number is for `policiesFaults`, since the account's quota tells it. */
export const policiesSchema = <L>(
  reading: PolicyReading<L>,
): z.ZodType<ResolvedPolicy<L>[], readonly PolicyReference<L>[]> =>
  z
    .array(policySchema(reading), must("a list of policies"))
    .superRefine((references, context) => {
      const seen = new Set<string>();
      let inlined = 0;
      for (const [index, policies] of references.entries()) {
        // What could not be read is there as it was given.
        for (const policy of [policies].flat().filter((one) => isResolved(one))) {
          const fault = attachFault(policy, seen);
          if (fault) fail(context, [index], fault);
          if (policy.kind === "inline") inlined += characters(policy.document(longestPartition));
          const excess = lengthFault(policy, inlined);
          if (excess) fail(context, [index], excess);
        }
      }
    })
    .transform((references) =>
      references.flatMap((policies, reference) =>
        policies.map((policy) =>
          policy.reference === reference ? policy : resolved({ ...policy, reference }),
        ),
      ),
    );

/** Why a policy cannot be attached, or not beside those that were seen before; undefined when it can. */
function attachFault(policy: ResolvedPolicy<unknown>, seen: Set<string>): string | undefined {
  const identities = identitiesOf(policy);
  const taken = identities.some((identity) => seen.has(identity));
  for (const identity of identities) seen.add(identity);
  // Source: PolicyNotAttachable, AttachRolePolicy, IAM API Reference.
  if (identities.some((identity) => identity.startsWith("arn iam::aws:policy/aws-service-role/"))) {
    return "it is for a service's own role (service-linked), and IAM attaches it to no other";
  }
  if (!taken) return undefined;
  return policy.name === "inline"
    ? "a role can have one bare inline document only; give each a name: { name, document }"
    : `another policy of the role is called ${policy.name} already, or is the same`;
}

/** Why a document is too long, itself or together with the role's inline ones; undefined when it is not. */
function lengthFault(policy: ResolvedPolicy<unknown>, inlined: number): string | undefined {
  if (policy.kind === "inline" && inlined > inlinePolicyCharacters) {
    const form =
      policy.bundle === undefined ? "name, document" : `bundle: ${JSON.stringify(policy.bundle)}, ...`;
    return `with it the role's inline policies have ${inlined} characters; IAM takes ${inlinePolicyCharacters}. Make it a managed policy: { ${form}, attach: "managed" }`;
  }
  if (policy.kind !== "customer-managed") return undefined;
  const length = characters(policy.document(longestPartition));
  return length > managedPolicyCharacters
    ? `it has ${length} characters; IAM takes ${managedPolicyCharacters} in a managed policy. Make two of it`
    : undefined;
}

/** What no other policy of the role may be too. IAM does not tell names by their case. */
const identitiesOf = (policy: ResolvedPolicy<unknown>): string[] => [
  `name ${policy.name.toLowerCase()}`,
  ...(policy.kind === "aws-managed" ? [`arn iam::aws:policy/${policy.path}`] : []),
  ...(policy.kind === "managed" && typeof policy.arn === "string"
    ? [`arn ${policy.arn.replace(/^arn:[^:]*:/, "")}`]
    : []),
];

/** The first reference that is one too many for the account's quota. */
export function policiesFault(
  policies: readonly ResolvedPolicy<unknown>[],
  { managedPoliciesPerRole: quota = managedPoliciesPerRole.default }: Quotas = {},
): { readonly index: number; readonly problem: string } | undefined {
  const first = policies.filter(({ kind }) => kind !== "inline")[quota];
  if (first === undefined) return undefined;
  const { max } = managedPoliciesPerRole;
  const raise =
    quota < max
      ? `, or have the quota raised (to at most ${max}) and say so with quotas.managedPoliciesPerRole`
      : "";
  return {
    index: first.reference ?? 0,
    problem: `a role takes ${quota} managed policies${quota === managedPoliciesPerRole.default ? " by default" : ""}, and this is number ${quota + 1}. Join some in one inline document${raise}`,
  };
}

const noFiles: PolicyReading<string> = {
  late: plain,
  readFile: (path) => {
    throw new Error(`${path} is not looked for here`);
  },
};

/**
 * Reads one reference that is one policy. A bundle may be several: `resolvePolicies`.
 *
 * @throws ArgumentError that says what is wrong with it.
 */
export const resolvePolicy = (reference: Exclude<PolicyReference, BundleReference>): ResolvedPolicy =>
  check(policySchema(noFiles), reference)[0] as ResolvedPolicy;

/**
 * Reads all policies of one role.
 *
 * @throws ArgumentError that names every reference that is wrong, repeated, or one too many.
 */
export const resolvePolicies = (references: readonly PolicyReference[], quotas?: Quotas): ResolvedPolicy[] =>
  check(
    object({
      policies: policiesSchema(noFiles).superRefine((policies, context) => {
        const fault = policiesFault(policies, quotas);
        if (fault) fail(context, [fault.index], fault.problem);
      }),
    }),
    { policies: references },
  ).policies;

/** Policies that do more than most of those who attach them need, and what does less. */
const narrower: Readonly<Record<string, string>> = {
  AdministratorAccess: "policies for what the workload really does",
  PowerUserAccess: "policies for what the workload really does",
  AmazonS3FullAccess: "AmazonS3ReadOnlyAccess, or an inline document for the buckets that it uses",
  AmazonDynamoDBFullAccess: "AmazonDynamoDBReadOnlyAccess, or an inline document for its tables",
  AmazonDynamoDBFullAccess_v2: "AmazonDynamoDBReadOnlyAccess, or an inline document for its tables",
  AmazonSQSFullAccess: "AmazonSQSReadOnlyAccess, or an inline document for its queues",
  AmazonSNSFullAccess: "AmazonSNSReadOnlyAccess, or an inline document for its topics",
  AmazonRoute53FullAccess: "an inline document for its hosted zones",
  AmazonEC2FullAccess: "AmazonEC2ReadOnlyAccess, or an inline document for what it changes",
  SecretsManagerReadWrite: "an inline document that reads its secrets",
};

/**
 * Whether a managed policy, by its name, allows far more than most workloads need. The full access of a client of a file
 * system (`AmazonS3FilesClientFullAccess`) is to mount, read and write it.
 */
export const isWideManagedPolicy = (name: string): boolean =>
  Object.hasOwn(narrower, name) || /(?<!Client)FullAccess/.test(name);

/** Whether an action, as a policy names it, stands for all of a service, or for everything: `s3:*`, `*:*`, `*`. */
export const isAllActions = (action: string): boolean => /^(?:\*+|[a-z0-9*-]+:\*+)$/i.test(action);

/** What a person should hear about these policies before they are attached: one sentence each. */
export function policyWarnings(policies: readonly ResolvedPolicy<unknown>[]): string[] {
  return policies.flatMap((policy) => {
    // What a bundle allows is its project's word.
    if (policy.bundle !== undefined) return [];
    if (policy.kind === "inline" || policy.kind === "customer-managed") {
      const document = policy.document("aws");
      const [action] = document.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(
        ({ Action = [] }) => [Action].flat().filter(isAllActions),
      );
      return [
        ...(action === undefined
          ? []
          : [`The policy ${policy.name} allows ${action}: name the actions that the workload calls.`]),
        ...(document.Version !== "2012-10-17" && JSON.stringify(document).includes("${")
          ? [
              `The policy ${policy.name} has variables (\${...}), which IAM takes for plain text without Version: "2012-10-17".`,
            ]
          : []),
      ];
    }
    const name = (policy.kind === "aws-managed" ? policy.path : policy.name).replace(/^.*\//, "");
    if (!isWideManagedPolicy(name)) return [];
    const instead = narrower[name] ?? "a policy for what the workload really does";
    return [`The policy ${name} allows far more than most workloads need; consider ${instead}.`];
  });
}

/** The ARN of a policy of AWS's own in a partition. */
export function awsManagedPolicyArn(partition: string, path: string): string {
  return `arn:${partition}:iam::aws:policy/${path}`;
}

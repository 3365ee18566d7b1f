import type { Input } from "@pulumi/pulumi";
import { type BundleReference, bundleNames, partitionOfBundle, resolveBundle } from "./bundles.ts";
import { partitionOfArn } from "./partition.ts";
import type { PolicyDocument, Statement } from "./policy-document.ts";

/**
 * A policy to attach to a role, in one of the forms that people have at hand:
 *
 * - the name of a policy that AWS manages, with its path if it has one: `AmazonS3ReadOnlyAccess`,
 *   `service-role/AmazonEBSCSIDriverPolicy`;
 * - the ARN of any managed policy: `arn:aws:iam::111122223333:policy/team/read-buckets`;
 * - a managed policy whose ARN is known only later, under a name of your choice: `{ name: "read", arn: policy.arn }`;
 * - an inline document, bare or under a name: `{ Version, Statement }`, `{ name: "list", document }`;
 * - a well-known bundle: `{ bundle: "external-dns", hostedZones: ["Z2FDTNDATAQYW2"] }`.
 */
export type PolicyReference = string | ManagedPolicy | InlinePolicy | PolicyDocument | BundleReference;

export interface ManagedPolicy {
  /** Tells this attachment from the role's others; it is a part of the Pulumi name only. */
  readonly name: string;
  readonly arn: Input<string>;
}

export interface InlinePolicy {
  /** The policy's name within the role, 1 to 128 characters of `A-Z a-z 0-9 + = , . @ - _`. */
  readonly name: string;
  readonly document: PolicyDocument;
}

/** What a reference comes to: how the role gets it, under a name that is stable and plain. */
export type ResolvedPolicy =
  /** An AWS-managed policy. Its ARN is complete but for the partition: `iam::aws:policy/AmazonS3ReadOnlyAccess`. */
  | { readonly kind: "aws-managed"; readonly name: string; readonly path: string }
  | { readonly kind: "managed"; readonly name: string; readonly arn: Input<string> }
  /** A document; that of a bundle names resources of the partition that it is for. */
  | {
      readonly kind: "inline";
      readonly name: string;
      readonly document: (partition: string) => PolicyDocument;
    };

/** The narrowest permission that lists an account's buckets. IAM knows no resource for it but `*`. */
export const listBuckets: InlinePolicy = {
  name: "list-buckets",
  document: {
    Version: "2012-10-17",
    Statement: [{ Sid: "ListBuckets", Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
  },
};

/** Managed policies that a role may have unless AWS raised it (to at most 25). Source: "IAM and AWS STS quotas". */
export const managedPoliciesPerRole = 10;

/** Characters, without white space, that the inline policies of a role may have together. Source: "IAM and AWS STS quotas". */
export const inlinePolicyCharacters = 10_240;

/** What a policy reference may be, for error messages. */
export const policyForms =
  "the name of an AWS managed policy (AmazonS3ReadOnlyAccess), a policy's ARN (arn:aws:iam::111122223333:policy/NAME), " +
  "an inline document ({ Version, Statement }, or { name, document }), " +
  `or a bundle ({ bundle: ${bundleNames.join(" | ")} })`;

/**
 * Reads one reference.
 *
 * @throws Error that says what is wrong with it; it does not repeat the reference itself.
 */
export function resolvePolicy(reference: PolicyReference): ResolvedPolicy {
  if (typeof reference === "string") {
    if (reference.startsWith("arn:")) {
      const path = /^arn:aws[a-z-]*:iam::(?:aws|\d{12}):policy\/([\w+=,.@/-]{1,512})$/.exec(reference)?.[1];
      if (path === undefined) throw new Error(`it must be ${policyForms}`);
      return { kind: "managed", name: path.replaceAll("/", "-"), arn: reference };
    }
    if (!/^([\w+=,.@-]+\/)*[\w+=,.@-]{1,128}$/.test(reference)) throw new Error(`it must be ${policyForms}`);
    return { kind: "aws-managed", name: reference.replaceAll("/", "-"), path: reference };
  }
  if (reference === null || typeof reference !== "object") throw new Error(`it must be ${policyForms}`);
  if ("bundle" in reference) return { name: reference.bundle, ...resolveBundle(reference) };
  if ("arn" in reference) return { kind: "managed", name: reference.name, arn: reference.arn };
  const { name, document } = "document" in reference ? reference : { name: "inline", document: reference };
  if (typeof name !== "string" || !/^[\w+=,.@-]{1,128}$/.test(name)) {
    throw new Error("its name must be 1 to 128 letters, digits or any of + = , . @ - _");
  }
  checkDocument(document);
  return { kind: "inline", name, document: () => document };
}

/**
 * Reads all policies of one role.
 *
 * @throws PolicyError that names the first reference that is wrong, repeated, or one too many.
 */
export function resolvePolicies(references: readonly PolicyReference[]): ResolvedPolicy[] {
  const resolved: ResolvedPolicy[] = [];
  let managed = 0;
  let inlineCharacters = 0;
  for (const [index, reference] of references.entries()) {
    const fail = (why: string): never => {
      throw new PolicyError(index, why);
    };
    let policy: ResolvedPolicy;
    try {
      policy = resolvePolicy(reference);
    } catch (error) {
      throw new PolicyError(index, (error as Error).message);
    }
    if (resolved.some((other) => other.name === policy.name)) {
      fail(
        policy.name === "inline"
          ? "a role can have one bare inline document only; give each a name: { name, document }"
          : `another policy of the role is called ${policy.name} already`,
      );
    }
    if (policy.kind === "inline") {
      inlineCharacters += characters(policy.document(longestPartition));
      if (inlineCharacters > inlinePolicyCharacters) {
        fail(
          `with it the role's inline policies have ${inlineCharacters} characters; IAM takes ${inlinePolicyCharacters}. Make it a managed policy`,
        );
      }
    } else if (++managed > managedPoliciesPerRole) {
      fail(
        `a role takes ${managedPoliciesPerRole} managed policies by default, and this is number ${managed}. Join some in one inline document`,
      );
    }
    resolved.push(policy);
  }
  return resolved;
}

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

/** Whether a managed policy, by its name, allows far more than most workloads need. */
export const isWideManagedPolicy = (name: string): boolean =>
  Object.hasOwn(narrower, name) || name.includes("FullAccess");

/** Whether an action, as a policy names it, stands for all of a service, or for everything: `s3:*`, `*:*`, `*`. */
export const isAllActions = (action: string): boolean => /^(?:\*+|[a-z0-9*-]+:\*+)$/i.test(action);

/** What a person should hear about these policies before they are attached: one sentence each. */
export function policyWarnings(policies: readonly ResolvedPolicy[]): string[] {
  return policies.flatMap((policy) => {
    if (policy.kind === "inline") {
      const [action] = policy
        .document("aws")
        .Statement.filter(({ Effect }) => Effect === "Allow")
        .flatMap((statement) => texts(statement.Action).map(String).filter(isAllActions));
      return action === undefined
        ? []
        : [`The policy ${policy.name} allows ${action}: name the actions that the workload calls.`];
    }
    const name = (policy.kind === "aws-managed" ? policy.path : policy.name).replace(/^.*\//, "");
    if (!isWideManagedPolicy(name)) return [];
    const instead = narrower[name] ?? "a policy for what the workload really does";
    return [`The policy ${name} allows far more than most workloads need; consider ${instead}.`];
  });
}

/** A bad entry in a role's list of policies. */
export class PolicyError extends Error {
  /** Its place in the list, from 0. */
  readonly index: number;
  /** What is wrong with it, and what would be right. */
  readonly why: string;

  constructor(index: number, why: string) {
    super(`policies[${index}]: ${why}.`);
    this.index = index;
    this.why = why;
    this.name = "PolicyError";
  }
}

/** The ARN of a managed policy in a partition; customer-managed ARNs stay as they are. */
export function awsManagedPolicyArn(partition: string, path: string): string {
  return `arn:${partition}:iam::aws:policy/${path}`;
}

/** The partition that a reference is bound to; undefined when it fits any. */
export function partitionOfPolicy(reference: PolicyReference): string | undefined {
  if (typeof reference === "string") {
    return reference.startsWith("arn:") ? partitionOfArn(reference) : undefined;
  }
  return "bundle" in reference ? partitionOfBundle(reference) : undefined;
}

/** The partition whose ARNs are the longest: what fits there fits everywhere. */
const longestPartition = "aws-us-gov";

/** Length of a document as IAM counts it: without white space. */
export function characters(document: PolicyDocument): number {
  return JSON.stringify(document).replace(/\s/g, "").length;
}

/** What `checkDocument` may be given: configuration from a file, whatever its static type says. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown };

function checkDocument(document: Unchecked<PolicyDocument>): void {
  if (document?.Version !== "2012-10-17") throw new Error('its Version must be "2012-10-17"');
  if (!Array.isArray(document.Statement) || document.Statement.length === 0) {
    throw new Error("its Statement must be a list of at least one statement");
  }
  const extra = Object.keys(document).find((key) => !["Version", "Id", "Statement"].includes(key));
  if (extra !== undefined) throw new Error(`a policy document has no ${JSON.stringify(extra)}`);
  document.Statement.forEach((statement: Unchecked<Statement>, index) => {
    const wrong = statementFault(statement);
    if (wrong) throw new Error(`Statement[${index}] ${wrong}`);
  });
}

const statementKeys = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/** Why IAM would refuse a statement of an identity policy; undefined when it would not. */
function statementFault(statement: Unchecked<Statement>): string | undefined {
  if (statement === null || typeof statement !== "object") return "must be an object";
  const extra = Object.keys(statement).find((key) => !statementKeys.includes(key));
  if (extra === "Principal")
    return "has a Principal; the policies of a role have none, the role itself is the principal";
  if (extra !== undefined) return `has ${JSON.stringify(extra)}; it may have ${statementKeys.join(", ")}`;
  if (statement.Effect !== "Allow" && statement.Effect !== "Deny") return 'needs Effect: "Allow" or "Deny"';
  if ((statement.Action === undefined) === (statement.NotAction === undefined)) {
    return "needs Action or NotAction, and not both";
  }
  if ((statement.Resource === undefined) === (statement.NotResource === undefined)) {
    return "needs Resource or NotResource, and not both";
  }
  for (const key of ["Action", "NotAction"] as const) {
    const bad = texts(statement[key]).find(
      // IAM does not care about the case of either half.
      (action) => !/^(?:\*|(?:\*|[a-z0-9-]+):[a-z0-9*?]+)$/i.test(String(action)),
    );
    if (bad !== undefined)
      return `has the ${key} ${JSON.stringify(bad)}; it must be like s3:ListAllMyBuckets`;
  }
  for (const key of ["Resource", "NotResource"] as const) {
    const bad = texts(statement[key]).find((arn) => arn !== "*" && !/^arn:[^:]*:[^:]+:.+$/.test(String(arn)));
    if (bad !== undefined) return `has the ${key} ${JSON.stringify(bad)}; it must be an ARN or "*"`;
  }
  return undefined;
}

const texts = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

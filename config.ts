import { basename, dirname } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { partitionOfRegion } from "./iam/partition.ts";
import {
  listBuckets,
  PolicyError,
  type PolicyReference,
  partitionOfPolicy,
  resolvePolicies,
} from "./iam/policies.ts";
import { type RoleArgs, roleFaults, roleRules } from "./iam/role.ts";
import {
  isNamespaceName,
  isServiceAccountName,
  namespaceNameRule,
  serviceAccountNameRule,
} from "./iam/trust-policy.ts";

/** The Pulumi project, whose name is the prefix of the configuration's keys. */
export const project = "eks-irsa";

/** The folder of the project, which `pulumi up` runs it in. Compiled, as in the npm package, this file is one further down. */
export const home =
  basename(import.meta.dirname) === "dist" ? dirname(import.meta.dirname) : import.meta.dirname;

/** The listers that there are, by the folder below `app/`; `none` for a stack of bindings only. */
const apps = ["go", "java", "none"] as const;

/** Namespaces that every cluster has. */
const builtInNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Control plane logs that EKS has. Source: "Send control plane logs to CloudWatch Logs", EKS User Guide. */
const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

/** Days that CloudWatch Logs takes as a retention. Source: PutRetentionPolicy, CloudWatch Logs API Reference. */
const retentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

// Each leaf says what it may hold, as the end of the sentence "it must be ...": that text is all a person needs, and
// `parseConfig` adds the key and what it holds.

const text = (rule: string, test: (value: string) => boolean) => z.string(rule).refine(test, rule);
const matching = (pattern: RegExp, rule: string) => text(rule, (value) => pattern.test(value));
const integer = (min: number, max: number) => {
  const rule = `a whole number from ${min} to ${max}`;
  return z.int(rule).min(min, rule).max(max, rule);
};
const flag = () => z.boolean("true or false");
const list = <T extends z.ZodType>(item: T, rule: string) => z.array(item, rule);

const cidr = text("an IPv4 block such as 203.0.113.0/24", (value) => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(value);
  return match?.slice(1, 5).every((octet) => Number(octet) <= 255) === true && Number(match[5]) <= 32;
});

const clusterName = matching(
  /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/,
  "1 to 100 letters, digits, '-' or '_', starting with a letter or digit",
);

const nodesSchema = z
  .strictObject({
    /** EC2 instance types. */
    instanceTypes: list(
      matching(/^[a-z0-9-]+\.[a-z0-9-]+$/, "an EC2 instance type such as t3.medium"),
      'a list of EC2 instance types such as ["t3.medium"]',
    )
      .min(1, 'a list of EC2 instance types such as ["t3.medium"]')
      .default(["t3.medium"]),
    /** Fewest, most and first number of nodes. */
    min: integer(0, 450).default(1),
    max: integer(1, 450).optional(),
    desired: integer(0, 450).optional(),
  })
  .transform(({ min, max = Math.max(3, min), desired = min, ...rest }) => ({ ...rest, min, max, desired }))
  .refine((nodes) => nodes.min <= nodes.max, { path: ["max"], error: "at least min" })
  .refine((nodes) => nodes.min <= nodes.desired && nodes.desired <= nodes.max, {
    path: ["desired"],
    error: "from min to max",
  });

const newClusterSchema = z.strictObject({
  name: clusterName.optional(),
  existing: z.literal(false, "true, or absent").optional(),
  version: matching(/^1\.\d{2}$/, 'a Kubernetes version in quotes, such as "1.34"').optional(),
  nodes: nodesSchema.prefault({}),
  endpoint: z
    .strictObject({
      public: flag().default(true),
      private: flag().default(true),
      allowedCidrs: list(cidr, "a list of IPv4 blocks").optional(),
    })
    .refine((endpoint) => endpoint.public || endpoint.private, {
      path: ["private"],
      error: "true where public is false, or nobody reaches the API server",
    })
    .prefault({}),
  network: z
    .strictObject({
      vpcId: matching(/^vpc-[0-9a-f]+$/, "the id of a VPC (vpc-...)"),
      publicSubnetIds: list(
        matching(/^subnet-[0-9a-f]+$/, "the id of a subnet (subnet-...)"),
        "a list of subnet ids",
      ).optional(),
      privateSubnetIds: list(
        matching(/^subnet-[0-9a-f]+$/, "the id of a subnet (subnet-...)"),
        "a list of subnet ids",
      ).optional(),
    })
    .optional(),
  logs: z
    .strictObject({
      types: list(
        z.enum(logTypes, `one of ${logTypes.join(", ")}`),
        `a list of ${logTypes.join(", ")}`,
      ).default([]),
      retentionDays: z
        .number(`one of ${retentionDays.join(", ")}`)
        .refine((days) => retentionDays.includes(days), `one of ${retentionDays.join(", ")}`)
        .default(30),
    })
    .prefault({}),
  deletionProtection: flag().default(false),
});

const existingClusterSchema = z.strictObject({
  name: clusterName,
  existing: z.literal(true),
  /** Whether this stack makes the cluster's OIDC provider, since nobody has yet. AWS refuses a second one. */
  createOidcProvider: flag().default(false),
});

const referencedClusterSchema = z.strictObject({
  stack: matching(
    /^[\w.-]+\/[\w.-]+\/[\w.-]+$/,
    "a stack with the outputs clusterName, kubeconfig and oidcProviderArn, such as my-org/platform/prod",
  ),
  existing: z.literal(true, "true, or absent").default(true),
});

/** A cluster that is there is only named, or found through the stack that made it; everything else describes a new one. */
const clusterSchema = z.unknown().transform((value, context) => {
  const has = (key: string) => typeof value === "object" && value !== null && key in value;
  const existing = has("existing") && (value as { existing?: unknown }).existing === true;
  const schema = has("stack") ? referencedClusterSchema : existing ? existingClusterSchema : newClusterSchema;
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.issues.push({ ...issue, input: value } as never);
  return z.NEVER;
});

const policiesSchema = z
  .custom<PolicyReference[]>((value) => Array.isArray(value), "a list of policies")
  .superRefine((references, context) => {
    try {
      resolvePolicies(references);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      context.addIssue({
        code: "custom",
        path: [error.index],
        message: error.why,
        params: { sentence: true },
      });
    }
  });

/** A role to make, or one that is there. The rules for its plain values are the component's. */
const roleSchema = z
  .strictObject({
    name: z.string(roleRules.name.rule).optional(),
    namePrefix: z.string(roleRules.namePrefix.rule).optional(),
    path: z.string(roleRules.path.rule).optional(),
    description: z.string("text").max(1000, "at most 1,000 characters").optional(),
    permissionsBoundary: matching(
      /^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/.+$/,
      "the ARN of a policy",
    ).optional(),
    maxSessionDuration: z.number(roleRules.maxSessionDuration.rule).optional(),
    arn: matching(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, "the ARN of a role").optional(),
  })
  .superRefine((role, context) => {
    for (const { key, problem } of roleFaults(role as RoleArgs)) {
      context.addIssue({ code: "custom", path: [key], message: problem, params: { sentence: true } });
    }
  })
  .transform((role) => role as RoleArgs);

/** A name, or `{ matching: "team-*" }`. */
const nameOrPattern = (rule: string, test: (name: string) => boolean) =>
  z.custom<string | { matching: string }>(
    (value) =>
      typeof value === "string"
        ? test(value)
        : typeof value === "object" &&
          value !== null &&
          Object.keys(value).join() === "matching" &&
          /^[-a-z0-9.]*[*?][-a-z0-9.*?]*$/.test(String((value as { matching: unknown }).matching)),
    `${rule}; or { matching: PATTERN } with * or ? in the pattern`,
  );

const mechanism = () => z.enum(["irsa", "pod-identity"], "irsa or pod-identity").default("irsa");

const subjectsSchema = list(
  z.strictObject({
    namespace: nameOrPattern(namespaceNameRule, isNamespaceName),
    serviceAccount: nameOrPattern(serviceAccountNameRule, isServiceAccountName),
  }),
  "a list of { namespace, serviceAccount }",
).default([]);

const stringMap = () => z.record(z.string(), z.string("text"), "a map of keys to texts");

/** One ServiceAccount and what its pods may do. The same words as the arguments of `IrsaServiceAccount`. */
const bindingSchema = z.strictObject({
  /** Namespace of the ServiceAccount. */
  namespace: text(namespaceNameRule, isNamespaceName),
  /** Whether the stack makes the namespace. One binding of a namespace says it for all. */
  createNamespace: flag().default(false),
  serviceAccount: text(serviceAccountNameRule, isServiceAccountName),
  policies: policiesSchema.default([]),
  role: roleSchema.optional(),
  otherSubjects: subjectsSchema,
  identity: mechanism(),
  audience: z.string("text").min(1, "text").optional(),
  roleOnly: flag().default(false),
  adopt: flag().default(false),
  labels: stringMap().optional(),
  annotations: stringMap().optional(),
  tokenExpirationSeconds: integer(600, 86_400).optional(),
  stsRegionalEndpoints: flag().optional(),
  automountToken: flag().default(false),
});

const bindingsSchema = list(bindingSchema, "a list of bindings").superRefine((bindings, context) => {
  const seen = new Map<string, number>();
  for (const [index, { namespace, serviceAccount }] of bindings.entries()) {
    const key = `${namespace}/${serviceAccount}`;
    const first = seen.get(key);
    if (first !== undefined) {
      const message = `eks-irsa:bindings[${first}] is for ${key} already; put the policies of both in one`;
      context.addIssue({ code: "custom", path: [index], message, params: { sentence: true } });
    }
    seen.set(key, first ?? index);
  }
});

/** One ServiceAccount and what its pods may do. */
export type Binding = z.output<typeof bindingSchema>;

/**
 * The stack configuration, key by key without the `eks-irsa:` prefix. The program, the Automation API and the tests all
 * read this one schema; defaults are in it.
 */
export const configSchema = z.strictObject({
  /** Namespace of the workload. */
  namespace: text(namespaceNameRule, isNamespaceName).default("s3-irsa"),
  /** Whether the stack makes the namespace, and deletes it with the rest. Default: true, but for those that every cluster has. */
  createNamespace: flag().optional(),
  /** Name of the ServiceAccount that gets the role. */
  serviceAccount: text(serviceAccountNameRule, isServiceAccountName).default("s3-irsa"),
  /** What the role may do. */
  policies: policiesSchema.default([listBuckets]),
  /** How the role is made. */
  role: roleSchema.optional(),
  /** How the lister gets its credentials. */
  identity: mechanism(),
  /** More ServiceAccounts, each with a role of its own. */
  bindings: bindingsSchema.default([]),
  cluster: clusterSchema.prefault({}),
  /** Which lister runs. */
  app: z.enum(apps, `one of ${apps.join(", ")}`).default("go"),
  /** Pods of the lister. */
  replicas: integer(0, 100).default(1),
  /** Seconds between two listings. */
  intervalSeconds: integer(1, 86_400).default(60),
  /** How the image is built. */
  build: z
    .strictObject({
      args: z
        .record(matching(/^\w+$/, "a build argument's name"), z.string("text"), "a map of names to text")
        .default({}),
      platform: matching(/^linux\/(amd64|arm64)$/, "linux/amd64 or linux/arm64").default("linux/amd64"),
      network: z.string("text").min(1, "text").optional(),
    })
    .prefault({}),
  /** A pod with Maven under the lister's ServiceAccount, to work in by hand; the image that it runs, or whether to. */
  toolbox: z
    .union(
      [z.boolean(), z.string().regex(/^[\w./:@-]+$/)],
      "true, false, or the name of an image with a shell, Maven and a JDK",
    )
    .default(false),
  /** Tags of all AWS resources. Source of the limits: "Tag naming limits and requirements", AWS General Reference. */
  tags: z
    .record(
      matching(
        /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
        "a tag's key: 1 to 128 characters, not starting with aws:",
      ),
      matching(
        /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
        "text of at most 256 letters, digits, spaces or _ . : / = + - @",
      ),
      "a map of tag keys to texts",
    )
    .default({}),
});

/** The configuration as a person writes it: every key may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

const regionRule = "an AWS region such as eu-central-1";
const regionSchema = matching(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, regionRule);

/** The configuration as the program uses it: complete and checked. */
export interface StackConfig extends Omit<z.output<typeof configSchema>, "createNamespace" | "cluster"> {
  /** Region of everything, from `aws:region`. */
  region: string;
  createNamespace: boolean;
  cluster:
    | ({ name: string; existing: false } & Omit<z.output<typeof newClusterSchema>, "name" | "existing">)
    | { name: string; existing: true; createOidcProvider: boolean }
    | z.output<typeof referencedClusterSchema>;
}

/** One thing that is wrong with a configuration. */
export interface ConfigIssue {
  /** Full key, with its path inside a structured value: `eks-irsa:cluster.nodes.max`. */
  key: string;
  /** What it holds now; undefined when it is not set. */
  holds: unknown;
  /** What would be right: the end of a sentence. */
  problem: string;
}

/** A stack configuration that cannot be used. The message names every bad key at once; Pulumi prints it without a stack trace. */
export class ConfigError extends pulumi.RunError {
  readonly issues: readonly ConfigIssue[];

  constructor(stack: string, issues: readonly ConfigIssue[]) {
    const lines = issues.map(({ key, holds, problem }) =>
      holds === undefined ? `  ${key} is not set; ${problem}` : `  ${key} holds ${shown(holds)}; ${problem}`,
    );
    const count = issues.length === 1 ? "1 error" : `${issues.length} errors`;
    super(
      `The configuration of stack ${stack} has ${count}:\n${lines.join("\n")}\n` +
        `Set a key with: pulumi config set --path '${issues[0]?.key}' VALUE`,
    );
    this.issues = issues;
    this.name = "ConfigError";
  }
}

/** Keys whose values are plain text; the others hold numbers, flags, lists or maps and are written as JSON by Pulumi. */
const textKeys = new Set(["namespace", "serviceAccount", "app", "identity"]);

/**
 * Reads a configuration as Pulumi holds it: full keys to texts, structured values as JSON. Keys of other projects and
 * packages are none of its business, but for `aws:region`.
 *
 * @throws ConfigError that names every bad key, what it holds and what it may hold.
 */
export function parseConfig(stack: string, raw: Readonly<Record<string, string>>): StackConfig {
  const issues: ConfigIssue[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (!key.startsWith(`${project}:`)) continue;
    const name = key.slice(project.length + 1);
    values[name] = textKeys.has(name) ? value : structured(value);
  }

  const region = regionSchema.safeParse(raw["aws:region"]);
  if (!region.success) {
    issues.push({ key: "aws:region", holds: raw["aws:region"], problem: `it must be ${regionRule}` });
  }
  const result = configSchema.safeParse(values);
  if (!result.success) {
    for (const issue of result.error.issues) issues.push(...configIssues(issue, values));
  } else if (region.success) {
    const { policies, bindings } = result.data;
    issues.push(...partitionIssues(["policies"], policies, region.data));
    for (const [index, binding] of bindings.entries()) {
      issues.push(...partitionIssues(["bindings", String(index), "policies"], binding.policies, region.data));
    }
  }
  if (issues.length > 0 || !result.success || !region.success) throw new ConfigError(stack, issues);

  const { cluster, createNamespace, ...rest } = result.data;
  const roleIsThere = rest.role !== undefined && "arn" in rest.role;
  return {
    ...rest,
    // The default is for a role that is made; one that is there keeps its own.
    policies: roleIsThere && values.policies === undefined ? [] : rest.policies,
    region: region.data,
    createNamespace: createNamespace ?? !builtInNamespaces.includes(rest.namespace),
    cluster: cluster.existing
      ? cluster
      : { ...cluster, name: cluster.name ?? `${project}-${stack}`, existing: false },
  };
}

/** The configuration of the stack that Pulumi is running. */
export function readConfig(): StackConfig {
  return parseConfig(pulumi.getStack(), pulumi.runtime.allConfig());
}

function structured(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value; // not JSON, so a plain text, which the schema refuses by its own rule
  }
}

function configIssues(issue: z.core.$ZodIssue, values: unknown): ConfigIssue[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = path.length === 0 ? Object.keys(configSchema.shape) : knownKeys(path);
    return issue.keys.map((key) => ({
      key: fullKey([...path, key]),
      holds: valueAt(values, [...path, key]),
      problem: `there is no such key; there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`,
    }));
  }
  // A record reports a bad key as an issue inside the issue.
  const inner = issue.code === "invalid_key" ? issue.issues[0]?.message : undefined;
  const sentence = issue.code === "custom" && issue.params?.sentence === true;
  const problem = inner ?? issue.message;
  return [
    {
      key: fullKey(path),
      holds: valueAt(values, path),
      problem: sentence ? problem : `it must be ${problem}`,
    },
  ];
}

/** The keys that an object inside the configuration may have. */
function knownKeys(path: readonly string[]): string[] {
  let schema: unknown = configSchema.shape[path[0] as keyof typeof configSchema.shape];
  if (path[0] === "cluster") schema = newClusterSchema;
  for (const key of path.slice(1)) schema = /^\d+$/.test(key) ? elementOf(schema) : shapeOf(schema)[key];
  return Object.keys(shapeOf(schema));
}

/** The schema of a list's entries, whatever is wrapped around the list. */
function elementOf(schema: unknown): unknown {
  const definition = (schema as { def?: { innerType?: unknown; in?: unknown; element?: unknown } }).def;
  if (definition?.element) return definition.element;
  return elementOf(definition?.innerType ?? definition?.in);
}

/** The fields of an object schema, whatever defaults and refinements are wrapped around it. */
function shapeOf(schema: unknown): Record<string, unknown> {
  const definition = (
    schema as { def?: { innerType?: unknown; in?: unknown; shape?: Record<string, unknown> } }
  ).def;
  if (definition?.shape) return definition.shape;
  if (definition?.innerType) return shapeOf(definition.innerType);
  if (definition?.in) return shapeOf(definition.in);
  return {};
}

function partitionIssues(
  path: readonly string[],
  policies: readonly PolicyReference[],
  region: string,
): ConfigIssue[] {
  const partition = partitionOfRegion(region);
  return policies.flatMap((policy, index) => {
    const own = partitionOfPolicy(policy);
    if (own === undefined || own === partition) return [];
    const problem = `it must be of the region's partition (arn:${partition}:...), since ${region} is in ${partition}`;
    return [{ key: fullKey([...path, String(index)]), holds: policy, problem }];
  });
}

/** A path in Pulumi's notation: `eks-irsa:policies[0]`. */
function fullKey(path: readonly string[]): string {
  const [first = "", ...rest] = path;
  return rest.reduce(
    (key, part) => (/^\d+$/.test(part) ? `${key}[${part}]` : `${key}.${part}`),
    `${project}:${first}`,
  );
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}

/** A value as an error shows it: on one line, and not pages long. */
function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}

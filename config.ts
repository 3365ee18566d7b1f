import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { partitionOfRegion } from "./components/partition";
import {
  listBuckets,
  PolicyError,
  type PolicyReference,
  partitionOfPolicy,
  resolvePolicies,
} from "./components/policies";
import {
  isNamespaceName,
  isServiceAccountName,
  namespaceNameRule,
  serviceAccountNameRule,
} from "./components/trust-policy";

/** The Pulumi project, whose name is the prefix of the configuration's keys. */
export const project = "eks-irsa";

/** The listers that there are, by the folder below `app/`. */
const apps = ["go"] as const;

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
});

/** An existing cluster is only named; everything else describes one that this stack makes. */
const clusterSchema = z.unknown().transform((value, context) => {
  const existing =
    typeof value === "object" && value !== null && (value as { existing?: unknown }).existing === true;
  const result = (existing ? existingClusterSchema : newClusterSchema).safeParse(value ?? {});
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
  cluster: clusterSchema.prefault({}),
  /** Which lister runs. */
  app: z.enum(apps, apps.length === 1 ? `"${apps[0]}"` : `one of ${apps.join(", ")}`).default("go"),
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
  cluster: { name: string } & (
    | ({ existing: false } & Omit<z.output<typeof newClusterSchema>, "name" | "existing">)
    | { existing: true }
  );
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
  constructor(
    stack: string,
    readonly issues: readonly ConfigIssue[],
  ) {
    const lines = issues.map(({ key, holds, problem }) =>
      holds === undefined ? `  ${key} is not set; ${problem}` : `  ${key} holds ${shown(holds)}; ${problem}`,
    );
    const count = issues.length === 1 ? "1 error" : `${issues.length} errors`;
    super(
      `The configuration of stack ${stack} has ${count}:\n${lines.join("\n")}\n` +
        `Set a key with: pulumi config set --path '${issues[0]?.key}' VALUE`,
    );
    this.name = "ConfigError";
  }
}

/** Keys whose values are plain text; the others hold numbers, flags, lists or maps and are written as JSON by Pulumi. */
const textKeys = new Set(["namespace", "serviceAccount", "app"]);

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
    issues.push(...partitionIssues(result.data.policies, region.data));
  }
  if (issues.length > 0 || !result.success || !region.success) throw new ConfigError(stack, issues);

  const { cluster, createNamespace, ...rest } = result.data;
  const name = cluster.name ?? `${project}-${stack}`;
  return {
    ...rest,
    region: region.data,
    createNamespace: createNamespace ?? !builtInNamespaces.includes(rest.namespace),
    cluster: cluster.existing ? { name, existing: true } : { ...cluster, name, existing: false },
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
  for (const key of path.slice(1)) schema = shapeOf(schema)[key];
  return Object.keys(shapeOf(schema));
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

function partitionIssues(policies: readonly PolicyReference[], region: string): ConfigIssue[] {
  const partition = partitionOfRegion(region);
  return policies.flatMap((policy, index) => {
    const own = partitionOfPolicy(policy);
    if (own === undefined || own === partition) return [];
    const problem = `it must be of the region's partition (arn:${partition}:...), since ${region} is in ${partition}`;
    return [{ key: fullKey(["policies", String(index)]), holds: policy, problem }];
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

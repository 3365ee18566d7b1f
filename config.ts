import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import {
  createOidcProvider,
  newClusterFaults,
  newClusterFields,
  otherAudiencesPerProvider,
  platforms,
  profile,
  roleArn,
  stackName,
  systemOf,
} from "./components/cluster-arguments.ts";
import { irsaFields } from "./components/irsa-arguments.ts";
import { phaseOf } from "./components/irsa-identity.ts";
import { assumeRolePolicyName, irsaRules, placementFaults, policyResource } from "./components/irsa-rules.ts";
import { clusterName, isImageName } from "./iam/names.ts";
import { partitionIn, partitionOfRegion, partitionRule, region } from "./iam/partition.ts";
import { listBuckets, resolvePolicy } from "./iam/policies.ts";
import { tagsFault, tagsSchema } from "./iam/tags.ts";
import { oidcProviderArnLike, oidcProviderArnSchema, stsAudience } from "./iam/trust-policy.ts";
import {
  anyOf,
  asGiven,
  type Fault,
  fail,
  faultsOf,
  flag,
  integer,
  keyOf,
  list,
  map,
  must,
  object,
  oneOf,
  plain,
  sentence,
  text,
  valueAt,
} from "./iam/validation.ts";

/** The Pulumi project, whose name is the prefix of the configuration's keys. */
export const project = "eks-irsa";

/** The folder of the project, which `pulumi up` runs it in. Compiled, as in the npm package, this file is one further down. */
export const home =
  basename(import.meta.dirname) === "dist" ? dirname(import.meta.dirname) : import.meta.dirname;

/** The listers that there are, by the folder below `app/`; `none` for a stack of bindings only. */
const apps = ["go", "java", "none"] as const;

/** Namespaces that every cluster has. */
const builtInNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

const { namespace, serviceAccount, policies, role, quotas, ...access } = irsaFields({
  late: plain,
  readFile: (path) => readFileSync(path, "utf8"), // as withFilesIn names it
});

/** One ServiceAccount and what its pods may do: the words of `IrsaServiceAccount`, but for what the stack knows itself. */
const bindingSchema = object({
  namespace,
  /** Whether the stack makes the namespace. One binding of a namespace says it for all. */
  createNamespace: flag().default(false),
  serviceAccount,
  policies: policies.default([]),
  role,
  quotas,
  ...access,
}).superRefine(irsaRules);

/** One ServiceAccount and what its pods may do. */
export type Binding = z.output<typeof bindingSchema>;

/** A cluster that is there is only named, or found through the stack that made it; everything else describes a new one. */
const clusterSchema = anyOf(
  [
    object({
      name: clusterName,
      existing: z.literal(true, must("true or false")),
      /** Whether this stack makes the cluster's OIDC provider, since nobody has yet. AWS refuses a second one. */
      createOidcProvider,
    }),
    object({ stack: stackName, existing: z.literal(true, must("true, or absent")).default(true) }),
    object({
      name: clusterName.optional(),
      existing: z.literal(false, must("true or false")).optional(),
      ...newClusterFields,
    }),
  ],
  "a map that describes a cluster, or { name, existing: true }, or { stack }",
);

const toolboxRule = "true, false, or the name of an image with a shell, Maven and a JDK";

/**
 * The stack configuration, key by key without the `eks-irsa:` prefix. The program, the Automation API and the tests all
 * read this one schema; defaults are in it.
 */
export const configSchema = object({
  /** Namespace of the workload. */
  namespace: namespace.default("s3-irsa"),
  /** Whether the stack makes the namespace, and deletes it with the rest. Default: true, but for those that every cluster has. */
  createNamespace: flag().optional(),
  /** Name of the ServiceAccount that gets the role. */
  serviceAccount: serviceAccount.default("s3-irsa"),
  /** What the role may do. Default: list the account's buckets, for a role that is made. */
  policies: policies.optional(),
  /** How the role is made. */
  role,
  /** How the lister gets its credentials. */
  identity: access.identity,
  /** The role that it goes on to under EKS Pod Identity, and what its sessions are like. */
  targetRole: access.targetRole,
  session: access.session,
  /** The role that it goes on to under IRSA. */
  chain: access.chain,
  /** Whether the API server refuses its pods without their identity. */
  admission: access.admission,
  /** What AWS allows the account, where that was raised; a binding may say otherwise. */
  quotas,
  /** More ServiceAccounts, each with a role of its own. */
  bindings: z.array(bindingSchema, must("a list of bindings")).default([]),
  cluster: clusterSchema.prefault({}),
  /** More clusters whose ServiceAccounts of the same names the roles admit: the old one, or the new, while one is replaced. */
  otherClusters: list(
    object({ name: clusterName, oidcProviderArn: oidcProviderArnSchema.optional() }),
    "a list of { name, oidcProviderArn }",
    { min: 0 },
  ).default([]),
  /** Which lister runs. */
  app: oneOf(apps).default("go"),
  /** Pods of the lister. */
  replicas: integer(0, 100).default(1),
  /** Seconds between two listings. */
  intervalSeconds: integer(1, 86_400).default(60),
  /** Seconds in which each pod of the lister must have listed the buckets, or `up` fails. */
  progressDeadlineSeconds: integer(10, 3600).default(300),
  /** How the image is built. The platform is that of the nodes, where the stack makes them. */
  build: object({
    args: map(text("text"), "a map of names to texts", "a build argument's name", (key) =>
      /^\w+$/.test(key),
    ).default({}),
    platform: oneOf(platforms).optional(),
    network: text("the name of a network", (value) => value !== "").optional(),
  }).prefault({}),
  /** A pod with Maven under the lister's ServiceAccount, to work in by hand; the image that it runs, or whether to. */
  toolbox: anyOf([z.boolean(), text(toolboxRule, isImageName)], toolboxRule).default(false),
  /** Tags of all AWS resources. */
  tags: tagsSchema(plain).default({}),
}).superRefine((config, context) => {
  irsaRules(config, context);
  distinctResources(config, context);
  fewAudiences(config, context);
  const withLister = config.app !== "none";
  const identities = [...(withLister ? [config] : []), ...config.bindings].map(({ identity }) =>
    phaseOf(identity),
  );
  for (const [index, { oidcProviderArn }] of config.otherClusters.entries()) {
    if (oidcProviderArn === undefined && identities.some(({ webIdentity }) => webIdentity)) {
      fail(context, ["otherClusters", index, "oidcProviderArn"], "IRSA admits a cluster by it");
    }
  }
  const accounts = new Map(
    withLister ? [[`${config.namespace}/${config.serviceAccount}`, "the lister itself"]] : [],
  );
  const names = new Map(withLister ? nameOf(config.role).map((name) => [name, `${project}:role`]) : []);
  for (const [index, { namespace, serviceAccount, role }] of config.bindings.entries()) {
    const key = `${project}:bindings[${index}]`;
    const account = `${namespace}/${serviceAccount}`;
    const other = accounts.get(account);
    if (other !== undefined) {
      fail(
        context,
        ["bindings", index],
        `${other} is for ${account} already; put the policies of both in one`,
      );
    }
    accounts.set(account, other ?? key);
    for (const name of nameOf(role)) {
      const owner = names.get(name);
      if (owner !== undefined) {
        const problem = `${owner}.name is this name already, and IAM does not tell names by their case`;
        fail(context, ["bindings", index, "role", "name"], problem);
      }
      names.set(name, owner ?? `${key}.role`);
    }
  }
  oneAssociationEach(config, accounts, context);
});

/** The name of the lister's component. */
export const listerComponent = "s3-irsa";
/** The name of a binding's: a namespace has no dots, so no two come to one. */
export const componentOf = ({ namespace, serviceAccount }: Binding): string =>
  `${namespace}.${serviceAccount}`;

/** Refuses what the engine would take for one resource, halfway through an `up`: `a.b` with `c-x`, and `a.b-c` with `x`. */
function distinctResources(config: Parsed, context: z.core.$RefinementCtx): void {
  const components = [
    ...(config.app === "none"
      ? []
      : [{ component: listerComponent, path: [] as PropertyKey[], args: config }]),
    ...config.bindings.map((args, index) => ({
      component: componentOf(args),
      path: ["bindings", index],
      args,
    })),
  ];
  const owners = new Map<string, { readonly component: string; readonly key: string }>();
  for (const { component, path, args } of components) {
    // What is managed elsewhere is only named in a list.
    const policies = (args.policies ?? [])
      .filter(({ kind }) => kind === "inline" || kind === "customer-managed")
      .map(({ name, reference = 0 }) => ({ name, place: [...path, "policies", reference] }));
    // By it the role may assume the next one.
    const hops = (["targetRole", "chain"] as const)
      .filter((key) => args[key] !== undefined)
      .map((key) => ({ name: assumeRolePolicyName, place: [...path, key] }));
    for (const { name, place } of [...policies, ...hops]) {
      const resource = policyResource(component, { name });
      const owner = owners.get(resource) ?? { component, key: keyOfProject(place) };
      // Two of one role are refused with the role's policies.
      if (owner.component !== component) {
        const problem = `with its ServiceAccount's name it comes to the resource ${resource}, as ${owner.key} does; give the policy another name`;
        fail(context, place, problem);
      }
      owners.set(resource, owner);
    }
  }
}

/** Refuses a second association of a ServiceAccount, which EKS would: `owners` says whose each is. */
function oneAssociationEach(
  { app, bindings, ...lister }: Parsed,
  owners: ReadonlyMap<string, string>,
  context: z.core.$RefinementCtx,
): void {
  const taken = new Map(owners);
  const roles = [
    ...(app === "none" ? [] : [{ path: [] as PropertyKey[], args: lister }]),
    ...bindings.map((args, index) => ({ path: ["bindings", index], args })),
  ];
  for (const { path, args } of roles) {
    const { otherSubjects = [] } = args as Partial<Binding>;
    if (!phaseOf(args.identity).podIdentity) continue;
    for (const [index, { namespace, serviceAccount }] of otherSubjects.entries()) {
      const account = `${namespace}/${serviceAccount}`;
      const place = [...path, "otherSubjects", index];
      const owner = taken.get(account);
      // Those of one binding are its own to tell apart.
      if (owner !== undefined && !owner.startsWith(keyOfProject(path))) {
        fail(context, place, `${owner} is for ${account} already, and EKS takes one association each`);
      }
      taken.set(account, owner ?? keyOfProject(place));
    }
  }
}

/** What the tokens of these may be for, beside STS. */
export const audiencesOf = (bindings: readonly Binding[]): string[] => [
  ...new Set(bindings.flatMap(({ audience = stsAudience }) => (audience === stsAudience ? [] : [audience]))),
];

function fewAudiences({ cluster, bindings }: Parsed, context: z.core.$RefinementCtx): void {
  const isMadeHere = !cluster.existing || ("createOidcProvider" in cluster && cluster.createOidcProvider);
  const first = audiencesOf(bindings)[otherAudiencesPerProvider];
  if (!isMadeHere || first === undefined) return;
  const index = bindings.findIndex(({ audience }) => audience === first);
  const problem = `the cluster's OIDC provider takes ${otherAudiencesPerProvider} audiences beside ${stsAudience}, and this is one more`;
  fail(context, ["bindings", index, "audience"], problem);
}

/** A role's own name, as IAM tells it from others; none where it is made unique. */
const nameOf = (role: Binding["role"]): string[] =>
  role !== undefined && "name" in role && role.name !== undefined ? [role.name.toLowerCase()] : [];

/** The configuration as a person writes it: every key may be left out. */
export type ConfigInput = z.input<typeof configSchema>;

type Parsed = z.output<typeof configSchema>;
type NewCluster = Exclude<Parsed["cluster"], { existing: true }>;

/** The configuration as the program uses it: complete and checked. */
export interface StackConfig extends Omit<Parsed, "createNamespace" | "policies" | "cluster" | "build"> {
  /** Region of everything, from `aws:region`. */
  region: string;
  /** Whose credentials open the cluster, from `aws:profile` and `aws:assumeRoles`; absent for the caller's own. */
  credentials?: { profile?: string | undefined; roleArn?: string | undefined };
  createNamespace: boolean;
  policies: Binding["policies"];
  build: Parsed["build"] & { platform: (typeof platforms)[number] };
  cluster:
    | Exclude<Parsed["cluster"], NewCluster>
    | ({ name: string; existing: false } & Omit<NewCluster, "name" | "existing">);
}

/** Keys that the provider alone would have: a kubeconfig that held them would be a stored key. */
const noKeys = z
  .undefined(
    "aws eks get-token would not know of it, and the cluster would answer Unauthorized; name a profile in aws:profile, or " +
      "leave it to the environment (AWS_ACCESS_KEY_ID and the like)",
  )
  .optional();

/**
 * What the program takes from the configuration of Pulumi's AWS provider. That reads it too; the kubeconfig has to say the
 * same, since `aws eks get-token` knows nothing of it.
 */
const awsSchema = z.looseObject({
  region,
  accessKey: noKeys,
  secretKey: noKeys,
  token: noKeys,
  profile: profile.optional(),
  /** The provider gives them to all that it makes, beside the stack's own. */
  defaultTags: z.looseObject({ tags: tagsSchema(plain).optional() }, must("a map with tags")).optional(),
  assumeRoles: z
    .array(
      z.looseObject(
        {
          roleArn,
          externalId: z
            .undefined(
              "a kubeconfig cannot say it; name a profile that has role_arn and external_id in aws:profile",
            )
            .optional(),
        },
        must("a map with the roleArn"),
      ),
      must("a list of roles to assume, such as [{ roleArn }]"),
    )
    .max(1, "a kubeconfig has room for one; name a profile that assumes the others in aws:profile")
    .optional(),
});

/** The keys of Pulumi's AWS provider, without their prefix. */
const awsValuesOf = (raw: Readonly<Record<string, string>>) => ({
  region: raw["aws:region"],
  // What they hold is not for a message.
  ...Object.fromEntries(
    ["accessKey", "secretKey", "token"].map((key) => [key, raw[`aws:${key}`] && "[secret]"]),
  ),
  profile: raw["aws:profile"],
  assumeRoles: fromJson(raw["aws:assumeRoles"]),
  defaultTags: fromJson(raw["aws:defaultTags"]),
});

/** What a text holds as JSON, or the text where it is none. */
function fromJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
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

  /** @param correct Where whoever gave it corrects it: a sentence. Default: in the stack's file. */
  constructor(stack: string, issues: readonly ConfigIssue[], correct = correctInFile(stack, issues)) {
    const lines = issues.map((issue) => `  ${sentence(issue.key, issue)}`);
    const count = issues.length === 1 ? "1 error" : `${issues.length} errors`;
    super(`The configuration of stack ${stack} has ${count}:\n${lines.join("\n")}\n${correct}`);
    this.issues = issues;
    this.name = "ConfigError";
  }
}

/** The command that sets a key is named only for a key that there is. */
function correctInFile(stack: string, issues: readonly ConfigIssue[]): string {
  const keys = new Set(Object.keys(configSchema.shape).map((key) => `${project}:${key}`));
  const key = issues.map((issue) => issue.key).find((one) => keys.has(one) || one === "aws:region");
  const command = key && `, or with \`pulumi config set --stack ${stack} ${key} VALUE\``;
  return `Correct it in Pulumi.${stack.split("/").at(-1)}.yaml${command ?? ""}.`;
}

/** Keys whose values are plain text; the others hold numbers, flags, lists or maps and are written as JSON by Pulumi. */
const textKeys = new Set(["namespace", "serviceAccount", "app"]);

/** Where and how a configuration was given. */
export interface Given {
  /** Where the stack's own file is, and the files of policies that it names. Default: the project's. */
  readonly folder?: string;
  /** How whoever gave it corrects it: a sentence. Default: in the stack's file. */
  readonly correct?: string;
}

/**
 * Reads a configuration as Pulumi holds it: full keys to texts, structured values as JSON. Keys of other projects and
 * packages are none of its business, but for some of the AWS provider's.
 *
 * @param given Where and how it was given.
 * @throws ConfigError that names every bad key, what it holds and what it may hold.
 */
export function parseConfig(
  stack: string,
  raw: Readonly<Record<string, string>>,
  { folder = home, correct }: Given = {},
): StackConfig {
  const { values, broken } = valuesOf(raw);
  const awsValues = awsValuesOf(raw);
  const aws = awsSchema.safeParse(awsValues, { reportInput: true });
  const result = configSchema.safeParse(withFilesIn(folder, values), { reportInput: true });
  if (!aws.success || !result.success || broken.length > 0) {
    throw new ConfigError(
      stack,
      [
        ...(aws.success
          ? []
          : faultsOf(aws.error, awsValues).map((fault) => ({ ...fault, key: `aws:${keyOf(fault.path)}` }))),
        ...broken.map(issueOf),
        ...(result.success ? [] : faultsOf(result.error, values).map(issueOf)),
      ],
      correct,
    );
  }
  const config = complete(stack, aws.data, result.data);
  const faults = faultsInPlace(config, aws.data.defaultTags?.tags).map((fault) => asGiven(fault, values));
  const ofAws = assumedElsewhere(aws.data);
  if (ofAws.length + faults.length > 0) {
    throw new ConfigError(stack, [...ofAws, ...faults.map(issueOf)], correct);
  }
  return config;
}

/** The same values, with the files of policies named from the root. Whatever is no such list stays for its rule. */
function withFilesIn(folder: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const located = (holder: unknown): unknown => {
    const policies = valueAt(holder, ["policies"]);
    if (!Array.isArray(policies)) return holder;
    const inFolder = policies.map((policy: unknown) => {
      const file = valueAt(policy, ["file"]);
      return typeof file === "string" ? { ...(policy as object), file: resolve(folder, file) } : policy;
    });
    return { ...(holder as object), policies: inFolder };
  };
  const { bindings } = values;
  return {
    ...(located(values) as object),
    ...(Array.isArray(bindings) && { bindings: bindings.map(located) }),
  };
}

/** Roles of `aws:assumeRoles` that are in another partition than the region. */
const assumedElsewhere = ({ region, assumeRoles = [] }: z.output<typeof awsSchema>): ConfigIssue[] =>
  assumeRoles.flatMap(({ roleArn }, index) => {
    const partition = partitionOfRegion(region);
    if (partitionIn(roleArn) === partition) return [];
    const key = `aws:assumeRoles[${index}].roleArn`;
    return [{ key, holds: roleArn, problem: partitionRule(partition, region) }];
  });

const keyOfProject = (path: readonly PropertyKey[]): string => `${project}:${keyOf(path)}`;

const issueOf = ({ path, holds, problem }: Fault): ConfigIssue => ({
  key: keyOfProject(path),
  holds,
  problem,
});

const nameOfRole = (args: Pick<Binding, "namespace" | "serviceAccount">): string =>
  `the role of ${args.namespace}/${args.serviceAccount}`;

/** For the cluster of another stack. */
const shortestClusterName = "x";

/** What is wrong with a configuration in its region and its account. */
function faultsInPlace(config: StackConfig, defaultTags: Readonly<Record<string, string>> = {}): Fault[] {
  const { region } = config;
  const { cluster, otherClusters } = config;
  const placement = {
    region,
    partition: partitionOfRegion(region),
    oidcProviderArns: [
      oidcProviderArnLike(region),
      ...otherClusters.flatMap(({ oidcProviderArn }) => oidcProviderArn ?? []),
    ],
    clusterNames: [
      "name" in cluster ? cluster.name : shortestClusterName,
      ...otherClusters.map(({ name }) => name),
    ],
  };
  const roles = [
    // Without a lister there is no role of the stack's own.
    ...(config.app === "none" ? [] : [{ path: [], args: config }]),
    ...config.bindings.map((args, index) => ({ path: ["bindings", index], args })),
  ];
  const ofCluster = cluster.existing ? [] : newClusterFaults(cluster, region);
  const ofRoles = roles.flatMap(({ path, args }) => {
    const tags = tagsFault({ ...defaultTags, ...args.tags });
    const others = [
      ...(path.length > 0 ? [`${project}:tags`] : []),
      ...(Object.keys(defaultTags).length > 0 ? ["aws:defaultTags"] : []),
    ];
    const ofTags = tags && {
      path: tags.key === undefined ? ["tags"] : ["tags", tags.key],
      holds: args.tags,
      problem: [others.length > 0 ? `with ${others.join(" and ")}` : "", tags.problem]
        .filter(Boolean)
        .join(", "),
    };
    return [...placementFaults(args, placement), ...(ofTags ? [ofTags] : [])].map((fault) =>
      // The component's word for what the configuration has a key of its own for.
      fault.path[0] === "oidcProviderArn"
        ? {
            path: ["otherClusters"],
            holds: otherClusters,
            problem: `for ${nameOfRole(args)}, ${fault.problem}`,
          }
        : { ...fault, path: [...path, ...fault.path] },
    );
  });
  return [...ofCluster.map((fault) => ({ ...fault, path: ["cluster", ...fault.path] })), ...ofRoles];
}

/**
 * The configuration of the stack that Pulumi is running.
 *
 * @param folder Where the stack's own file is. Default: where the engine found the project, which is the package's own folder or that
 *   of whoever runs the program out of the package.
 */
export function readConfig(folder: string = projectFolder()): StackConfig {
  return parseConfig(pulumi.getStack(), pulumi.runtime.allConfig(), { folder });
}

/** Only an engine that starts a process for the program says it. */
function projectFolder(): string {
  const root = pulumi.getRootDirectory();
  return existsSync(join(root, "Pulumi.yaml")) ? root : home;
}

/** What this project's keys hold, and which hold what should be JSON and is none. */
function valuesOf(raw: Readonly<Record<string, string>>) {
  const values: Record<string, unknown> = {};
  const broken: Fault[] = [];
  for (const [key, held] of Object.entries(raw)) {
    if (!key.startsWith(`${project}:`)) continue;
    const name = key.slice(project.length + 1);
    try {
      values[name] = textKeys.has(name) ? held : JSON.parse(held);
    } catch (error) {
      // What is no list and no map may be meant as text: that its key's own rule judges.
      if (!/^\s*[[{]/.test(held)) values[name] = held;
      else broken.push({ path: [name], holds: held, problem: `it is no JSON: ${(error as Error).message}` });
    }
  }
  return { values, broken };
}

/** Fills in what depends on more than a key, and gives each binding what the stack says for all. */
function complete(stack: string, aws: z.output<typeof awsSchema>, config: Parsed): StackConfig {
  const { region, profile, assumeRoles: [role] = [] } = aws;
  const { cluster, createNamespace, bindings, build, policies, quotas, tags, ...rest } = config;
  const roleIsThere = rest.role !== undefined && "arn" in rest.role;
  const { platform } = systemOf(
    "nodes" in cluster && cluster.nodes !== "auto" ? cluster.nodes.instanceTypes : [],
  );
  return {
    ...rest,
    region,
    ...((profile ?? role) !== undefined && { credentials: { profile, roleArn: role?.roleArn } }),
    quotas,
    tags,
    createNamespace: createNamespace ?? !builtInNamespaces.includes(rest.namespace),
    // A role that is there keeps its own. Managed, so that an `up` which takes it away does so before it proves the pod.
    policies: policies ?? (roleIsThere ? [] : [resolvePolicy({ ...listBuckets, attach: "managed" })]),
    bindings: bindings.map((binding) => ({
      ...binding,
      quotas: { ...quotas, ...binding.quotas },
      tags: { ...tags, ...binding.tags },
    })),
    build: { ...build, platform: build.platform ?? platform },
    cluster: cluster.existing
      ? cluster
      : { ...cluster, name: cluster.name ?? clusterNameFor(stack), existing: false },
  };
}

/** A stack's name may hold what a cluster's may not. */
const clusterNameFor = (stack: string): string => `${project}-${stack.replace(/[^\w-]/g, "-")}`.slice(0, 100);

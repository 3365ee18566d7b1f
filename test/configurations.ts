import { expect } from "chai";
import fc from "fast-check";
import { ConfigError, parseConfig, type StackConfig } from "../config.ts";
import { partitionOfRegion } from "../iam/partition.ts";
import { oidcProviderArnLike } from "../iam/trust-policy.ts";
import program from "../index.ts";
import { botocoreModels } from "../local/aws/models.ts";
import { venv } from "../local/machine/paths.ts";
import { awsJudge, type Judge, nameGiven } from "./aws-judge.ts";
import { botocoreHome } from "./local/aws/boxes.ts";
import { type Registered, setMocks, settled } from "./mocks.ts";

// Stack configurations by the thousand: right ones, and right ones of which something was made hostile.

/** The region that the examples' ARNs are of. */
const home = "eu-central-1";

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,12}[a-z0-9])?$/);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model);
const oneOrMore = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));

const statement = record({
  Effect: fc.constantFrom("Allow", "Deny"),
  Action: oneOrMore(fc.constantFrom("s3:GetObject", "s3:List*", "sqs:SendMessage")),
  Resource: oneOrMore(
    fc.constantFrom("*", "arn:aws:s3:::bucket/*", "arn:aws:sqs:eu-central-1:111122223333:q"),
  ),
  Condition: optional(
    fc.constantFrom(
      { Bool: { "aws:SecureTransport": true } },
      { "ForAnyValue:StringLike": { "aws:TagKeys": ["a", "b*"] } },
      { NumericLessThan: { "s3:max-keys": 10 }, Null: { "aws:PrincipalTag/team": "false" } },
    ),
  ),
});
const document = record({
  Version: optional(fc.constantFrom("2012-10-17", "2008-10-17")),
  Statement: fc.oneof(statement, fc.array(statement, { minLength: 1, maxLength: 3 })),
});
/** A role has each policy once, by its name. */
const policyName = (policy: string | { name?: string; arn?: string; bundle?: string }): string =>
  typeof policy === "string"
    ? policy.replace(/^.*\//, "")
    : (policy.name ?? policy.bundle ?? String(policy.arn).replace(/^.*\//, ""));
const roleArn = "arn:aws:iam::222233334444:role/next";
const policyArn = name.map((one) => `arn:aws:iam::111122223333:policy/${one}`);
const kmsKeys = fc.constant([`arn:aws:kms:${home}:111122223333:key/0a1b`]);
const zones = fc.array(fc.stringMatching(/^Z[A-Z0-9]{1,31}$/), { minLength: 1, maxLength: 3 });
const buckets = fc.array(
  name.map((one) => `bucket-${one}`),
  { minLength: 1, maxLength: 3 },
);
const queue = fc.constant(`arn:aws:sqs:${home}:111122223333:nodes`);
const flag = optional(fc.boolean());
const ofBundle = <T extends object>(bundle: string, model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record({ bundle: fc.constant(bundle), ...model } as Record<
    string,
    fc.Arbitrary<unknown>
  >) as fc.Arbitrary<{ bundle: string } & Record<string, unknown>>;
const attach = optional(fc.constantFrom("inline", "managed"));
/** Each bundle, with what it may be told. */
const bundle = fc.oneof(
  ofBundle("ebs-csi", { scope: optional(fc.constantFrom("driver", "account")), kmsKeys: optional(kmsKeys) }),
  ofBundle("ebs-csi", { scope: fc.constant("cluster"), cluster: name, attach }),
  ofBundle("efs-csi", { pods: optional(fc.constant("controller")), s3Files: flag }),
  ofBundle("vpc-cni", { ipv6: fc.constant(true), networkPolicyLogs: flag, attach }),
  ofBundle("load-balancer-controller", {
    cluster: optional(name),
    vpc: optional(fc.constant("vpc-0a1b2c3d4e5f60718")),
    globalAccelerator: flag,
    certificateZones: optional(zones),
    attach,
  }),
  ofBundle("target-group-binding", {
    targetGroups: fc.constant([`arn:aws:elasticloadbalancing:${home}:111122223333:targetgroup/example/0a`]),
    securityGroupRules: flag,
    attach,
  }),
  ofBundle("gateway-api-controller", { accessLogs: flag, attach }),
  ofBundle("external-dns", { hostedZones: zones, attach }),
  ofBundle("cert-manager", { hostedZones: zones, attach }),
  ofBundle("cluster-autoscaler", { cluster: name, attach }),
  ofBundle("karpenter", {
    cluster: name,
    nodeRole: fc.constant("arn:aws:iam::111122223333:role/nodes"),
    interruptionQueue: optional(queue),
    region: fc.constant(home),
    attach,
  }),
  ofBundle("node-termination-handler", { queues: queue.map((one) => [one]), heartbeats: flag, attach }),
  ofBundle("external-secrets", {
    secrets: fc.constantFrom(
      ["app/db", "team-a/*"],
      [`arn:aws:secretsmanager:${home}:111122223333:secret:a-*`],
    ),
    parameters: optional(fc.constantFrom(["/team-a/*"], [`arn:aws:ssm:${home}:111122223333:parameter/a`])),
    find: flag,
    push: flag,
    kmsKeys: optional(kmsKeys),
    attach,
  }),
  ofBundle("s3-csi", { buckets, prefixes: optional(fc.constant(["team-a/"])), readOnly: flag, attach }),
  ofBundle("fsx-lustre-csi", { buckets: optional(buckets) }),
  ofBundle("fsx-openzfs-csi", { snapshots: flag, attach }),
  ofBundle("velero", { buckets, snapshots: flag, kmsKeys: optional(kmsKeys), attach }),
  ofBundle("prometheus", {
    workspaces: fc.constant([`arn:aws:aps:${home}:111122223333:workspace/ws-0a`]),
    access: optional(fc.constantFrom("write", "query")),
    attach,
  }),
  ofBundle("cloudwatch-observability", { traces: flag }),
);
const policies = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(
      "AmazonS3ReadOnlyAccess",
      "AmazonSQSReadOnlyAccess",
      "service-role/AmazonECSTaskExecutionRolePolicy",
    ),
    policyArn,
    policyArn.map((arn) => ({ arn })),
    fc.tuple(name, document, fc.boolean(), attach).map(([name, document, asText, attach]) => ({
      name: `document-${name}`,
      document: asText ? JSON.stringify(document) : document,
      attach,
    })),
    name.map((one) => ({ name: `file-${one}`, file: "test/policy.json" })),
    bundle,
  ),
  { maxLength: 3, selector: policyName },
);
const role = fc.oneof(
  record({
    name: optional(name.map((one) => `Role-${one}`)),
    path: optional(name.map((one) => `/${one}/`)),
    maxSessionDuration: optional(fc.integer({ min: 3600, max: 43_200 })),
    permissionsBoundary: optional(policyArn),
  }),
  record({ namePrefix: name.map((one) => `${one}-`), description: optional(fc.constant("a r\u00f4le")) }),
);
/** A role that is there, with the little that may stand beside it. */
const roleThere = name.map((one) => ({ arn: `arn:aws:iam::111122223333:role/${one}` }));
const nodes = fc
  .tuple(
    fc.nat(5),
    fc.nat(5),
    fc.nat(5),
    fc.constantFrom(["t3.medium"], ["m6i.large", "m6a.large"], ["t4g.medium"]),
  )
  .map(([one, two, three, instanceTypes]) => {
    const [min = 0, desired = 0, max = 0] = [one, two, three].sort((a, b) => a - b);
    return { min, desired, max: Math.max(max, 1), instanceTypes };
  });
const newCluster = record({
  name: optional(name),
  version: optional(fc.constantFrom("1.34", "1.35")),
  nodes: optional(nodes),
  addons: optional(fc.constantFrom({}, { "vpc-cni": "v1.20.4-eksbuild.1" })),
  upgradePolicy: optional(fc.constantFrom("STANDARD", "EXTENDED")),
  admins: optional(fc.constant(["arn:aws:iam::111122223333:role/ci"])),
  deletionProtection: flag,
  logs: optional(
    record({ types: fc.subarray(["api", "audit"]), retentionDays: fc.constantFrom(1, 30, 3653) }),
  ),
  endpoint: optional(
    fc.oneof(
      record({
        public: fc.boolean(),
        private: fc.constant(true),
        privateCidrs: optional(fc.constant(["10.0.0.0/8"])),
      }),
      record({ allowedCidrs: fc.constant(["203.0.113.0/24", "0.0.0.0/0"]) }),
    ),
  ),
  network: optional(
    fc.constant({ vpcId: "vpc-0a", publicSubnetIds: ["subnet-0a"], privateSubnetIds: ["subnet-0b"] }),
  ),
});
const cluster = fc.oneof(
  newCluster,
  // EKS brings the add-ons then.
  newCluster.map((one) => ({ ...one, nodes: "auto", addons: undefined })),
  record({ name, existing: fc.constant(true as const), createOidcProvider: optional(fc.boolean()) }),
  record({ stack: name.map((one) => `org/project/${one}`) }),
);
const nameOrPattern = fc.oneof(
  name,
  name.map((one) => ({ matching: `${one}*` })),
);
const tags = fc.dictionary(name, name, { maxKeys: 5 });
/** What a binding may say besides, whatever its role and its way to credentials. */
const common = {
  namespace: name,
  serviceAccount: name,
  createNamespace: flag,
  tags: optional(tags),
};
const subjects = fc.array(record({ namespace: nameOrPattern, serviceAccount: nameOrPattern }), {
  maxLength: 2,
});
/** No binding's namespace is called so. */
const namedSubjects = fc.uniqueArray(
  record({ namespace: name.map((one) => `other-${one}x`), serviceAccount: name }),
  { maxLength: 2, selector: ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}` },
);
const ofServiceAccount = {
  labels: optional(fc.dictionary(name, name)),
  annotations: optional(fc.dictionary(name, fc.string())),
};
const ofToken = {
  tokenExpirationSeconds: optional(fc.integer({ min: 600, max: 86_400 })),
  stsRegionalEndpoints: flag,
};
const ofRole = {
  policies: optional(policies),
  role: optional(role),
};
const admission = optional(fc.constantFrom("open", "enforced"));
const chain = optional(fc.constantFrom({ role: roleArn }, { role: roleArn, externalId: "ab" }));
const quotas = fc.constantFrom({}, { managedPoliciesPerRole: 25 }, { trustPolicyCharacters: 4096 });
const binding: fc.Arbitrary<{ namespace: string; serviceAccount: string }> = fc.oneof(
  fc.record({
    ...common,
    ...ofServiceAccount,
    ...ofToken,
    ...ofRole,
    identity: optional(fc.constantFrom("irsa", { mechanism: "irsa", migrating: false })),
    otherSubjects: optional(subjects),
    audience: optional(fc.constantFrom("sts.amazonaws.com", "vault")),
    automountToken: flag,
    chain,
    admission,
  }),
  fc.record({ ...common, ...ofRole, otherSubjects: optional(subjects), roleOnly: fc.constant(true), chain }),
  fc.record({
    ...common,
    ...ofServiceAccount,
    ...ofRole,
    identity: fc.constantFrom(
      "pod-identity",
      { mechanism: "pod-identity", migrating: true },
      { mechanism: "irsa", migrating: true },
    ),
    otherSubjects: optional(namedSubjects),
    targetRole: optional(fc.constant({ arn: roleArn })),
    session: optional(
      record({
        disableTags: fc.constant(true),
        policy: optional(fc.constant({ Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } })),
      }),
    ),
    adopt: flag,
    quotas: optional(quotas),
    admission,
  }),
  fc.record({ ...common, ...ofServiceAccount, ...ofToken, role: roleThere, adopt: flag }),
);
const bindings = fc.uniqueArray(binding, {
  maxLength: 3,
  selector: ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
});
/** IAM does not take two roles of one name. */
const distinct = ({ role, bindings = [] }: Configuration): boolean => {
  const names = [role, ...bindings.map((one) => one.role)].flatMap((one) => one?.name?.toLowerCase() ?? []);
  return new Set(names).size === names.length;
};
interface Configuration {
  readonly role?: { readonly name?: string };
  readonly bindings?: readonly Pick<Configuration, "role">[];
}

/** Right ones. */
export const valid = fc
  .record(
    {
      // No binding's names are so long.
      namespace: name.map((one) => `lister-namespace-${one}`),
      serviceAccount: name,
      createNamespace: fc.boolean(),
      policies,
      role,
      bindings,
      cluster,
      otherClusters: fc.constantFrom(
        [],
        [{ name: "old", oidcProviderArn: oidcProviderArnLike(home).replace(/.$/, "1") }],
      ),
      quotas,
      app: fc.constantFrom("go", "java", "none"),
      replicas: fc.integer({ min: 0, max: 100 }),
      intervalSeconds: fc.integer({ min: 1, max: 86_400 }),
      toolbox: fc.oneof(fc.boolean(), fc.constant("maven:3.9")),
      build: record({
        platform: optional(fc.constantFrom("linux/amd64", "linux/arm64")),
        args: fc.dictionary(fc.constantFrom("A", "B"), name),
      }),
      tags,
    },
    { requiredKeys: [] },
  )
  .filter((config) => distinct(config as Configuration)) as fc.Arbitrary<Record<string, unknown>>;

/** Values that are right in some places, at some edge, or nowhere. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, "", "*", 0, -1, [], {}, true, false, "AWS:x"),
  fc.stringMatching(/^[\x20-\x7e]{0,80}$/),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    "arn:aws:s3:b",
    "arn:aws:s3:*",
    "arn:aws:s3:::b\u00fccher/\u017e",
    "arn:aws:iam::111122223333:role/r",
    "arn:aws-cn:iam::111122223333:policy/p",
    "t4g.medium",
    "10.1.0.0/15",
    "0010.0.0.0/8",
  ),
  record({ name, arn: policyArn }),
  record({ matching: name }),
  fc.array(record({ namespace: nameOrPattern, serviceAccount: nameOrPattern }), {
    minLength: 8,
    maxLength: 45,
  }),
  fc.array(policyArn, { minLength: 8, maxLength: 28 }),
  bundle,
  document,
  fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 4 }),
);

/** What people, editors and other tools make of a text. */
const textEdits: readonly ((text: string) => string)[] = [
  (text) => `\u201c${text}\u201d`,
  (text) => `${text} \u2013 x`,
  (text) => `${text}\u017e`,
  (text) => `${text}\u00e9`,
  (text) => `${text}\u00a0`,
  (text) => `${text}\u200b`,
  (text) => `${text}\u{1f600}`,
  (text) => `${text}\u007f`,
  (text) => `${text}\u0000`,
  (text) => `${text}\t`,
  (text) => `${text}\n`,
  (text) => ` ${text}`,
  (text) => `${text} `,
  (text) => text.replace(/.(?=.)/, "$& "),
  (text) => `${text}*`,
  (text) => `${text}"`,
  (text) => `${text}\\`,
  (text) => `${text}:`,
  (text) => `${text}/`,
  (text) => `/${text}`,
  (text) => `${text}.`,
  (text) => `-${text}`,
  (text) => `${text}\${aws:username}`,
  (text) => `aws:${text}`,
  (text) => text.toUpperCase(),
  (text) => text.slice(1),
  (text) => text.slice(0, -1),
  (text) => text.replace("arn:aws", "arn:aws-cn"),
  (text) => text.replace("aws", "*"),
  ...[37, 38, 39, 63, 64, 65, 100, 101, 127, 128, 129, 253, 254, 255, 256, 257, 512, 513].map(
    (length) => (text: string) => text.padEnd(length, "a"),
  ),
  ...[1000, 1001, 2048, 2049, 6200, 10_300].map((length) => (text: string) => text.padEnd(length, "/a")),
];

/** What becomes of a value whose kind stays. */
function edited(value: unknown, how: number): unknown {
  const pick = <T>(edits: readonly T[]): T => edits[how % edits.length] as T;
  if (typeof value === "string") return pick(textEdits)(value);
  if (typeof value === "number") return pick([value + 1, value - 1, -value, 0, value + 0.5, 1e9, `${value}`]);
  if (typeof value === "boolean") return pick([!value, `${value}`]);
  if (Array.isArray(value)) {
    const many = (count: number) => Array.from({ length: count }, (_, index) => another(value[0], index));
    return pick([
      [...value, ...value],
      [],
      value[0],
      many(11),
      many(21),
      many(26),
      many(41),
      many(51),
      many(101),
    ]);
  }
  if (typeof value !== "object" || value === null) return "x";
  const entries = Object.entries(value);
  const [key = "x", first] = entries[how % Math.max(entries.length, 1)] ?? [];
  const renamed = pick(textEdits)(key);
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`${key}${index}`, first ?? "x"]));
  return pick<unknown>([
    { ...value, [renamed]: first },
    Object.fromEntries(entries.filter(([one]) => one !== key)),
    { ...value, [key.toUpperCase()]: first },
    {},
    [value],
    many,
    { ...value, [key]: undefined },
  ]);
}

/** One more of a list's kind, of another name. */
function another(value: unknown, index: number): unknown {
  if (typeof value === "string") return `${value}${index}`;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      ["name", "serviceAccount"].includes(key) && typeof one === "string" ? `${one}${index}` : one,
    ]),
  );
}

/** The places of a configuration, each as a path. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]))
      : [];
  return path.length === 0 ? inner : [path, ...inner];
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);

const replaced = (value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown => {
  if (key === undefined) return other;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, other);
  return copy;
};

/** Keys that a map of the configuration, of a policy or of a role may have. */
const moreKeys = [
  ...["name", "description", "audience", "adopt", "roleOnly", "identity", "quotas", "tags", "labels"],
  ...["targetRole", "session", "chain", "admission", "annotations", "attach", "arn", "namePrefix"],
  ...["Sid", "Id", "NotAction", "NotResource", "Condition"],
];

const change = fc.tuple(
  fc.nat(),
  fc.oneof(
    { weight: 3, arbitrary: fc.nat().map((how) => (value: unknown) => edited(value, how)) },
    odd.map((other) => () => other),
  ),
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constantFrom(...moreKeys)),
);

/** Right ones of which something was changed, or added: many are right still. */
const almostValid: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(valid, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([config, changes]) =>
    changes.reduce<Record<string, unknown>>((changed, [where, made, more]) => {
      const all = places(changed);
      const path = all[where % Math.max(all.length, 1)] ?? ["policies"];
      const there = more === undefined ? path : [...path.slice(0, -1), more];
      return replaced(changed, there, made(at(changed, there))) as Record<string, unknown>;
    }, config),
  );

const regions = fc.oneof(
  { weight: 5, arbitrary: fc.constant(home) },
  fc.constantFrom("us-gov-west-1", "cn-north-1", "eusc-de-east-1"),
);

/** What the configuration of the stack and of Pulumi's AWS provider may be, as Pulumi holds it. */
const anyConfiguration: fc.Arbitrary<Record<string, string>> = fc
  .tuple(fc.oneof(valid, { weight: 3, arbitrary: almostValid }), regions)
  .map(([config, region]) => held(config, region));

/** A configuration as Pulumi holds it. In another partition, the ARNs of the example are of that one. */
export function held(config: Readonly<Record<string, unknown>>, region = home): Record<string, string> {
  const there = (text: string): string =>
    text.replaceAll("arn:aws:", `arn:${partitionOfRegion(region)}:`).replaceAll(home, region);
  return {
    "aws:region": region,
    ...Object.fromEntries(
      Object.entries(config)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [
          `eks-irsa:${key}`,
          there(typeof value === "string" ? value : JSON.stringify(value)),
        ]),
    ),
  };
}

/** Runs the program under mocks, on whatever cluster it is told, in whatever region. */
export async function registeredBy(config: Record<string, string>): Promise<Registered[]> {
  const region = config["aws:region"] ?? "";
  const oidcProviderArn = oidcProviderArnLike(region);
  const issuer = `https://${oidcProviderArn.replace(/^.*oidc-provider\//, "")}`;
  const account = `arn:${partitionOfRegion(region)}:iam::111122223333`;
  const registered = await setMocks({
    config,
    calls: {
      "aws:eks/getCluster:getCluster": () => ({
        name: "c",
        endpoint: "https://example.com",
        vpcConfig: { endpointPublicAccess: true },
        certificateAuthorities: [{ data: "Q0E=" }],
        identities: [{ oidcs: [{ issuer }] }],
      }),
      "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
      "aws:eks/getAddon:getAddon": ({ addonName }) => ({ addonName }),
    },
    outputs: {
      "aws:iam/openIdConnectProvider:OpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
      "aws:iam/role:Role": (name, inputs) => ({
        arn: `${account}:role/${nameGiven(name, inputs)}`,
        name: nameGiven(name, inputs),
      }),
      "aws:iam/policy:Policy": (name, inputs) => ({ arn: `${account}:policy/${nameGiven(name, inputs)}` }),
      "pulumi:pulumi:StackReference": () => ({
        outputs: { clusterName: "c", kubeconfig: '{"kind":"Config"}', oidcProviderArn },
      }),
    },
  });
  await program();
  return settled(registered);
}

/** The judge, by the models of local's Python or of the machine's; undefined where neither has them. */
export async function findJudge(): Promise<Judge | undefined> {
  for (const place of [venv, botocoreHome()]) {
    const judge = place && (await awsJudge(botocoreModels(place)));
    if (judge) return judge;
  }
  return undefined;
}

/**
 * Tries so many configurations that are taken, and beside them those that are not. A failure names the smallest one that
 * fails too, and the seed that finds it again.
 */
export async function tryConfigurations(
  judge: Judge,
  { taken, seed }: { readonly taken: number; readonly seed: number },
): Promise<{ readonly taken: number; readonly refused: number }> {
  const { stackTraceLimit } = Error;
  // Pulumi notes where each promise was made, which is most of what a run takes.
  Error.stackTraceLimit = 0;
  let refused = 0;
  try {
    await fc.assert(
      fc.asyncProperty(anyConfiguration, async (raw) => {
        if (await holds(raw, judge)) return;
        refused += 1;
        fc.pre(false);
      }),
      { numRuns: taken, seed, maxSkipsPerRun: 1000 },
    );
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return { taken, refused };
}

/**
 * That a configuration is refused by its keys, or taken; and that the program then registers it, and AWS takes all that comes
 * of that. Gives whether it was taken.
 */
async function holds(raw: Record<string, string>, judge: Judge): Promise<boolean> {
  let config: StackConfig;
  try {
    config = parseConfig("test", raw);
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigError);
    for (const { key, problem } of (error as ConfigError).issues) {
      expect(key).to.match(/^(eks-irsa|aws):./);
      // In words of ours, and not of the library's.
      expect(problem).to.not.match(/^$|^(Invalid|Too|Expected|Unrecognized) /);
    }
    return false;
  }
  const quotas = new Map(
    config.bindings.map(({ namespace, serviceAccount, quotas }): [string, StackConfig["quotas"]] => [
      `${namespace}.${serviceAccount}`,
      quotas,
    ]),
  );
  const refused = judge(await registeredBy(raw), (component) => {
    const { managedPoliciesPerRole = 10, trustPolicyCharacters = 2048 } =
      quotas.get(component) ?? config.quotas;
    return { policies: managedPoliciesPerRole, trust: trustPolicyCharacters };
  });
  expect(refused).to.deep.equal([]);
  return true;
}

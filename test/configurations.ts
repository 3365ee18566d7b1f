import { validateIdentityPolicy, validateTrustPolicy } from "@cloud-copilot/iam-policy";
import fc from "fast-check";
import program from "../index.ts";
import { oidcProviderArn, type Registered, setMocks, settled } from "./mocks.ts";

// Stack configurations by the thousand, and what AWS would say to what comes of them.

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
const policies = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(
      "AmazonS3ReadOnlyAccess",
      "AmazonSQSReadOnlyAccess",
      "service-role/AmazonEBSCSIDriverPolicy",
    ),
    policyArn,
    policyArn.map((arn) => ({ arn })),
    fc
      .tuple(name, document, fc.boolean(), optional(fc.constantFrom("inline", "managed")))
      .map(([name, document, asText, attach]) => ({
        name: `document-${name}`,
        document: asText ? JSON.stringify(document) : document,
        attach,
      })),
    fc.constantFrom({ bundle: "efs-csi" }, { bundle: "external-dns", hostedZones: ["Z2FDTNDATAQYW2"] }),
  ),
  { maxLength: 4, selector: policyName },
);
const role = fc.oneof(
  record({
    path: optional(name.map((one) => `/${one}/`)),
    maxSessionDuration: optional(fc.integer({ min: 3600, max: 43_200 })),
    permissionsBoundary: optional(policyArn),
  }),
  record({ namePrefix: name.map((one) => `${one}-`), description: optional(fc.constant("a r\u00f4le")) }),
);
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
  nodes: optional(fc.oneof({ weight: 4, arbitrary: nodes }, fc.constant("auto"))),
  upgradePolicy: optional(fc.constantFrom("STANDARD", "EXTENDED")),
  admins: optional(fc.constant(["arn:aws:iam::111122223333:role/ci"])),
  deletionProtection: optional(fc.boolean()),
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
  record({ name, existing: fc.constant(true as const), createOidcProvider: optional(fc.boolean()) }),
  record({ stack: name.map((one) => `org/project/${one}`) }),
);
const nameOrPattern = fc.oneof(
  name,
  name.map((one) => ({ matching: `${one}*` })),
);
const tags = fc.dictionary(name, name, { maxKeys: 5 });
const binding = record({
  namespace: name,
  serviceAccount: name,
  createNamespace: optional(fc.boolean()),
  policies: optional(policies),
  role: optional(role),
  identity: optional(fc.constantFrom("irsa", { mechanism: "irsa" as const, migrating: false })),
  chain: optional(fc.constantFrom({ role: roleArn }, { role: roleArn, externalId: "a" })),
  admission: optional(fc.constantFrom("open", "enforced")),
  otherSubjects: optional(
    fc.array(record({ namespace: nameOrPattern, serviceAccount: nameOrPattern }), { maxLength: 6 }),
  ),
  roleOnly: optional(fc.boolean()),
  labels: optional(fc.dictionary(name, name)),
  annotations: optional(fc.dictionary(name, fc.string())),
  tags: optional(tags),
  tokenExpirationSeconds: optional(fc.integer({ min: 600, max: 86_400 })),
});
/** What only EKS Pod Identity has; under it, other subjects have names. */
const podIdentityBinding = fc
  .tuple(
    binding,
    record({
      identity: fc.constantFrom(
        "pod-identity",
        { mechanism: "pod-identity" as const, migrating: true },
        { mechanism: "irsa" as const, migrating: true },
      ),
      targetRole: optional(fc.constant({ arn: roleArn })),
      session: optional(
        record({
          disableTags: fc.constant(true as const),
          policy: optional(fc.constant({ Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } })),
        }),
      ),
      otherSubjects: optional(
        fc.uniqueArray(record({ namespace: name.map((one) => `other-${one}x`), serviceAccount: name }), {
          maxLength: 3,
          selector: ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
        }),
      ),
    }),
  )
  .map(([binding, more]) => ({ ...binding, ...more, chain: undefined }));
const bindings = fc.uniqueArray(fc.oneof({ weight: 2, arbitrary: binding }, podIdentityBinding), {
  maxLength: 3,
  selector: ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`,
});

/** Right ones. */
export const valid = fc.record(
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
      [{ name: "old", oidcProviderArn: oidcProviderArn.replace(/.$/, "0") }],
    ),
    quotas: fc.constantFrom({}, { managedPoliciesPerRole: 25 }, { trustPolicyCharacters: 4096 }),
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
) as fc.Arbitrary<Record<string, unknown>>;

/** Values that are right in some places, at some edge, or nowhere. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "*",
    0,
    -1,
    [],
    {},
    true,
    "a".repeat(300),
    "\u201cquoted\u201d",
    "AWS:x",
  ),
  fc.stringMatching(/^[\x20-\x7e]{0,80}$/),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
  policyArn.map((arn) => arn.replace("aws:", "aws-cn:")),
  fc.constantFrom(
    "arn:aws:s3:b",
    "arn:aws:s3:*",
    "arn:aws:iam::111122223333:role/r",
    "t4g.medium",
    "10.1.0.0/15",
  ),
  record({ name, arn: policyArn }),
  record({ matching: name }),
  fc.array(record({ namespace: nameOrPattern, serviceAccount: nameOrPattern }), {
    minLength: 8,
    maxLength: 45,
  }),
  fc.array(policyArn, { minLength: 8, maxLength: 28 }),
  fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 4 }),
);

/** The places of a configuration, each as a path. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const inner =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]))
      : [];
  return path.length === 0 ? inner : [path, ...inner];
}

const replaced = (value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown => {
  if (key === undefined) return other;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, other);
  return copy;
};

const moreKeys = [
  "name",
  "description",
  "audience",
  "adopt",
  "roleOnly",
  "identity",
  "quotas",
  "targetRole",
  "session",
  "chain",
  "admission",
  "tags",
  "Sid",
];

/** Right ones of which something was replaced, or added: some are right still. */
export const almostValid: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(valid, odd, fc.nat(), fc.constantFrom(undefined, ...moreKeys))
  .map(([config, other, at, more]) => {
    const all = places(config).filter((path) => !path.includes("cluster") || more === undefined);
    const path = all[at % Math.max(all.length, 1)] ?? ["policies"];
    return replaced(config, more === undefined ? path : [...path.slice(0, -1), more], other) as Record<
      string,
      unknown
    >;
  });

/** A configuration as Pulumi holds it. */
export const held = (config: Readonly<Record<string, unknown>>): Record<string, string> => ({
  "aws:region": "eu-central-1",
  ...Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`eks-irsa:${key}`, typeof value === "string" ? value : JSON.stringify(value)]),
  ),
});

/** Runs the program under mocks, on whatever cluster it is told. */
export async function registeredBy(config: Record<string, string>): Promise<Registered[]> {
  const registered = await setMocks({
    config,
    calls: {
      "aws:eks/getCluster:getCluster": () => ({
        name: "c",
        endpoint: "https://example.com",
        vpcConfig: { endpointPublicAccess: true },
        certificateAuthorities: [{ data: "Q0E=" }],
        identities: [{ oidcs: [{ issuer: `https://${oidcProviderArn.replace(/^.*oidc-provider\//, "")}` }] }],
      }),
      "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
    },
  });
  await program();
  return settled(registered);
}

const length = (json: string): number => json.replace(/\s/g, "").length;

/**
 * What IAM would refuse of what was registered. Documents are judged by @cloud-copilot's validator; the rest by the
 * patterns and limits of the IAM API Reference (CreateRole, CreatePolicy, PutRolePolicy) and its quotas.
 */
export function refusedByIam(
  registered: readonly Registered[],
  quotas: { policies: number; trust: number },
): string[] {
  const inlinedOf = new Map<unknown, number>();
  return registered.flatMap(({ type, name, inputs }) => {
    const faults: string[] = [];
    const judge = (ok: boolean, what: string) => ok || faults.push(`${name}: ${what}`);
    const identity = (json: string) => {
      const policy = JSON.parse(json) as { Statement: { Sid?: string }[] };
      for (const { path, message } of validateIdentityPolicy(policy)) judge(false, `${path} ${message}`);
      const ids = policy.Statement.flatMap(({ Sid }) => (Sid ? [Sid] : []));
      judge(ids.every((id) => /^[A-Za-z0-9]+$/.test(id)) && new Set(ids).size === ids.length, "Sid");
    };
    const tags = Object.entries((inputs.tags ?? {}) as Record<string, string>);
    judge(tags.length <= 50, "more than 50 tags");
    judge(
      new Set(tags.map(([key]) => key.toLowerCase())).size === tags.length,
      "tags that differ in case only",
    );
    for (const [key, value] of tags) {
      judge(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) && !/^aws:/i.test(key), `tag ${key}`);
      judge(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(value), `tag ${key} = ${value}`);
    }
    if (type === "aws:iam/role:Role" && name !== "cluster-node-role") {
      const trust = String(inputs.assumeRolePolicy);
      for (const { path, message } of validateTrustPolicy(JSON.parse(trust)))
        judge(false, `${path} ${message}`);
      judge(length(trust) <= quotas.trust, `trust policy of ${length(trust)}`);
      const pattern = (key: string, expression: RegExp) =>
        judge(inputs[key] === undefined || expression.test(String(inputs[key])), `${key} ${inputs[key]}`);
      pattern("name", /^[\w+=,.@-]{1,64}$/);
      pattern("namePrefix", /^[\w+=,.@-]{1,38}$/);
      pattern("path", /^(\/|\/[\x21-\x7e]+\/)$/);
      pattern("description", /^[\t\n\r\x20-\x7e\u00a1-\u00ff]{0,1000}$/);
      pattern("permissionsBoundary", /^arn:aws:iam::(aws|\d{12}):policy\/\S{1,600}$/);
      judge(Number(inputs.maxSessionDuration ?? 3600) >= 3600, "maxSessionDuration");
    }
    if (type === "aws:iam/rolePolicy:RolePolicy") {
      identity(String(inputs.policy));
      const sum = (inlinedOf.get(inputs.role) ?? 0) + length(String(inputs.policy));
      inlinedOf.set(inputs.role, sum);
      judge(sum <= 10_240, `inline policies of ${sum}`);
      judge(/^[\w+=,.@-]{1,128}$/.test(String(inputs.name)), `name ${inputs.name}`);
    }
    if (type === "aws:iam/policy:Policy") {
      identity(String(inputs.policy));
      judge(length(String(inputs.policy)) <= 6144, "managed policy too long");
    }
    if (type === "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive") {
      const arns = inputs.policyArns as string[];
      judge(arns.length <= quotas.policies, `${arns.length} managed policies`);
      for (const arn of arns) judge(/^arn:aws:iam::(aws|\d{12}):policy\/\S+$/.test(arn), `ARN ${arn}`);
      judge(new Set(arns).size === arns.length, "the same ARN twice");
    }
    return faults;
  });
}

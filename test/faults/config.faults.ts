import { expect } from "chai";
import fc from "fast-check";
import { ConfigError, type ConfigInput, configSchema, parseConfig } from "../../config.ts";
import program from "../../index.ts";
import { setMocks, settled } from "../mocks.ts";
import { count, seed, Tally } from "./tally.ts";

// Stack configurations by the thousand: right ones run, every other one is refused by its key, and nothing else happens.

const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,12}[a-z0-9])?$/);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model);

const statement = record({
  Effect: fc.constantFrom("Allow", "Deny"),
  Action: fc.constantFrom("s3:GetObject", "s3:List*", "sqs:SendMessage"),
  Resource: fc.constantFrom("*", "arn:aws:s3:::bucket/*"),
});
/** A role has each policy once, by its name. */
const policyName = (policy: string | { name: string } | { bundle: string }): string =>
  typeof policy === "string" ? policy.replace(/^.*\//, "") : "name" in policy ? policy.name : policy.bundle;
const policies = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom(
      "AmazonS3ReadOnlyAccess",
      "AmazonSQSReadOnlyAccess",
      "service-role/AmazonEBSCSIDriverPolicy",
    ),
    name.map((one) => `arn:aws:iam::111122223333:policy/${one}`),
    record({ name, Statement: fc.array(statement, { minLength: 1, maxLength: 3 }) }).map(
      ({ name, Statement }) => ({
        name: `inline-${name}`,
        document: { Version: "2012-10-17", Statement },
      }),
    ),
    fc.constantFrom({ bundle: "efs-csi" }, { bundle: "external-dns", hostedZones: ["Z2FDTNDATAQYW2"] }),
  ),
  { maxLength: 4, selector: policyName },
);
const role = fc.oneof(
  record({
    name: optional(name),
    path: optional(name.map((one) => `/${one}/`)),
    maxSessionDuration: optional(fc.integer({ min: 3600, max: 43_200 })),
  }),
  record({ namePrefix: name.map((one) => `${one}-`), description: optional(fc.constant("a role")) }),
);
const nodes = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)).map((numbers) => {
  const [min = 0, desired = 0, max = 0] = numbers.sort((a, b) => a - b);
  return { min, desired, max: Math.max(max, 1) };
});
const cluster = fc.oneof(
  record({
    name: optional(name),
    version: optional(fc.constantFrom("1.33", "1.34")),
    nodes: optional(nodes),
    deletionProtection: optional(fc.boolean()),
    endpoint: optional(
      record({
        public: fc.boolean(),
        private: fc.constant(true),
        allowedCidrs: optional(fc.constant(["203.0.113.0/24"])),
      }),
    ),
  }),
  record({ name, existing: fc.constant(true as const), createOidcProvider: optional(fc.boolean()) }),
  record({ stack: name.map((one) => `org/project/${one}`) }),
);
const bindings = fc.uniqueArray(
  record({
    namespace: name,
    serviceAccount: name,
    policies: optional(policies),
    role: optional(role),
    roleOnly: optional(fc.boolean()),
    labels: optional(fc.dictionary(name, name)),
    tokenExpirationSeconds: optional(fc.integer({ min: 600, max: 86_400 })),
  }),
  { maxLength: 3, selector: ({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}` },
);
const valid = fc.record(
  {
    namespace: name,
    serviceAccount: name,
    createNamespace: fc.boolean(),
    policies,
    role,
    bindings,
    cluster,
    app: fc.constantFrom("go", "java", "none"),
    replicas: fc.integer({ min: 0, max: 100 }),
    intervalSeconds: fc.integer({ min: 1, max: 86_400 }),
    toolbox: fc.oneof(fc.boolean(), fc.constant("maven:3.9")),
    build: record({
      platform: fc.constantFrom("linux/amd64", "linux/arm64"),
      args: fc.dictionary(fc.constantFrom("A", "B"), name),
    }),
    tags: fc.dictionary(name, name),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, unknown>>;

/** One leaf that its rule refuses, and the key that the error must name. */
const wrong: readonly [path: string, value: unknown][] = [
  ["namespace", "Team"],
  ["namespace", "-a"],
  ["namespace", "a".repeat(64)],
  ["serviceAccount", "a_b"],
  ["createNamespace", "yes"],
  ["policies", "AmazonS3ReadOnlyAccess"],
  ["policies[0]", "no such thing"],
  ["policies[0]", { bundle: "none" }],
  ["policies[0]", { name: "x", document: { Version: "2012-10-17", Statement: [] } }],
  ["policies[0]", "arn:aws-cn:iam::111122223333:policy/x"],
  ["role.maxSessionDuration", 60],
  ["role.path", "no-slash"],
  ["role.arn", "reader"],
  ["role.colour", "red"],
  ["cluster.version", "latest"],
  ["cluster.nodes.min", -1],
  ["cluster.nodes.max", 0.5],
  ["cluster.nodes.instanceTypes", []],
  ["cluster.endpoint.allowedCidrs[0]", "300.0.0.0/8"],
  ["cluster.logs.retentionDays", 2],
  ["cluster.logs.types[0]", "everything"],
  ["cluster.deletionProtection", "maybe"],
  ["cluster.sise", 3],
  ["app", "rust"],
  ["replicas", -1],
  ["replicas", 1.5],
  ["replicas", "many"],
  ["intervalSeconds", 0],
  ["toolbox", 5],
  ["build.platform", "windows/amd64"],
  ["build.args.A", 1],
  ["bindings[0].namespace", "A"],
  ["bindings[0].serviceAccount", ""],
  ["bindings[0].identity", "irza"],
  ["bindings[0].tokenExpirationSeconds", 599],
  ["bindings[0].otherSubjects[0].namespace", "team-*"],
  ["bindings[0].polices", []],
  ["tags.aws:x", "y"],
  ["tags", ["a"]],
  ["colour", "red"],
];

/** A configuration as Pulumi holds it. */
const held = (config: Readonly<Record<string, unknown>>): Record<string, string> => ({
  "aws:region": "eu-central-1",
  ...Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [`eks-irsa:${key}`, typeof value === "string" ? value : JSON.stringify(value)]),
  ),
});

/** Sets a value by its path; what is on the way and no object becomes one. */
function set(config: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(config);
  // What describes a cluster that is there has none of the keys of a new one, and a role likewise.
  if (path.startsWith("cluster.")) copy.cluster = {};
  if (path.startsWith("role.")) copy.role = {};
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  let inner = copy as Record<string, unknown>;
  for (const [index, key] of keys.entries()) {
    if (index === keys.length - 1) inner[key] = value;
    else {
      const list = /^\d+$/.test(keys[index + 1] ?? "");
      if (typeof inner[key] !== "object" || inner[key] === null) inner[key] = list ? [] : {};
      inner = inner[key] as Record<string, unknown>;
    }
  }
  // A binding that only the bad key was given for lacks the others: it shall have them.
  if (path.startsWith("bindings[0]")) {
    const [first] = copy.bindings as Record<string, unknown>[];
    copy.bindings = [{ namespace: "a", serviceAccount: "b", ...first }];
  }
  return copy;
}

describe("configurations, right and wrong", function () {
  this.timeout("10m");

  const tally = new Tally("configurations");
  after(() => tally.print());

  /** What comes of a configuration: undefined when it is taken. Anything but a ConfigError is a defect. */
  function refusal(raw: Record<string, string>): ConfigError | undefined {
    try {
      parseConfig("test", raw);
      return undefined;
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
  }

  it("takes every right one", () => {
    for (const config of fc.sample(valid, { numRuns: count(4000, 400), seed })) {
      const error = refusal(held(config));
      tally.note("right", error === undefined);
      expect(error?.message, `${error?.message} for ${JSON.stringify(config)}`).to.equal(undefined);
    }
  });

  it("runs right ones", async () => {
    for (const config of fc.sample(valid, { numRuns: count(120, 12), seed })) {
      const registered = await setMocks({
        config: held(config),
        calls: {
          "aws:eks/getCluster:getCluster": () => ({
            name: "c",
            endpoint: "https://example.com",
            certificateAuthorities: [{ data: "Q0E=" }],
            identities: [
              {
                oidcs: [
                  {
                    issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
                  },
                ],
              },
            ],
          }),
          "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({
            arn: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
          }),
        },
      });
      await program();
      await settled(registered);
      tally.note("right, run under mocks", registered.length > 0);
      expect(registered.length, JSON.stringify(config)).to.be.greaterThan(0);
    }
  });

  it("names the key of the one thing that is wrong, and registers nothing", async () => {
    const cases = fc.tuple(valid, fc.constantFrom(...wrong));
    for (const [config, [path, value]] of fc.sample(cases, { numRuns: count(4000, 400), seed })) {
      const raw = held(set(config, path, value));
      const error = refusal(raw);
      const named =
        error?.issues.some(
          ({ key }) => `eks-irsa:${path}`.startsWith(key) || key.startsWith(`eks-irsa:${path}`),
        ) ?? false;
      tally.note("one thing wrong", named);
      expect(named, `${path} = ${JSON.stringify(value)}: ${error?.message}`).to.equal(true);
      expect(error?.message).to.match(/ (holds|is not set)/);
    }
    for (const [path, value] of wrong) {
      const registered = await setMocks({ config: held(set({}, path, value)) });
      const failure = await program().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(ConfigError);
      tally.note("one thing wrong, registers nothing", registered.length === 0);
      expect(registered).to.deep.equal([]);
    }
  });

  it("refuses nonsense by its keys, and never falls over", () => {
    const keys = [...Object.keys(configSchema.shape), "nonsense", "policy", ""];
    const nonsense = fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.string()),
      { maxKeys: 6 },
    );
    for (const config of fc.sample(nonsense, { numRuns: count(2000, 300), seed })) {
      const error = refusal(held(config as ConfigInput as Record<string, unknown>));
      const complete =
        error === undefined ||
        error.issues.every(({ key, problem }) => key.startsWith("eks-irsa:") && problem !== "");
      tally.note("nonsense", complete);
      expect(complete, JSON.stringify(config)).to.equal(true);
    }
  });

  it("looks into policies and bindings that are anything at all", () => {
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({ name: fc.jsonValue({ maxDepth: 1 }), arn: fc.jsonValue({ maxDepth: 1 }) }),
      fc.record({ name: fc.string(), document: fc.jsonValue({ maxDepth: 3 }) }),
      fc.record({
        bundle: fc.oneof(
          fc.constantFrom("external-dns", "karpenter", "s3-csi", "__proto__", "constructor"),
          fc.jsonValue(),
        ),
        hostedZones: fc.jsonValue(),
        buckets: fc.jsonValue(),
      }),
      fc.record({ Version: fc.constant("2012-10-17"), Statement: fc.jsonValue({ maxDepth: 3 }) }),
    );
    for (const policy of fc.sample(anything, { numRuns: count(2000, 300), seed })) {
      for (const config of [
        { policies: [policy] },
        { bindings: [{ namespace: "a", serviceAccount: "b", policies: [policy] }] },
        { bindings: [policy] },
      ]) {
        refusal(held(config));
        tally.note("anything for a policy or a binding", true);
      }
    }
  });
});

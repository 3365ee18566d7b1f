import { expect } from "chai";
import fc from "fast-check";
import { ConfigError, type ConfigInput, configSchema, parseConfig } from "../../config.ts";
import program from "../../index.ts";
import { findJudge, held, tryConfigurations, valid } from "../configurations.ts";
import { setMocks } from "../mocks.ts";
import { count, seed, Tally } from "./tally.ts";

// Stack configurations by the thousand: right ones run, every other one is refused by its key, and nothing else happens.

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
  ["policies[0]", "arn:aws-iso-f:iam::111122223333:policy/of-another-partition"],
  ["role.maxSessionDuration", 60],
  ["role.path", "no-slash"],
  ["role.arn", "reader"],
  ["role.colour", "red"],
  ["role.description", "the reader\u2019s"],
  ["role.permissionsBoundary", `arn:aws:iam::111122223333:policy/${"x/".repeat(1100)}x`],
  ["role.permissionsBoundary", "arn:aws:iam::111122223333:policy/a b"],
  ["policies[0]", { name: "x", arn: "AWSLoadBalancerControllerIAMPolicy" }],
  ["policies[0]", { name: "x", document: '{"Statement":' }],
  ["policies[0]", { name: "x", file: "there-is-no-such-file.json" }],
  ["cluster.version", "latest"],
  ["cluster.nodes.min", -1],
  ["cluster.nodes.max", 0.5],
  ["cluster.nodes.instanceTypes", []],
  ["cluster.nodes.instanceTypes", ["t3.medium", "t4g.medium"]],
  ["cluster.nodes.instanceTypes", Array.from({ length: 21 }, (_, index) => `m${index}.large`)],
  ["cluster.endpoint.allowedCidrs[0]", "300.0.0.0/8"],
  ["cluster.endpoint.allowedCidrs[0]", "010.001.0.0/08"],
  ["cluster.endpoint.allowedCidrs[0]", "10.1.0.0/15"],
  ["cluster.endpoint.allowedCidrs", []],
  ["cluster.endpoint", { public: false, allowedCidrs: ["10.0.0.0/8"] }],
  ["cluster.network", { vpcId: "vpc-0a" }],
  ["cluster.network", { vpcId: "vpc-0a", privateSubnetIds: ["subnet-0a"] }],
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
  ["bindings[0].annotations", { "eks.amazonaws.com/role-arn": "x" }],
  ["bindings[0].quotas.managedPoliciesPerRole", 26],
  ["tags.aws:x", "y"],
  ["tags.AWS:x", "y"],
  ["tags.x", "aws:y"],
  ["tags", ["a"]],
  ["colour", "red"],
];

/** Sets a value by its path; what is on the way and no object becomes one. */
function set(config: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(config);
  // What describes a cluster that is there has none of the keys of a new one, and a role likewise.
  if (path.startsWith("cluster.")) copy.cluster = {};
  if (path.startsWith("role.")) copy.role = {};
  // Without a lister there is no role of the stack's own that its policies could be wrong for.
  if (path.startsWith("policies") && copy.app === "none") delete copy.app;
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
  this.timeout("60m");

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

  it("runs each that is taken, and AWS would take all that comes of it", async function () {
    const judge = await findJudge();
    if (judge === undefined) {
      console.log(
        "      no Python with botocore, whose models say what AWS takes: `npm run local` brings one",
      );
      this.skip();
    }
    const { taken, refused } = await tryConfigurations(judge, { taken: count(10_000, 100), seed });
    tally.note("tried for running, refused", true, refused);
    tally.note("taken, run under mocks, judged", true, taken);
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

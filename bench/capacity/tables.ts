import { type EngineModel, engineModel, type Measured } from "./engine.ts";
import * as example from "./example.ts";
import { bytes, number, table, time } from "./markdown.ts";
import {
  accountsFor,
  type Fit,
  mostBindingsPerCluster,
  mostClusters,
  mostClustersInTrust,
  mostServiceAccountsInTrust,
  type NameLengths,
  type Need,
  type Shape,
  stsCallsInRollout,
  stsCallsPerSecond,
  tokenRequestsPerSecond,
  trustPolicyLength,
} from "./model.ts";
import { defaults, type Limits, type Quota, quotas, raised, type Source } from "./quotas.ts";
import { bindingsWithin, iamTime, longestCall, rolloutTime } from "./stacks.ts";
import { simulateStorm } from "./storm.ts";

// The generated parts of docs/scale.md, by name. Every figure on that page is in one of them.

const { shape, organisation } = example;
const accounts: readonly (readonly [string, Limits])[] = [
  ["a new account", defaults],
  ["all raised", raised],
  // EKS does not say how far it raises this one.
  ["all raised, EKS clusters without end", { ...raised, clustersPerRegion: Number.POSITIVE_INFINITY }],
];

export function parts(measured: Measured): Record<string, string> {
  const engine = engineModel(measured);
  return {
    answers: answers(engine),
    choices: choices(),
    fits: fits(),
    trust: trust(),
    sts: sts(),
    storm: storm(),
    iam: iam(),
    engine: engineMeasured(measured),
    curve: curve(engine),
    size: size(engine),
    rollout: rollout(engine),
    reference: reference(measured),
    example: exampleOrganisation(engine),
    quotas: quotaTable(),
  };
}

const names = (stops: readonly Need[]): string => stops.map(({ quota }) => quotas[quota].name).join("; ");

function answers(engine: EngineModel): string {
  const ofEach = (value: (limits: Limits) => string): string[] => accounts.map(([, limits]) => value(limits));
  const counted = (of: (limits: Limits) => Fit): string[] =>
    ofEach((limits) => {
      const { count, stops } = of(limits);
      return `${number(count)} (${names(stops)})`;
    });
  const oneCluster = (limits: Limits) => mostBindingsPerCluster(shape, 1, limits);
  const bare = { ...shape, bindingsPerCluster: 0 };
  const clusters = (given: Shape) => (limits: Limits) => mostClusters(given, limits);
  const trustOf = (of: (lengths: NameLengths, characters: number) => number) =>
    ofEach(
      (limits) =>
        `${number(of(shape.names, limits.trustPolicyCharacters))} (${quotas.trustPolicyCharacters.name})`,
    );
  return table(
    ["in one account and region", ...accounts.map(([title]) => title)],
    [
      ["bindings, all in one cluster", ...counted(oneCluster)],
      ["clusters, without any bindings", ...counted(clusters(bare))],
      [`clusters of ${shape.bindingsPerCluster} bindings each`, ...counted(clusters(shape))],
      ["clusters that one role can trust, for one ServiceAccount", ...trustOf(mostClustersInTrust)],
      ["ServiceAccounts that one role can trust, of one cluster", ...trustOf(mostServiceAccountsInTrust)],
      [
        `bindings of a stack whose first \`up\` is done in ${example.upMinutes[1]} min: file or S3 backend`,
        ...ofEach(() => `${number(within(engine, example.upMinutes[1] ?? 0).withCheckpoints)} (the engine)`),
      ],
    ],
  );
}

function choices(): string {
  const rows: [string, string][] = [
    ["bindings in a cluster", number(shape.bindingsPerCluster)],
    ["managed policies attached to a role", number(shape.managedPoliciesPerRole)],
    ["of these made for the role alone", number(shape.ownPoliciesPerRole)],
    ["roles of a cluster for itself and its nodes", number(shape.rolesPerCluster)],
    ["other roles of the account", number(shape.otherRoles)],
    ["pods of a binding", number(shape.podsPerBinding)],
    ["characters of a namespace's name, and of a ServiceAccount's", number(shape.names.namespace)],
    ["region", shape.names.region],
  ];
  return table(["chosen for the tables", ""], rows);
}

function fits(): string {
  const variants: [string, Partial<Shape>][] = [
    ["IRSA, roles of its own for each cluster", {}],
    ["IRSA, one role for all clusters that its trust policy has room for", { clustersPerRole: 0 }],
    ["Pod Identity, roles of its own for each cluster", { identity: "pod-identity" }],
    ["Pod Identity, one role for all clusters", { identity: "pod-identity", clustersPerRole: 1_000_000 }],
  ];
  const rows = variants.flatMap(([title, variant]) =>
    example.bindingsPerCluster.map((bindingsPerCluster) => [
      title,
      number(bindingsPerCluster),
      ...accounts.map(([, limits]) => {
        const clustersPerRole =
          variant.clustersPerRole === 0
            ? mostClustersInTrust(shape.names, limits.trustPolicyCharacters)
            : (variant.clustersPerRole ?? 1);
        const { count, stops } = mostClusters(
          { ...shape, ...variant, bindingsPerCluster, clustersPerRole },
          limits,
        );
        return `${number(count)}: ${number(count * bindingsPerCluster)} bindings (${names(stops)})`;
      }),
    ]),
  );
  return table(["", "bindings a cluster", ...accounts.map(([title]) => `clusters, ${title}`)], rows);
}

function trust(): string {
  const characters = [defaults.trustPolicyCharacters, raised.trustPolicyCharacters];
  return table(
    [
      "names of so many characters",
      "one cluster, one ServiceAccount",
      ...characters.map((limit) => `clusters in ${number(limit)}`),
      ...characters.map((limit) => `ServiceAccounts of one cluster in ${number(limit)}`),
      ...characters.map((limit) => `of two clusters in ${number(limit)}`),
    ],
    example.nameLengths.map((length) => {
      const lengths = { ...shape.names, namespace: length, serviceAccount: length };
      return [
        number(length),
        `${number(trustPolicyLength(lengths, 1, 1))} characters`,
        ...characters.map((limit) => number(mostClustersInTrust(lengths, limit))),
        ...characters.map((limit) => number(mostServiceAccountsInTrust(lengths, limit))),
        ...characters.map((limit) => number(mostServiceAccountsInTrust(lengths, limit, 2))),
      ];
    }),
  );
}

function sts(): string {
  const window = defaults.refreshWindow;
  return table(
    [
      "pods",
      `calls a second, sessions of ${time(defaults.sessionSeconds)}`,
      `the same, of ${time(raised.sessionSeconds)}`,
      "while 10 pods a second are replaced",
      "tokens a second that kubelets renew",
    ],
    example.processes.map((pods) => {
      const steady = stsCallsPerSecond(pods, defaults.sessionSeconds, window);
      return [
        number(pods),
        number(steady),
        number(stsCallsPerSecond(pods, raised.sessionSeconds, window)),
        number(stsCallsInRollout(steady, 10)),
        number(tokenRequestsPerSecond(pods, defaults)),
      ];
    }),
  );
}

function storm(): string {
  const rows = example.processes.flatMap((processes) =>
    example.stsRates.map((rate) => {
      const storm = {
        processes,
        spreadSeconds: example.restartSpread,
        ratePerSecond: rate,
        burst: rate,
        attempts: defaults.sdkAttempts,
        longestBackoff: defaults.sdkLongestBackoff,
        restartFirst: defaults.restartFirst,
        restartLongest: defaults.restartLongest,
        seed: example.seed,
      };
      const result = simulateStorm(storm);
      const waiting = simulateStorm({ ...storm, attempts: Number.POSITIVE_INFINITY });
      return [
        number(processes),
        number(rate),
        time(Math.max(example.restartSpread, (processes - rate) / rate)),
        time(result.half),
        time(result.most),
        time(result.all),
        number(result.restarts),
        time(waiting.all),
      ];
    }),
  );
  return table(
    [
      `pods, started over ${time(example.restartSpread)}`,
      "calls a second that STS takes",
      "at best",
      "half have credentials",
      "99 in 100",
      "all",
      "restarts of containers",
      "all, where no container ends",
    ],
    rows,
  );
}

function iam(): string {
  const calls = 1 + shape.managedPoliciesPerRole;
  const rows = example.stackSizes.map((bindings) => [
    number(bindings),
    number(bindings * calls),
    ...example.iamRates.map((rate) => time(iamTime(bindings * calls, rate))),
  ]);
  const binds = example.iamRates.map((rate) => time(longestCall(example.parallelOperations, rate)));
  return table(
    ["bindings", "calls that create or attach", ...example.iamRates.map((rate) => `at ${rate} a second`)],
    [...rows, ["holds while a call takes less than", "", ...binds]],
  );
}

function engineMeasured({ samples, machine, engine, date }: Measured): string {
  const rows = samples.map((one) => [
    number(one.bindings),
    number(one.resources),
    one.checkpoints ? "at each step" : "once, at the end",
    time(one.previewSeconds),
    time(one.upSeconds),
    time(one.unchangedSeconds),
    bytes(one.stateBytes),
    bytes(one.upWrittenBytes),
  ]);
  const head = [
    "resources",
    "state written",
    "preview",
    "first up",
    "up without changes",
    "state",
    "written by the first up",
  ];
  return `${table(["bindings", ...head], rows)}\n\nMeasured on ${date} with Pulumi ${engine} on ${machine}, while other work ran on it; of the smaller stacks the median of three rounds.`;
}

function curve(engine: EngineModel): string {
  const sizes = [...new Set([...example.stackSizes, 3000])];
  const curves = table(
    [
      "bindings",
      "state",
      "first up",
      "written by it",
      "first up, written once",
      "preview",
      "up without changes",
    ],
    sizes.map((bindings) => [
      `${number(bindings)}${beyond(engine, bindings)}`,
      bytes(engine.stateBytes(bindings)),
      time(engine.upSeconds(bindings)),
      bytes(engine.upWrittenBytes(bindings)),
      time(engine.upSecondsWithoutCheckpoints(bindings)),
      time(engine.previewSeconds(bindings)),
      time(engine.unchangedSeconds(bindings)),
    ]),
  );
  return `${curves}\n\nA first up as measured is at most ${number(Math.ceil(engine.worstMiss * 100))} % off its curve.`;
}

const beyond = ({ measuredTo }: EngineModel, bindings: number): string =>
  bindings > measuredTo ? ", extrapolated" : "";

function within(engine: EngineModel, minutes: number) {
  return {
    withCheckpoints: bindingsWithin(minutes * 60, engine.upSeconds),
    without: bindingsWithin(minutes * 60, engine.upSecondsWithoutCheckpoints),
  };
}

function size(engine: EngineModel): string {
  return table(
    [
      "the first up may take, of the engine's time",
      "bindings, state written at each step",
      "bindings, written once",
    ],
    example.upMinutes.map((minutes) => {
      const { withCheckpoints, without } = within(engine, minutes);
      const shown = (bindings: number): string => `${number(bindings)}${beyond(engine, bindings)}`;
      return [`${number(minutes)} min`, shown(withCheckpoints), shown(without)];
    }),
  );
}

const rolloutOf = (engine: EngineModel, bindings: number, bindingsPerStack: number, parallel: number) =>
  rolloutTime(
    {
      bindings,
      bindingsPerStack,
      parallel,
      iamCallsPerBinding: 1 + shape.managedPoliciesPerRole,
      iamCallsPerSecond: example.iamRates[1] ?? 0,
      checkpoints: true,
    },
    engine,
  );

function rollout(engine: EngineModel): string {
  const bindings = Math.max(...example.stackSizes);
  const rows = example.stackSizes.map((perStack) => {
    const [first, ...rest] = example.parallelStacks.map((parallel) =>
      rolloutOf(engine, bindings, perStack, parallel),
    );
    const shown = [first, ...rest].map((one) => (one ? `${time(one.seconds)} (${one.bound})` : ""));
    return [number(perStack), number(first?.stacks ?? 0), ...shown, time(first?.iamSeconds ?? 0)];
  });
  return table(
    [
      `bindings a stack, of ${number(bindings)} in one account`,
      "stacks",
      ...example.parallelStacks.map((parallel) =>
        parallel === 1 ? "one at a time" : `${parallel} at a time`,
      ),
      `IAM alone, at ${example.iamRates[1]} a second`,
    ],
    rows,
  );
}

function reference({ references }: Measured): string {
  const { bindings, untouchedByPlatformUp, updatesPending, afterOwnUp } = references;
  return table(
    ["tried", ""],
    [
      ["bindings in the stack that references the platform stack", number(bindings)],
      [
        "the platform stack brought up with other outputs: the referencing stack's state",
        untouchedByPlatformUp ? "stays as it was" : "changes",
      ],
      ["updates that its own preview then shows", number(updatesPending)],
      ["updates left after its own up", number(afterOwnUp)],
    ],
  );
}

function exampleOrganisation(engine: EngineModel): string {
  const { environments, clustersPerEnvironment } = organisation;
  const clusters = environments * clustersPerEnvironment;
  const perEnvironment = clustersPerEnvironment * shape.bindingsPerCluster;
  const parallel = example.parallelStacks[1] ?? 1;
  const rows = accounts.map(([title, limits]) => {
    const { accounts: count, clustersPerAccount, stops } = accountsFor(organisation, limits);
    const inOne = Math.min(clustersPerAccount, clustersPerEnvironment) * shape.bindingsPerCluster;
    const { seconds, bound } = rolloutOf(engine, inOne, shape.bindingsPerCluster, parallel);
    return [
      title,
      number(count),
      `${number(clustersPerAccount)} (${names(stops)})`,
      number(Math.ceil(clusters / count)),
      `${time(seconds)} (${bound})`,
    ];
  });
  const pods = shape.bindingsPerCluster * shape.podsPerBinding;
  const facts = [
    ["environments", number(environments)],
    ["clusters in each", number(clustersPerEnvironment)],
    ["clusters", number(clusters)],
    ["bindings", number(clusters * shape.bindingsPerCluster)],
    ["bindings of an environment", number(perEnvironment)],
    ["stacks: one for each cluster, one for its bindings", number(2 * clusters)],
    ["state of a stack of bindings", bytes(engine.stateBytes(shape.bindingsPerCluster))],
    ["its first up, of the engine's time", time(engine.upSeconds(shape.bindingsPerCluster))],
    [
      "before it, its cluster's own stack: the control plane alone",
      `${number(defaults.clusterCreation)} min`,
    ],
    ["pods of a cluster that ask STS", number(pods)],
    [
      "STS calls a second of an environment",
      number(
        stsCallsPerSecond(pods * clustersPerEnvironment, defaults.sessionSeconds, defaults.refreshWindow),
      ),
    ],
  ];
  const head = [
    "accounts",
    "clusters that an account holds (what ends it)",
    "clusters in each",
    "bindings of the fullest account, rolled out",
  ];
  return `${table(["", ""], facts)}\n\n${table(["", ...head.slice(0, 3), `${head[3]}, ${parallel} stacks at a time`], rows)}`;
}

const link = ({ title, url, read }: Source): string =>
  `${url ? `[${title}](${url})` : title}${read ? ` (from ${read})` : ""}`;

function amount(quota: Quota, value: number | undefined): string {
  if (value === undefined) return quota.adjustable ? "yes, how far is not said" : "";
  return `${number(value)}${quota.unit ? ` ${quota.unit}` : ""}`;
}

function quotaTable(): string {
  return table(
    ["quota", "of each", "value", "raised to", "", "source"],
    Object.values(quotas).map((quota) => [
      quota.name,
      quota.scope,
      amount(quota, quota.value),
      amount(quota, quota.raisedTo),
      quota.standing,
      `${link(quota.source)}${quota.note ? `. ${quota.note}` : ""}`,
    ]),
  );
}

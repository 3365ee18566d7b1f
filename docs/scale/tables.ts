import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Subject, trustPolicy } from "../../iam/trust-policy.ts";
import { markdownTable, withSection } from "../sections.ts";
import engine from "./measured.json" with { type: "json" };
import file from "./quotas.json" with { type: "json" };

// Computes the tables of docs/scale.md from the quotas, from what was measured of the engine and from the choices below,
// and writes them into the page: `node docs/scale/tables.ts`. Every figure on the page is in one of them.

export type QuotaKey = keyof typeof file.quotas;

export interface Quota {
  readonly name: string;
  /** What it is counted over. */
  readonly of: string;
  readonly value: number;
  /** What the owner raises it to when asked. Absent: not at all. */
  readonly raised?: number | string;
  readonly unit?: string;
  /** `documented` by its owner; `observed` by somebody who wrote it down; `assumed`, where nobody publishes it. */
  readonly standing: string;
  /** A key of the file's pages, which say where it was read and how old that copy is. */
  readonly source: string;
  /** Where it was read, when not where the page's others were. */
  readonly read?: string;
  readonly note?: string;
}

export const quotas: Readonly<Record<QuotaKey, Quota>> = file.quotas;
export const pages: Readonly<Record<string, { title: string; url: string; read?: string }>> = file.pages;

/** What the tables are computed for: choices, not facts. */
const chosen = {
  bindingsPerCluster: 30,
  policiesPerRole: 2,
  /** Of these, made for the role alone and counted in the account. */
  ownPoliciesPerRole: 1,
  /** A cluster's own, and its nodes'. */
  rolesPerCluster: 2,
  otherRoles: 50,
  /** Of a namespace, and of a ServiceAccount. */
  nameCharacters: 12,
  region: "eu-central-1",
};

type Limits = Readonly<Record<QuotaKey, number>>;
const limits = (of: (quota: Quota) => number) =>
  Object.fromEntries(Object.entries(quotas).map(([key, quota]) => [key, of(quota)])) as Limits;
const given = limits(({ value }) => value);
const raised = limits(({ value, raised }) => (typeof raised === "number" ? raised : value));
const accounts: readonly (readonly [title: string, limits: Limits])[] = [
  ["a new account", given],
  ["all raised", raised],
  // EKS does not say how far it raises this one.
  ["all raised, EKS clusters without end", { ...raised, clustersPerRegion: Number.POSITIVE_INFINITY }],
];

type Needs = Partial<Limits>;
interface Sharing {
  readonly identity: "irsa" | "pod-identity";
  readonly clustersPerRole: number;
}

/** What an account with so many clusters of so many bindings needs of each quota. */
function needs(clusters: number, bindings: number, sharing: Sharing): Needs {
  const roles = bindings * Math.ceil(clusters / sharing.clustersPerRole);
  return {
    rolesPerAccount: chosen.otherRoles + clusters * chosen.rolesPerCluster + roles,
    customerManagedPolicies: roles * chosen.ownPoliciesPerRole,
    clustersPerRegion: clusters,
    ...(sharing.identity === "irsa"
      ? { oidcProvidersPerAccount: clusters }
      : { podIdentityAssociations: bindings }),
  };
}

/** The most that fits, and the names of the quotas that one more would exceed. */
function largest(limits: Limits, needed: (count: number) => Needs): { count: number; ends: string } {
  for (let count = 0; ; count++) {
    const one = Object.entries(needed(count + 1)) as [QuotaKey, number][];
    const ends = one.filter(([quota, amount]) => amount > limits[quota]).map(([quota]) => quotas[quota].name);
    if (ends.length > 0) return { count, ends: ends.join("; ") };
  }
}

/** Characters of the trust policy that this project makes for so many clusters and ServiceAccounts. */
export function trustPolicyLength(clusters: number, serviceAccounts: number, nameCharacters: number): number {
  const name = (index: number) => index.toString(36).padStart(nameCharacters, "0");
  const subject = (index: number): Subject => ({ namespace: name(index), serviceAccount: name(index) });
  const provider = (index: number) =>
    `arn:aws:iam::111122223333:oidc-provider/oidc.eks.${chosen.region}.amazonaws.com/id/${String(index).padStart(32, "0")}`;
  const policy = trustPolicy({
    ...subject(0),
    otherSubjects: Array.from({ length: serviceAccounts - 1 }, (_, index) => subject(index + 1)),
    oidcProviderArn: Array.from({ length: clusters }, (_, index) => provider(index)),
    maxCharacters: Number.POSITIVE_INFINITY,
  });
  return JSON.stringify(policy).length;
}

const clustersInTrust = (limits: Limits, nameCharacters = chosen.nameCharacters) =>
  largest(limits, (count) => ({ trustPolicyCharacters: trustPolicyLength(count, 1, nameCharacters) }));
const serviceAccountsInTrust = (limits: Limits, clusters = 1, nameCharacters = chosen.nameCharacters) =>
  largest(limits, (count) => ({ trustPolicyCharacters: trustPolicyLength(clusters, count, nameCharacters) }));

function answers(): string {
  const own: Sharing = { identity: "irsa", clustersPerRole: 1 };
  const cell = ({ count, ends }: { count: number; ends: string }) => `${number(count)} (${ends})`;
  const row = (title: string, of: (limits: Limits) => { count: number; ends: string }) => [
    title,
    ...accounts.map(([, limits]) => cell(of(limits))),
  ];
  const full = (title: string, sharing: (limits: Limits) => Sharing) =>
    row(`clusters of ${chosen.bindingsPerCluster} bindings: ${title}`, (limits) =>
      largest(limits, (clusters) => needs(clusters, chosen.bindingsPerCluster, sharing(limits))),
    );
  const table = markdownTable(
    ["in one account and region", ...accounts.map(([title]) => title)],
    [
      row("bindings, all in one cluster", (limits) => largest(limits, (count) => needs(1, count, own))),
      row("clusters, without any bindings", (limits) => largest(limits, (count) => needs(count, 0, own))),
      full("IRSA or Pod Identity, a role for each", () => own),
      full("IRSA, a role for as many clusters as its trust policy takes", (limits) => ({
        identity: "irsa",
        clustersPerRole: clustersInTrust(limits).count,
      })),
      full("Pod Identity, a role for all clusters", () => ({
        identity: "pod-identity",
        clustersPerRole: Number.MAX_SAFE_INTEGER,
      })),
      row("clusters that one role can trust, for one ServiceAccount", (limits) => clustersInTrust(limits)),
      row("ServiceAccounts that one role can trust, of one cluster", (limits) =>
        serviceAccountsInTrust(limits),
      ),
    ],
  );
  return `${table}\n\nComputed for roles with ${chosen.policiesPerRole} managed policies, ${chosen.ownPoliciesPerRole} of them made for it; ${chosen.rolesPerCluster} roles of a cluster for itself and its nodes, ${chosen.otherRoles} other roles in the account; names of ${chosen.nameCharacters} characters; ${chosen.region}.`;
}

function trust(): string {
  const both = [given, raised];
  const room = both.map(({ trustPolicyCharacters }) => number(trustPolicyCharacters));
  return markdownTable(
    [
      "names of so many characters",
      "one cluster, one ServiceAccount",
      ...room.map((limit) => `clusters in ${limit}`),
      ...room.map((limit) => `ServiceAccounts of one cluster in ${limit}`),
      ...room.map((limit) => `of two clusters in ${limit}`),
    ],
    [6, 12, 24].map((characters) => [
      number(characters),
      `${number(trustPolicyLength(1, 1, characters))} characters`,
      ...both.map((limits) => number(clustersInTrust(limits, characters).count)),
      ...[1, 2].flatMap((clusters) =>
        both.map((limits) => number(serviceAccountsInTrust(limits, clusters, characters).count)),
      ),
    ]),
  );
}

function sts(): string {
  const rates = [given.stsWebIdentityLow, 100, given.stsSigned];
  const renewed = (pods: number, { sessionSeconds }: Limits) =>
    number(pods / (sessionSeconds - given.refreshWindow));
  return markdownTable(
    [
      "pods",
      `calls a second, sessions of ${time(given.sessionSeconds)}`,
      `of ${time(raised.sessionSeconds)}`,
      "tokens a second that kubelets renew",
      ...rates.map((rate) => `all at once, where STS takes ${rate} a second`),
    ],
    [1000, 10_000, 30_000].map((pods) => [
      number(pods),
      renewed(pods, given),
      renewed(pods, raised),
      number(pods / (given.tokenSeconds * given.tokenRotation)),
      ...rates.map((rate) => time(pods / rate)),
    ]),
  );
}

function iam(): string {
  const rates = [1, 2, 4].map((times) => times * given.iamWrites);
  return markdownTable(
    ["bindings", "calls that create or attach", ...rates.map((rate) => `at ${rate} a second`)],
    [10, 100, 300, 1000].map((bindings) => {
      const calls = bindings * (1 + chosen.policiesPerRole);
      return [number(bindings), number(calls), ...rates.map((rate) => time(calls / rate))];
    }),
  );
}

function measured(): string {
  const written = (checkpoints: boolean) => engine.samples.filter((one) => one.checkpoints === checkpoints);
  const first = ({ upSeconds, upWrittenBytes }: (typeof engine.samples)[number]) =>
    `${time(upSeconds)}, ${bytes(upWrittenBytes)}`;
  const rows = written(true).map((one) => [
    ...[number(one.bindings), number(one.resources), bytes(one.stateBytes)],
    ...[time(one.previewSeconds), time(one.unchangedSeconds), first(one)],
    ...written(false).flatMap((other) => (other.bindings === one.bindings ? [first(other)] : [])),
  ]);
  const firsts = ["at each step", "once, at the end"].map((when) => `first up, state written ${when}`);
  const { bindings, untouchedByPlatformUp, updatesPending, afterOwnUp } = engine.references;
  const trial = `A stack of ${bindings} bindings ${untouchedByPlatformUp ? "stayed as it was" : "changed"} when an output of its platform stack did; its own preview then showed ${updatesPending} updates, and its own up left ${afterOwnUp}.`;
  const head = ["bindings", "resources", "state", "preview", "up without changes", ...firsts];
  return `${markdownTable(head, rows)}\n\nMeasured on ${engine.date} with Pulumi ${engine.engine} on ${engine.machine}, while other work ran on it; of stacks of at most 100 bindings the median of three rounds. ${trial}`;
}

const quotaTable = () =>
  markdownTable(
    ["quota", "of each", "value", "raised to", "", "source"],
    Object.values(quotas).map(({ name, of, value, raised = "", unit, standing, source, read, note }) => {
      const page = pages[source];
      if (page === undefined) throw new Error(`quotas.json has no page ${source}, which ${name} names.`);
      const amount = (some: number) => [number(some), unit].filter(Boolean).join(" ");
      const from = read ?? page.read;
      const where = `[${page.title}](${page.url})${from ? ` (from ${from})` : ""}`;
      const to = typeof raised === "number" ? amount(raised) : raised;
      return [name, of, amount(value), to, standing, [where, note].filter(Boolean).join(". ")];
    }),
  );

/** As people say it: two digits, or all of a whole number. */
const number = (value: number): string =>
  value.toLocaleString("en-GB", value < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 });
const rounded = (value: number): string => number(value >= 10 ? Math.round(value) : Number(value.toFixed(1)));
function time(seconds: number): string {
  if (seconds < 100) return `${rounded(seconds)} s`;
  const hours = seconds % 3600 === 0 || seconds >= 6000;
  return hours ? `${rounded(seconds / 3600)} h` : `${rounded(seconds / 60)} min`;
}
/** Thousands, not 1,024s. */
function bytes(count: number): string {
  const [size, unit] = count < 1e6 ? [1e3, "kB"] : count < 1e9 ? [1e6, "MB"] : ([1e9, "GB"] as const);
  return `${rounded(count / size)} ${unit}`;
}

export const scalePage = join(import.meta.dirname, "..", "scale.md");

/** The page with its tables computed anew. */
export const withTables = (page: string): string =>
  Object.entries({ answers, trust, sts, iam, measured, quotas: quotaTable }).reduce(
    (text, [name, section]) => withSection(text, `scale:${name}`, section()),
    page,
  );

if (import.meta.main) writeFileSync(scalePage, withTables(readFileSync(scalePage, "utf8")));

import type { V1Pod } from "@kubernetes/client-node";
import { table } from "../../terminal.ts";
import { entriesOf, isListing } from "../lister-log.ts";
import type { Proof } from "../proofs.ts";

/** Everything that `up` found out, and the JSON that `up --json` prints. */
export interface Report {
  /** The stack's outputs; secrets are not among them. */
  outputs: Record<string, unknown>;
  /** The lister's log lines. */
  log: string[];
  /** The buckets in the log, by name. */
  buckets: string[];
  proofs: Proof[];
  /** Seconds that each step took. */
  seconds: Record<string, number>;
}

/** Who asked, what was expected, and what came instead where that was another. */
export function proofTable(proofs: readonly Proof[], width: number): string {
  return table(
    [
      ["", "who asks, or what for", "expected", "got"],
      ...proofs.map(({ ok, name, expected, got }) => [
        ok ? "✔" : "✖",
        name,
        expected,
        got === expected ? "(same)" : got,
      ]),
    ],
    width,
  );
}

/** The buckets in the lister's log: the last block that it printed. */
export function bucketsIn(log: readonly string[]): string[] {
  const start = log.lastIndexOf("Buckets:");
  if (start < 0) return [];
  const names: string[] = [];
  for (const line of log.slice(start + 1)) {
    const name = /^\* (\S+) created on /.exec(line)?.[1];
    if (name !== undefined) names.push(name);
  }
  return names;
}

/**
 * The lister's log for a person: what went wrong since the last listing that went well comes first, then that listing. What
 * it logs each time all goes well is left out.
 */
export function podReport(log: readonly string[]): string[] {
  const entries = entriesOf(log);
  const wentWell = entries.findLastIndex(isListing);
  const trouble = log.filter(
    (_, index) => index > wentWell && ["WARN", "ERROR"].includes(entries[index]?.level ?? ""),
  );
  const start = log.lastIndexOf("Buckets:");
  const listing = start < 0 ? [] : log.slice(start).filter((line) => !line.startsWith("{"));
  if (trouble.length === 0) return listing.length > 0 ? listing : ["(no listing yet)"];
  const asOf = entries[wentWell]?.time;
  return [
    ...trouble,
    ...(asOf === undefined ? [] : [`The last listing that went well, at ${asOf}:`, ...listing]),
  ];
}

/** Why no container of a pod has started, in Kubernetes' own words: no node takes it, there is no image; undefined where one has. */
export function whyNotStarted({ status }: V1Pod): string | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  const waiting = status?.containerStatuses
    ?.map(({ state }) => state?.waiting)
    .find((one) => one !== undefined);
  const why = scheduled?.status === "False" ? scheduled : waiting;
  return why && [why.reason, why.message].filter((text) => text).join(": ");
}

/** What to try next: each a command to paste as it stands, and below it what it does. */
export const hints = (moreConfig: string): string =>
  `What to try next:
${(
  [
    [
      'eval "$(npm run --silent local -- env)"',
      "a shell in which aws, kubectl, docker and pulumi talk to it",
    ],
    ["aws s3 mb s3://one-more", "in that shell; then look at the log again"],
    ["npm run local -- logs --follow", "what the pod lists"],
    [`npm run local -- up --config namespace=team-a${moreConfig}`, "another configuration"],
    ["npm run local -- down", "ends it; the machine is as it was"],
  ] as const
)
  .map(([command, does]) => `  ${command}\n      ${does}\n`)
  .join("")}`;

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

/** Rows as an aligned table, for a terminal or a log. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ")}`.trimEnd())
    .join("\n");
}

export function proofTable(proofs: readonly Proof[]): string {
  return table([
    ["", "who asks, or what for", "expected", "got"],
    ...proofs.map((proof) => [proof.ok ? "✔" : "✖", proof.name, proof.expected, proof.got]),
  ]);
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

/** A line that the lister logs as JSON. */
interface Entry {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  readonly error?: string;
}

/**
 * The lister's log for a person: what went wrong since the last listing that went well comes first, then that listing. What
 * it logs each time all goes well is left out.
 */
export function podReport(log: readonly string[]): string[] {
  const entries = log.map((line) => (line.startsWith("{") ? (JSON.parse(line) as Entry) : undefined));
  const isTrouble = (entry: Entry | undefined) =>
    entry !== undefined && ["WARN", "ERROR"].includes(entry.level);
  const wentWell = entries.findLastIndex((entry) => entry?.msg === "listed the buckets");
  const trouble = log.filter((_, index) => index > wentWell && isTrouble(entries[index]));
  const start = log.lastIndexOf("Buckets:");
  const listing = start < 0 ? [] : log.slice(start).filter((line) => !line.startsWith("{"));
  if (trouble.length === 0) return listing.length > 0 ? listing : ["(no listing yet)"];
  const asOf = entries[wentWell]?.time;
  return [
    ...trouble,
    ...(asOf === undefined ? [] : [`The last listing that went well, at ${asOf}:`, ...listing]),
  ];
}

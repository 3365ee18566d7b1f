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

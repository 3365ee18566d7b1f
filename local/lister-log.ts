/** A line that the lister logs as JSON; the others are what it lists. */
export interface Entry {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  readonly error?: string;
}

/** The lines of a log, as entries where they are such. The last of a pod that was killed may be cut off. */
export const entriesOf = (log: readonly string[]): readonly (Entry | undefined)[] => log.map(entryOf);

function entryOf(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

export const isListing = (entry: Entry | undefined): boolean => entry?.msg === "listed the buckets";

/** Refusals in a row that are none of chance: not one that was under way while permissions changed. */
const enough = 2;

/**
 * Whether AWS refuses the lister, for which waiting is no cure: it was refused since then, more than once, and has not listed.
 */
export function isRefused(log: readonly string[], since: Date): boolean {
  const entries = entriesOf(log).filter((entry) => entry !== undefined && new Date(entry.time) >= since);
  const refusals = entries.filter((entry) => entry?.error?.includes("AccessDenied"));
  return refusals.length >= enough && !entries.some(isListing);
}

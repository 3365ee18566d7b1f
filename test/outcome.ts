/** What tests came to. */
export interface Outcome {
  readonly passed: number;
  /** Also those that a suite did not come to, since one before them failed. */
  readonly skipped: number;
  /** Which failed, and what each said: a line each, where it is closed with. */
  readonly failures: readonly string[];
}

export const nothing: Outcome = { passed: 0, skipped: 0, failures: [] };

export const sum = (one: Outcome, other: Outcome): Outcome => ({
  passed: one.passed + other.passed,
  skipped: one.skipped + other.skipped,
  failures: [...one.failures, ...other.failures],
});

export function countLine({ passed, failures, skipped }: Outcome): string {
  const skips = skipped > 0 ? `, ${skipped} skipped` : "";
  return `${passed} passed, ${failures.length} failed${skips}`;
}

/** What a command of tests closes with: the failures, so that the end of a long log names them, and a line that counts. */
export const closing = (outcome: Outcome): string =>
  [...outcome.failures.map((failure) => `✖ ${inOneLine(failure)}`), countLine(outcome)].join("\n");

const inOneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
};

/**
 * What a command closed with, from all that it printed; undefined where it counted nothing. One that counts failures without
 * naming them is believed.
 */
export function readClosing(output: string): Outcome | undefined {
  const last = [...output.matchAll(/((?:^✖ .*\n)*)^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(
    -1,
  );
  if (last === undefined) return undefined;
  const [, names = "", passed, failed, skipped = 0] = last;
  const failures = names
    .split("\n")
    .filter(Boolean)
    .map((line) => line.slice("✖ ".length));
  while (failures.length < Number(failed)) failures.push("a failure that was not named");
  return { passed: Number(passed), skipped: Number(skipped), failures };
}

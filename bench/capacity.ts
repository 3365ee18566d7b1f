import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measured } from "./capacity/engine";
import { filled } from "./capacity/markdown";
import { measureEngine } from "./capacity/measure-engine";
import { parts } from "./capacity/tables";

// How much fits: computes the tables of docs/scale.md from the quotas (capacity/quotas.ts), what an organisation runs
// (capacity/example.ts) and what was measured of the engine (capacity/measured.json), and writes them into the page.
//
//   npx tsx bench/capacity.ts             computes, prints, writes the page
//   npx tsx bench/capacity.ts --measure   measures the engine again before that: an hour, on two cores

export const page = join(__dirname, "..", "docs", "scale.md");
const measuredFile = join(__dirname, "capacity", "measured.json");

export interface CapacityOptions {
  /** Measure the engine again, and keep what comes of it. Default: what was kept. */
  readonly measure?: boolean;
  /** Shows what it is at. */
  readonly say?: (line: string) => void;
}

/** What was measured of the engine, and kept. */
export const kept = (): Measured => JSON.parse(readFileSync(measuredFile, "utf8")) as Measured;

/** Computes the generated parts, and writes them into the page. Gives them by name. */
export async function capacity({
  measure = false,
  say = () => {},
}: CapacityOptions = {}): Promise<Record<string, string>> {
  if (measure) {
    const sizes = [1, 10, 30, 100, 300, 1000];
    // What there is so far is kept too: the last stack takes longer than all the others.
    const onSample = (measured: Measured): void =>
      writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
    await measureEngine({ sizes, sizesWithoutCheckpoints: sizes, say, onSample });
  }
  const generated = parts(kept());
  writeFileSync(page, filled(readFileSync(page, "utf8"), generated));
  return generated;
}

if (require.main === module) {
  capacity({ measure: process.argv.includes("--measure"), say: (line) => console.error(line) }).then(
    (generated) => {
      for (const [name, part] of Object.entries(generated)) console.log(`\n${name}\n\n${part}`);
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Measured, together } from "./capacity/engine.ts";
import { filled } from "./capacity/markdown.ts";
import { measureEngine } from "./capacity/measure-engine.ts";
import { parts } from "./capacity/tables.ts";

// How much fits: computes the tables of docs/scale.md from the quotas (capacity/quotas.ts), what an organisation runs
// (capacity/example.ts) and what was measured of the engine (capacity/measured.json), and writes them into the page.
//
//   node bench/capacity.ts                     computes, prints, writes the page
//   node bench/capacity.ts --measure=1,10,100  measures the engine on stacks of so many bindings before that

export const page = join(import.meta.dirname, "..", "docs", "scale.md");
const measuredFile = join(import.meta.dirname, "capacity", "measured.json");

export interface CapacityOptions {
  /** Bindings of stacks to measure the engine on, and to keep what comes of it. 1,000 take half an hour. Default none: what was kept. */
  readonly measure?: readonly number[];
  /** Shows what it is at. */
  readonly say?: (line: string) => void;
}

/** What was measured of the engine, and kept. */
export const kept = (): Measured => JSON.parse(readFileSync(measuredFile, "utf8")) as Measured;

/** Computes the generated parts, and writes them into the page. Gives them by name. */
export async function capacity({
  measure = [],
  say = () => {},
}: CapacityOptions = {}): Promise<Record<string, string>> {
  if (measure.length > 0) {
    const before = kept();
    // After each stack, for the last one takes longer than all the others.
    const onSample = (now: Measured): void =>
      writeFileSync(measuredFile, `${JSON.stringify(together(before, now), null, 2)}\n`);
    await measureEngine({ sizes: measure, say, onSample });
  }
  const generated = parts(kept());
  writeFileSync(page, filled(readFileSync(page, "utf8"), generated));
  return generated;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { measure: { type: "string", default: "" } } });
  const measure = values.measure.split(",").filter(Boolean).map(Number);
  capacity({ measure, say: (line) => console.error(line) }).then(
    (generated) => {
      for (const [name, part] of Object.entries(generated)) console.log(`\n${name}\n\n${part}`);
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}

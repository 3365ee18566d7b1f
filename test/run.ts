import { availableParallelism } from "node:os";
import PQueue from "p-queue";
import { type Check, type Counts, checks, type Time } from "./checks.ts";

// What `npm test` runs: the checks side by side, as many as there are cores. Says while it runs which are under way, how
// far and how long; what a check printed is shown only when something in it failed. The last line counts them all.
// `npm test -- --slowest` lists the ten tests that took longest.

const terminal = process.stderr.isTTY === true;
/** Milliseconds between two looks at what is under way. */
const interval = terminal ? 500 : 10_000;

const times: Time[] = [];
const running = new Map<Check, { since: number; at: string }>();
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function show(): void {
  const parts = [...running].map(
    ([{ name }, { since, at }]) => `${name}${at && ` ${at}`} (${seconds(since)})`,
  );
  if (parts.length === 0) return;
  if (!terminal) process.stderr.write(`  … ${parts.join(", ")}\n`);
  else process.stderr.write(`\r\x1b[K… ${parts.join(", ")}`.slice(0, (process.stderr.columns ?? 80) + 4));
}

async function carryOut(check: Check): Promise<Counts> {
  const state = { since: performance.now(), at: "" };
  running.set(check, state);
  const {
    output,
    times: own = [],
    ...counts
  } = await check.run((at) => {
    state.at = at;
  });
  running.delete(check);
  times.push(...own);
  if (terminal) process.stderr.write("\r\x1b[K");
  const { passed, failed, skipped } = counts;
  const skips = skipped > 0 ? `, ${skipped} skipped` : "";
  const mark = failed > 0 ? "✖" : "✔";
  console.log(`${mark} ${check.name}: ${passed} passed, ${failed} failed${skips} (${seconds(state.since)})`);
  if (failed > 0 || passed === 0) console.log(output);
  return counts;
}

const since = performance.now();
const queue = new PQueue({ concurrency: availableParallelism() });
const timer = setInterval(show, interval);
const results = new Map<string, Promise<Counts>>();
for (const check of checks) {
  const before = check.after === undefined ? Promise.resolve() : results.get(check.after);
  const start = () => (check.waits ? carryOut(check) : queue.add(() => carryOut(check)));
  results.set(check.name, Promise.resolve(before).then(start));
}
const all = await Promise.all(results.values());
clearInterval(timer);

if (process.argv.includes("--slowest")) {
  for (const { test, milliseconds } of times.sort((a, b) => b.milliseconds - a.milliseconds).slice(0, 10)) {
    console.log(`  ${(milliseconds / 1000).toFixed(1).padStart(5)} s  ${test}`);
  }
}

const total = (key: keyof Counts): number => all.reduce((sum, counts) => sum + counts[key], 0);
const skipped = total("skipped") > 0 ? `, ${total("skipped")} skipped` : "";
console.log(`in ${seconds(since)}`);
console.log(`${total("passed")} passed, ${total("failed")} failed${skipped}`);
process.exitCode = total("failed") > 0 ? 1 : 0;

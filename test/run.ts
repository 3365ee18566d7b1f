import { availableParallelism } from "node:os";
import PQueue from "p-queue";
import { type Check, checks, type Time } from "./checks.ts";
import { closing, countLine, nothing, type Outcome, sum } from "./outcome.ts";

// What `npm test` runs: the checks side by side, as many as there are cores. Says while it runs which are under way, how
// far and how long; what a check printed is shown only when something in it failed. The last lines name what failed, and count.
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

async function carryOut(check: Check): Promise<Outcome> {
  const state = { since: performance.now(), at: "" };
  running.set(check, state);
  const {
    output,
    times: own = [],
    ...outcome
  } = await check.run((at) => {
    state.at = at;
  });
  running.delete(check);
  times.push(...own);
  if (terminal) process.stderr.write("\r\x1b[K");
  const failed = outcome.failures.length > 0;
  console.log(`${failed ? "✖" : "✔"} ${check.name}: ${countLine(outcome)} (${seconds(state.since)})`);
  if (failed || outcome.passed === 0) console.log(output);
  return outcome;
}

const since = performance.now();
const queue = new PQueue({ concurrency: availableParallelism() });
const timer = setInterval(show, interval);
const results = new Map<string, Promise<Outcome>>();
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

const outcome = all.reduce(sum, nothing);
console.log(`in ${seconds(since)}`);
console.log(closing(outcome));
process.exitCode = outcome.failures.length > 0 ? 1 : 0;

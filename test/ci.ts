import { spawn } from "node:child_process";
import { closing, nothing, readClosing, sum } from "./outcome.ts";

/** The commands of a CI run, each of which closes with what failed and a count. */
const commands = [
  ["npm", "test"],
  ["npm", "run", "test:faults"],
  // Before the end-to-end tests: those leave local up.
  ["npm", "run", "bench", "--", "--short"],
  ["npm", "run", "test:local"],
] as const;

let outcome = nothing;
for (const [name, ...args] of commands) {
  const line = [name, ...args].join(" ");
  console.log(`\n$ ${line}`);
  const since = performance.now();
  const { output, exitCode } = await run(name, args);
  const minutes = (performance.now() - since) / 60_000;
  console.log(`(${line}: ${minutes.toFixed(1)} min)`);
  const own = readClosing(output) ?? nothing;
  // A command that counted nothing, or that failed without a failure, has failed as a whole.
  const whole =
    own.passed === 0 || (exitCode !== 0 && own.failures.length === 0) ? [`ended with ${exitCode}`] : [];
  const failures = [...own.failures, ...whole].map((failure) => `${line}: ${failure}`);
  outcome = sum(outcome, { ...own, failures });
}
console.log(`\n${closing(outcome)}`);
process.exitCode = outcome.failures.length > 0 ? 1 : 0;

function run(name: string, args: readonly string[]): Promise<{ output: string; exitCode: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, FAULTS: "short" },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      process.stdout.write(chunk);
    });
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ output, exitCode: exitCode ?? 1 }));
  });
}

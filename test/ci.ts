import { spawn } from "node:child_process";

/** The commands of a CI run, each of which closes with a line `N passed, N failed[, N skipped]`. */
const commands = [
  ["npm", "test"],
  ["npm", "run", "test:faults"],
  // Before the end-to-end tests: those leave local up.
  ["npm", "run", "bench", "--", "--short"],
  ["npm", "run", "test:local"],
] as const;

const total = { passed: 0, failed: 0, skipped: 0 };
let code = 0;

async function main(): Promise<void> {
  for (const [name, ...args] of commands) {
    console.log(`\n$ ${[name, ...args].join(" ")}`);
    const { output, exitCode } = await run(name, args);
    const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
    total.passed += Number(counts?.[1] ?? 0);
    total.failed += Number(counts?.[2] ?? 0);
    total.skipped += Number(counts?.[3] ?? 0);
    // A command that failed without a count, or that counted nothing, has failed as a whole.
    if (counts === undefined || (exitCode !== 0 && counts[2] === "0")) total.failed += 1;
    if (exitCode !== 0 || counts === undefined) code = 1;
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exit(code);
}

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

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

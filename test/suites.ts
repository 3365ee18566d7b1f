import Mocha from "mocha";
import { nothing, type Outcome, sum } from "./outcome.ts";

/**
 * Runs files of tests one after the other, and shows each test as it ends; of a file in which none is asked for, nothing.
 * Each file has a run of its own: within one run, a failure would end every later suite that bails.
 *
 * @param grep What the tests' full names must hold; all of them by default. Where none does, that is a failure.
 */
export async function runSuites(files: readonly string[], grep = ""): Promise<Outcome> {
  let outcome = nothing;
  for (const file of files) {
    const mocha = new Mocha({ reporter: "spec", color: process.stdout.isTTY });
    mocha.addFile(file);
    mocha.grep(grep);
    await mocha.loadFilesAsync();
    let asked = 0;
    mocha.suite.eachTest((test: Mocha.Test) => {
      if (test.fullTitle().includes(grep)) asked += 1;
    });
    if (asked > 0) outcome = sum(outcome, await runOne(mocha));
  }
  if (outcome.passed + outcome.failures.length > 0) return outcome;
  return { ...outcome, failures: [`no test was run${grep && ` whose name holds ${JSON.stringify(grep)}`}`] };
}

async function runOne(mocha: Mocha): Promise<Outcome> {
  const failures: string[] = [];
  const runner = await new Promise<Mocha.Runner>((resolve) => {
    const running = mocha.run(() => resolve(running));
    running.on("fail", (test, error) => failures.push(`${test.fullTitle()}: ${error.message ?? error}`));
  });
  // Else its listeners for stray errors stay on the process, some for each file.
  runner.dispose();
  const { passes = 0 } = runner.stats ?? {};
  // A hook that fails is a failure beside the tests.
  return { passed: passes, failures, skipped: Math.max(0, runner.total - passes - failures.length) };
}

import Mocha from "mocha";

/** How many tests came to which end. */
export interface Counts {
  passed: number;
  failed: number;
  /** Also those that a suite did not come to, since one before them failed. */
  skipped: number;
}

/**
 * Runs files of tests one after the other, and shows each test as it ends. Each file has a run of its own: within one run, a
 * failure would end every later suite that bails.
 *
 * @param grep What the tests' names must match; all of them by default.
 */
export async function runSuites(files: readonly string[], grep = ""): Promise<Counts> {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    const mocha = new Mocha({ reporter: "spec", color: process.stdout.isTTY });
    mocha.addFile(file);
    mocha.grep(grep);
    const runner = await new Promise<Mocha.Runner>((resolve) => {
      const running = mocha.run(() => resolve(running));
    });
    const { passes = 0, failures = 0 } = runner.stats ?? {};
    total.passed += passes;
    total.failed += failures;
    // A hook that fails is a failure beside the tests.
    total.skipped += Math.max(0, runner.total - passes - failures);
  }
  return total;
}

/** The line that CI adds up. */
export const countLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

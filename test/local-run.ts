import { join } from "node:path";
import Mocha from "mocha";

// What `npm run test:local` runs: the end-to-end tests, one after the other, shown as they end. Closes with a count.

const mocha = new Mocha({ reporter: "spec", color: process.stdout.isTTY });
// The order: the last takes everything down, and looks that nothing is left.
for (const name of [
  "irsa",
  "adopt",
  "automation",
  "package",
  "example",
  "doctor",
  "refusals",
  "java",
  "local",
])
  mocha.addFile(join(import.meta.dirname, "e2e", `${name}.e2e.ts`));
mocha.grep(process.argv[2] ?? "");

const runner = mocha.run((failures) => {
  const { passes = 0, pending = 0 } = runner.stats ?? {};
  // With nothing run, something is wrong with the run itself.
  const failed = failures + (passes + failures === 0 ? 1 : 0);
  console.log(`${passes} passed, ${failed} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
  process.exit(failed > 0 ? 1 : 0);
});

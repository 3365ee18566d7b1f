import { globSync } from "node:fs";
import { join } from "node:path";
import { closing } from "./outcome.ts";
import { runSuites } from "./suites.ts";

// What `npm run test:local` runs: the end-to-end tests, one after the other, shown as they end. Closes with what
// failed, and a count. `npm run test:local -- NAME` runs those tests whose names hold it.

const folder = join(import.meta.dirname, "e2e");
// The order: the last takes everything down, and looks that nothing is left; doctor-command looks what the doctor's others did.
const suites = [
  "irsa",
  "adopt",
  "admission",
  "automation",
  "package",
  "example",
  "doctor-chain",
  "doctor-pods",
  "doctor-other-chains",
  "doctor-command",
  "audit",
  "refusals",
  "deployer",
  "java",
  "pod-identity",
  "local",
];

const files = suites.map((name) => `${name}.e2e.ts`);
const unordered = globSync("*.e2e.ts", { cwd: folder }).filter((file) => !files.includes(file));
if (unordered.length > 0)
  throw new Error(`test/local-run.ts does not say when these run: ${unordered.join(", ")}.`);

const outcome = await runSuites(
  files.map((file) => join(folder, file)),
  process.argv[2],
);
console.log(closing(outcome));
process.exit(outcome.failures.length > 0 ? 1 : 0);

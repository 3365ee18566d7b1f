import { join } from "node:path";
import { closing } from "./outcome.ts";
import { runSuites } from "./suites.ts";

// What `npm run test:local` runs: the end-to-end tests, one after the other, shown as they end. Closes with what
// failed, and a count. `npm run test:local -- NAME` runs those tests whose names hold it.

// The order: the last takes everything down, and looks that nothing is left.
const suites = [
  "irsa",
  "adopt",
  "admission",
  "automation",
  "package",
  "example",
  "doctor",
  "audit",
  "refusals",
  "deployer",
  "java",
  "pod-identity",
  "local",
];

const outcome = await runSuites(
  suites.map((name) => join(import.meta.dirname, "e2e", `${name}.e2e.ts`)),
  process.argv[2],
);
console.log(closing(outcome));
process.exit(outcome.failures.length > 0 ? 1 : 0);

import { join } from "node:path";
import { countLine, runSuites } from "./suites.ts";

// What `npm run test:local` runs: the end-to-end tests, one after the other, shown as they end. Closes with a count.

// The order: the last takes everything down, and looks that nothing is left.
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

const counts = await runSuites(
  suites.map((name) => join(import.meta.dirname, "e2e", `${name}.e2e.ts`)),
  process.argv[2],
);
// With nothing run, something is wrong with the run itself.
if (counts.passed + counts.failed === 0) counts.failed = 1;
console.log(countLine(counts));
process.exit(counts.failed > 0 ? 1 : 0);

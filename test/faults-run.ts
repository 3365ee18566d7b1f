import { readdirSync } from "node:fs";
import { join } from "node:path";
import { alive } from "../local/machine/process.ts";
import { load } from "../local/state.ts";
import { local, works } from "./e2e/tools.ts";
import { closing, type Outcome, sum } from "./outcome.ts";
import { runSuites } from "./suites.ts";

// What `npm run test:faults` runs. Closes with what failed and a count, and leaves local up or down
// as it was.

const folder = join(import.meta.dirname, "faults");
/** Those that need the live parts come last, and share them: the first brings local up where it is not. */
const onLocal = [
  "drift",
  "secrets",
  "api",
  "concurrency",
  "migration",
  "cluster-replacement",
  "kill",
  "soak",
];

const names = readdirSync(folder)
  .filter((file) => file.endsWith(".faults.ts"))
  .map((file) => file.replace(".faults.ts", ""));
const wasUp = load()?.daemons.some(alive) === true;

let outcome: Outcome = await runSuites(
  [...names.filter((one) => !onLocal.includes(one)), ...onLocal].map((name) =>
    join(folder, `${name}.faults.ts`),
  ),
  process.argv[2],
);
if (!wasUp && load() !== undefined) {
  await works(local("down")).catch((error: unknown) => {
    outcome = sum(outcome, { passed: 0, skipped: 0, failures: [`npm run local -- down: ${String(error)}`] });
  });
}
console.log(closing(outcome));
process.exit(outcome.failures.length > 0 ? 1 : 0);

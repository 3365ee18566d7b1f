import { readdirSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";
import { alive } from "../local/machine/process.ts";
import { load } from "../local/state.ts";
import { local, works } from "./e2e/tools.ts";

// What `npm run test:faults` runs. Closes with a count, and leaves local up or down as it was.

const folder = join(import.meta.dirname, "faults");
/** Those that need the live parts come last, and share them: the first brings local up where it is not. */
const onLocal = ["drift", "secrets", "api", "concurrency", "kill"];

const names = readdirSync(folder)
  .filter((file) => file.endsWith(".faults.ts"))
  .map((file) => file.replace(".faults.ts", ""));
const mocha = new Mocha({ reporter: "spec", color: process.stdout.isTTY });
for (const name of [...names.filter((one) => !onLocal.includes(one)), ...onLocal]) {
  mocha.addFile(join(folder, `${name}.faults.ts`));
}
mocha.grep(process.argv[2] ?? "");
const wasUp = load()?.daemons.some(alive) === true;
const runner = mocha.run((failures) => {
  const { passes = 0 } = runner.stats ?? {};
  const end = (more: number): void => {
    console.log(`${passes} passed, ${failures + more} failed`);
    process.exit(failures + more > 0 || passes === 0 ? 1 : 0);
  };
  if (wasUp || load() === undefined) return end(0);
  works(local("down")).then(
    () => end(0),
    (error: unknown) => {
      console.error(error);
      end(1);
    },
  );
});

import { readdirSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";

// What `npm run test:faults` runs. Closes with a count.

const folder = join(__dirname, "faults");
const mocha = new Mocha({ reporter: "spec", color: process.stdout.isTTY });
for (const file of readdirSync(folder)) if (file.endsWith(".faults.ts")) mocha.addFile(join(folder, file));
mocha.grep(process.argv[2] ?? "");
const runner = mocha.run((failures) => {
  const { passes = 0 } = runner.stats ?? {};
  console.log(`${passes} passed, ${failures} failed`);
  process.exit(failures > 0 || passes === 0 ? 1 : 0);
});

// What Node.js loads before this project's TypeScript: `nodeargs` in Pulumi.yaml, and the scripts of package.json. In
// JavaScript that any Node.js runs, since it is what tells an old one that it is too old.

import { readFileSync } from "node:fs";
import module from "node:module";
import process from "node:process";

if (!process.features.typescript) {
  const { engines } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  process.stderr.write(
    `This program needs Node.js ${engines.node}; ${process.execPath} is ${process.version}. See .nvmrc.\n`,
  );
  process.exit(1);
}

// What was compiled once is not compiled again at the next start: the modules of the SDK, 770 of them, take longest.
module.enableCompileCache();

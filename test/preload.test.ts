import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dirname, "..");
const node = (...args: string[]) =>
  spawnSync(process.execPath, ["--import", "./preload.js", ...args], { cwd: root, encoding: "utf8" });

describe("what is loaded before the program", () => {
  it("tells a Node.js that runs no TypeScript so in one line, before it fails at the first import", () => {
    const { status, stderr } = node("--no-strip-types", "index.ts");
    expect(status).to.equal(1);
    expect(stderr.trim().split("\n")).to.have.length(1);
    expect(stderr).to.contain(`needs Node.js ${manifest.engines.node}`).and.to.contain(process.version);
  });

  it("has what is compiled kept for the next start", () => {
    const ask = 'console.log(require("node:module").getCompileCacheDir() !== undefined)';
    expect(node("--eval", ask).stdout).to.equal("true\n");
  });
});

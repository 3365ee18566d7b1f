import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { countLine } from "./suites.ts";

describe("suites of live tests", () => {
  const folder = mkdtempSync(join(tmpdir(), "suites-"));
  after(() => rmSync(folder, { recursive: true }));

  const suite = (name: string, ...tests: readonly string[]): string => {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, `describe("${name}", function () { this.bail(true); ${tests.join("\n")} });`);
    return file;
  };
  const holds = (name: string): string => `it("${name}", () => {});`;

  it("end where they bail, without ending those after them, and count what was not run", async () => {
    const files = [
      suite("first", holds("a"), 'it("b", () => { throw new Error("no"); });', holds("c"), holds("d")),
      suite("second", holds("e")),
    ];
    const source = `
      const { runSuites, countLine } = await import(${JSON.stringify(join(import.meta.dirname, "suites.ts"))});
      console.log(countLine(await runSuites(${JSON.stringify(files)})));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source]);
    expect(stdout.trimEnd().split("\n").at(-1)).to.equal("2 passed, 1 failed, 2 skipped");
  });

  it("say nothing of skipped tests where there are none", () => {
    expect(countLine({ passed: 3, failed: 0, skipped: 0 })).to.equal("3 passed, 0 failed");
  });
});

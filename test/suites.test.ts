import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { readClosing } from "./outcome.ts";

describe("suites of live tests", () => {
  const folder = mkdtempSync(join(tmpdir(), "suites-"));
  after(() => rmSync(folder, { recursive: true }));

  const suite = (name: string, ...tests: readonly string[]): string => {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, `describe("${name}", function () { this.bail(true); ${tests.join("\n")} });`);
    return file;
  };
  /** In a process of its own: these tests are a run of Mocha already. */
  const run = async (files: readonly string[], ...grep: readonly string[]) => {
    const modules = ["suites.ts", "outcome.ts"].map((name) =>
      JSON.stringify(join(import.meta.dirname, name)),
    );
    const source = `
      const [{ runSuites }, { closing }] = [await import(${modules[0]}), await import(${modules[1]})];
      console.log(closing(await runSuites(${[files, ...grep].map((one) => JSON.stringify(one)).join()})));`;
    const ended = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source]);
    return { ...ended, outcome: readClosing(ended.stdout) };
  };
  const holds = (name: string): string => `it("${name}", () => {});`;

  it("end where they bail, without ending those after them, and count what was not run", async () => {
    const files = [
      suite("first", holds("a"), 'it("b", () => { throw new Error("no"); });', holds("c"), holds("d")),
      suite("second", holds("e")),
    ];
    const { outcome } = await run(files);
    expect(outcome).to.deep.equal({ passed: 2, skipped: 2, failures: ["first b: no"] });
  });

  it("say nothing of a file in which no test is asked for, and that there was none at all", async () => {
    const files = [suite("third", holds("f")), suite("fourth", holds("g"))];
    const { outcome, stdout } = await run(files, "fourth g");
    expect(outcome).to.deep.equal({ passed: 1, skipped: 0, failures: [] });
    expect(stdout).to.contain("fourth").and.not.to.contain("third").and.not.to.contain("0 passing");
    expect((await run(files, "fifth")).outcome?.failures).to.deep.equal([
      'no test was run whose name holds "fifth"',
    ]);
  });

  it("leave no listeners on the process", async () => {
    const files = Array.from({ length: 12 }, (_, index) => suite(`many ${index}`, holds("x")));
    expect((await run(files)).stderr).to.equal("");
  });
});

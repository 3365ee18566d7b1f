import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";

// The rules of biome.jsonc that the recommended ones do not have, each on a planted fault and on its mended form.

const root = join(import.meta.dirname, "..");

describe("lint", function () {
  this.timeout("1m");
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-lint-"));
    for (const name of ["biome.jsonc", ".gitignore"]) copyFileSync(join(root, name), join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Where rules were broken, as "file:line rule". */
  function lint(files: Readonly<Record<string, string>>): string[] {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const { status, stdout, stderr } = spawnSync(
      join(root, "node_modules", ".bin", "biome"),
      ["lint", "--reporter=github", "--max-diagnostics=none", "."],
      { cwd: folder, encoding: "utf8" },
    );
    const found = [...stdout.matchAll(/^::error title=lint\/\w+\/(\w+),file=([^,]+),line=(\d+),/gm)];
    expect(status, stdout + stderr).to.equal(found.length > 0 ? 1 : 0);
    return found.map(([, rule, file = "", line]) => `${basename(file)}:${line} ${rule}`).sort();
  }

  it("finds a promise that nobody waits for, of a function from another file too", () => {
    const work = "export async function work(): Promise<number> {\n  return 1;\n}\n";
    const planted = [
      'import { work } from "./work.ts";',
      "class Worker {",
      "  async run(): Promise<void> {}",
      "}",
      "work();",
      "new Worker().run();",
      "[1, 2].map(async (one) => one);",
      "Promise.all([work()]);",
      "setTimeout(async () => {",
      "  work();",
      "}, 1);",
      'fetch("http://127.0.0.1");',
      "work().then((one) => one);",
    ];
    const lines = [5, 6, 7, 8, 10, 12, 13];
    expect(lint({ "work.ts": work, "x.ts": `${planted.join("\n")}\n` })).to.deep.equal(
      lines.map((line) => `x.ts:${line} noFloatingPromises`).sort(),
    );
  });

  it("takes one that is waited for, handled, or left on purpose", () => {
    const fine = [
      "async function work(): Promise<number> {",
      "  return 1;",
      "}",
      "await work();",
      "void work();",
      "work().catch(console.error);",
      "export const later = work();",
    ];
    expect(lint({ "x.ts": `${fine.join("\n")}\n` })).to.deep.equal([]);
  });

  it("finds a circle of imports", () => {
    expect(
      lint({
        "a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
        "b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n',
      }),
    ).to.deep.equal(["a.ts:1 noImportCycles", "b.ts:1 noImportCycles"]);
  });
});

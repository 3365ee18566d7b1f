import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

describe("the stack command", () => {
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, ["--import", "./preload.js", "automation/cli.ts", ...args], {
      encoding: "utf8",
      env: { ...process.env, ...env },
      cwd: join(import.meta.dirname, "..", ".."),
    });

  it("exits 2 on a command line that it cannot take, and says what is near, or missing, or too much", () => {
    const cases: [args: string[], says: string][] = [
      [["upp", "dev"], "error: unknown command 'upp'\n(Did you mean up?)"],
      [["preveiw", "dev"], "error: unknown command 'preveiw'\n(Did you mean preview?)"],
      [["preview"], "error: missing required argument 'stack'"],
      [["preview", "dev", "prod"], "error: too many arguments for 'preview'. Expected 1 argument but got 2."],
      [["up", "dev", "--yess"], "error: unknown option '--yess'\n(Did you mean --yes?)"],
    ];
    for (const [args, says] of cases) {
      const { status, stdout, stderr } = run({}, ...args);
      expect(stderr, args.join(" ")).to.equal(`${says}\n(--help lists what there is)\n`);
      expect(status, args.join(" ")).to.equal(2);
      expect(stdout).to.equal("");
    }
  });

  it("helps, within 80 columns, and says what its exit codes mean", () => {
    const { status, stdout } = run({}, "--help");
    expect(status).to.equal(0);
    expect(stdout).to.contain("Exit codes: 0 done, 1 failed, 2 bad configuration or command line,");
    expect(stdout.split("\n").filter((line) => line.length > 80)).to.deep.equal([]);
  });

  it("exits 5 without an engine, and says how to get one", () => {
    const empty = mkdtempSync(join(tmpdir(), "eks-irsa-cli-"));
    try {
      writeFileSync(join(empty, "Pulumi.x.yaml"), "config:\n  aws:region: eu-west-1\n");
      const { status, stderr } = run({ PATH: empty }, "preview", "x", "--folder", empty);
      expect(status).to.equal(5);
      expect(stderr).to.contain("https://www.pulumi.com/docs/install/");
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});

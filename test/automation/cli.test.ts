import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

describe("the stack command", () => {
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "..", "..", "automation", "cli.ts"), ...args], {
      encoding: "utf8",
      env: { ...process.env, ...env },
      cwd: join(import.meta.dirname, "..", ".."),
    });

  it("exits 2 on a command line that it does not know, and lists what there is", () => {
    const { status, stderr } = run({}, "upp", "dev");
    expect(status).to.equal(2);
    expect(stderr).to.contain("unknown command 'upp'").and.contain("(--help lists the commands)");
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

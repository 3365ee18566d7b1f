import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { arnOf } from "./clean.ts";
import { FakeCloud } from "./fake-cloud.ts";

describe("the audit command", () => {
  const root = join(import.meta.dirname, "..", "..");
  let cloud: FakeCloud;
  let folder: string;

  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL: cloud.url,
        AWS_ACCESS_KEY_ID: "none",
        AWS_SECRET_ACCESS_KEY: "none",
        AWS_MAX_ATTEMPTS: "1",
        KUBECONFIG: join(folder, "kubeconfig.json"),
      };
      execFile(
        process.execPath,
        ["--import", "./preload.js", "audit/cli.ts", ...args],
        { cwd: root, env },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  const audit = (...more: string[]) => run("--cluster=dev", "--region=eu-central-1", ...more);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-audit-"));
    cloud = new FakeCloud();
    await cloud.start();
    writeFileSync(join(folder, "kubeconfig.json"), cloud.kubeconfig());
    cloud.add("reader");
  });
  beforeEach(() => {
    cloud.nodegroups = [];
  });
  after(async () => {
    await cloud.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("says what its exit codes mean", async () => {
    const { code, stdout } = await run("--help");
    expect(code).to.equal(0);
    expect(stdout).to.contain("Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 could not look");
  });

  it("exits 0 on a clean cluster", async () => {
    const { code, stdout, stderr } = await audit();
    expect(code, stdout + stderr).to.equal(0);
    expect(stdout).to.match(/dev: 1 ServiceAccount has a role; nothing was found\.\n$/);
  });

  it("exits 1 on findings, from --fail-on upwards, and writes them for programs", async () => {
    cloud.nodegroups = [{ nodegroupName: "default", nodeRole: arnOf("reader") }];
    const file = join(folder, "audit.sarif");
    const high = await audit("--json", `--sarif=${file}`);
    expect(high).to.include({ code: 1 });
    expect(JSON.parse(high.stdout).findings[0]).to.include({ id: "node-hop-limit", severity: "high" });
    expect(JSON.parse(readFileSync(file, "utf8")).runs[0].results[0]).to.include({
      ruleId: "node-hop-limit",
    });
    const critical = await audit("--fail-on=critical");
    expect(critical).to.include({ code: 0 });
    expect(critical.stdout).to.contain("high      NodeGroup default  (node-hop-limit)");
    expect(critical.stdout).to.contain("1 finding (1 high), none at or above critical.");
  });

  it("exits 2 where it could not look, or not at everything", async () => {
    cloud.lists["/api/v1/secrets"] = "refused";
    expect(await audit("--fail-on=low")).to.include({ code: 2 });
    delete cloud.lists["/api/v1/secrets"];
    const gone = await run("--cluster=prod", "--region=eu-central-1");
    expect(gone).to.include({ code: 2, stdout: "" });
  });

  it("exits 2 on a command line that it cannot take, in one sentence", async () => {
    expect(await run("--cluster=dev")).to.deep.equal({
      code: 2,
      stdout: "",
      stderr: "--region must be given, or the name of a stack that has them as outputs.\n",
    });
    expect(await run("--clutser=dev")).to.include({ code: 2 });
  });
});

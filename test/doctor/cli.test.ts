import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

describe("the doctor command", () => {
  const root = join(import.meta.dirname, "..", "..");
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, "doctor", "cli.ts"), ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, ...env },
      cwd: root,
    });

  it("says what its exit codes mean", () => {
    const { status, stdout } = run({}, "--help");
    expect(status).to.equal(0);
    expect(stdout).to.contain("Exit codes: 0 healthy, 1 broken, 2 could not look");
  });

  it("exits 2 on a command line that it cannot take, in one sentence", () => {
    const missing = run({}, "--cluster", "dev");
    expect(missing.status).to.equal(2);
    expect(missing.stderr).to.match(/^--region, --namespace, --service-account must be given[^\n]*\n$/);
    expect(run({}, "--clutser", "dev").status).to.equal(2);
  });

  it("exits 2 where it can reach nothing, and calls nothing healthy", () => {
    const flags = ["--cluster=dev", "--namespace=a", "--service-account=b", "--region=eu-west-1", "--json"];
    const { status, stdout } = run(
      {
        AWS_ENDPOINT_URL: "http://127.0.0.1:1",
        AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY: "none",
        AWS_MAX_ATTEMPTS: "1",
        KUBECONFIG: join(root, "test", "doctor", "kubeconfig.json"),
      },
      ...flags,
    );
    expect(status).to.equal(2);
    const { state, links } = JSON.parse(stdout);
    expect(state).to.equal("unseen");
    expect(links[0].finding).to.include({ state: "unseen" });
  });

  it("names a context that the kubeconfig does not have", () => {
    const { status, stderr } = run(
      { KUBECONFIG: join(root, "test", "doctor", "kubeconfig.json") },
      ...["--cluster=dev", "--namespace=a", "--service-account=b", "--region=eu-west-1", "--context=prod"],
    );
    expect(status).to.equal(2);
    expect(stderr).to.equal("The kubeconfig's context prod names no cluster; there are: here.\n");
  });
});

import { expect } from "chai";
import type { Report } from "../../local/cli/up-report.ts";
import { command, local, shellOf, works } from "./tools.ts";

// The lister in Java, and work by hand in the toolbox, as docs/local.md has it.

describe("npm run local with the lister in Java, and the toolbox", function () {
  this.timeout("15m");
  this.bail(true);

  let report: Report;
  const shell = (line: string) => works(command("sh", ["-c", line]));
  const java = ["--config", "app=java", "--config", "toolbox=true"];

  it("comes up: that pod's log lists the buckets, and every proof holds", async () => {
    const { stdout, seconds } = await works(local("up", ...java, "--yes", "--json"));
    console.log(`      up took ${seconds.toFixed(0)} s`);
    report = JSON.parse(stdout) as Report;
    expect(report.buckets).to.have.length.greaterThan(0);
    expect(report.proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
    expect(report.proofs).to.have.length.greaterThan(11);
    const env = await shellOf((await works(local("env"))).stdout);
    const args = ["get", "deployment", "-n", "s3-irsa", "s3-lister", "-o", "json"];
    const { spec } = JSON.parse((await works(command("kubectl", args, { env }))).stdout);
    expect(spec.template.spec.containers[0].resources.limits).to.deep.equal({ memory: "192Mi" });
  });

  it("does nothing the second time", async () => {
    const { stdout } = await works(local("up", ...java));
    expect(stdout).to.contain("nothing to do");
  });

  it("lets a person build and run it in the toolbox, with the lister's own permissions", async () => {
    await shell("tar -c -C app --exclude=target java | npm run --silent local -- exec tar -x");
    const { stdout } = await shell(
      "npm run --silent local -- exec sh -c 'cd java && mvn -q compile exec:java'",
    );
    for (const bucket of report.buckets) expect(stdout).to.contain(`* ${bucket} created on `);
    expect(stdout).to.match(/^Buckets:$/m);
    const { stdout: id } = await shell(
      "npm run --silent local -- exec sh -c 'id -u; env | grep -c SECRET || true'",
    );
    expect(id.trim().split("\n")).to.deep.equal(["65532", "0"]);
  });

  it("goes back to the lister in Go, and says that there is no toolbox then", async () => {
    const { stdout } = await works(local("up", "--json"));
    expect((JSON.parse(stdout) as Report).proofs.filter((proof) => !proof.ok)).to.deep.equal([]);
    const { code, stderr } = await local("exec", "true");
    expect(code).to.equal(1);
    expect(stderr).to.contain("up --config toolbox=true");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { files } from "../../local/run.ts";
import { brokenOf } from "../doctor/broken-of.ts";
import { filesNotRun, type LivePatient, mendsNotRun, withPatient, workload } from "./patient.ts";
import { command } from "./tools.ts";

// The doctor as a person calls it. The last of the doctor's files: it looks that these have run every mend that there is.

describe("the doctor, as a command", function () {
  this.timeout("5m");

  let patient: LivePatient;
  withPatient(import.meta.filename, this, (one) => {
    patient = one;
  });

  const doctor = (...args: string[]) =>
    command("npm", ["run", "--silent", "doctor", "--", ...args], { env: patient.shell });

  it("takes a stack, and writes the page", async () => {
    const file = join(patient.folder, "chain.html");
    const { code, stdout } = await doctor("local", "--html", file);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /s3-irsa\/s3-irsa on eks-irsa: healthy\. Its pods get the role's credentials\.\n$/,
    );
    expect(readFileSync(file, "utf8")).to.match(/<p class="conclusion healthy">/);
  });

  it("mends through the stack what the stack makes", async () => {
    await patient.run("kubectl delete serviceaccount -n s3-irsa s3-irsa");
    const finding = brokenOf(JSON.parse((await doctor("local", "--json")).stdout));
    expect(finding).to.include({ cause: "service-account-missing" });
    await patient.runMend(finding, {
      // Local keeps its stack's configuration beside its state.
      fill: { "--stack local": `--stack local --config-file ${files.stackConfig}` },
      env: { ...patient.shell, PULUMI_SKIP_CONFIRMATIONS: "true" },
    });
    expect((await doctor("local")).code).to.equal(0);
  });

  it("takes a cluster that this program did not make, and exits with 1 where the chain is broken", async () => {
    await patient.annotate(`${patient.roleArn}-gone`);
    const { cluster, namespace, serviceAccount } = workload;
    const flags = ["--cluster", cluster, "--namespace", namespace, "--service-account", serviceAccount];
    const { code, stdout } = await doctor(...flags, "--json");
    expect(code).to.equal(1);
    expect(brokenOf(JSON.parse(stdout))).to.include({ cause: "role-missing" });
    await patient.annotate(patient.roleArn);
  });

  it("exits with 2 where it could not look", async () => {
    const { code, stderr } = await doctor("--cluster", workload.cluster);
    expect(code).to.equal(2);
    expect(stderr).to.contain("--namespace, --service-account must be given");
    const typo = await doctor("lokal");
    expect(typo.code).to.equal(2);
    expect(typo.stderr).to.match(/^There is no stack lokal; there are: (.*, )?local(, .*)?\.\n$/);
  });
});

describe("the doctor, in all of these files", () => {
  it("has had every mend run that there is", function () {
    const unknown = filesNotRun();
    if (unknown.length > 0) {
      const test = this.test as Mocha.Runnable;
      test.title += `: cannot be told, since not all tests ran here of ${unknown.join(", ")}`;
      this.skip();
    }
    expect(mendsNotRun()).to.deep.equal([]);
  });
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { stackOutputs } from "../../doctor/stack-outputs.ts";

describe("the outputs of a stack", () => {
  const path = process.env.PATH;
  let folder: string;
  /** An engine that answers just this, and refuses all else. */
  const engine = (stacks: string): void => {
    const file = join(folder, "pulumi");
    writeFileSync(
      file,
      `#!/bin/sh
case "$*" in
  version*) echo v3.259.0 ;;
  "stack output --json --stack dev"*) echo '{"clusterName":"eks-dev","kubeconfig":"[secret]"}' ;;
  "stack output --json --show-secrets --stack dev"*) echo '{"clusterName":"eks-dev","kubeconfig":"{}"}' ;;
  "stack ls --json"*) ${stacks} ;;
  *) echo "error: no stack named 'dve' found" >&2; exit 6 ;;
esac
`,
    );
    chmodSync(file, 0o755);
  };
  const failure = (): Promise<string> =>
    stackOutputs("dve").then(
      () => "nothing",
      (error: Error) => error.message,
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-outputs-"));
    process.env.PATH = [folder, "/usr/bin", "/bin"].join(delimiter);
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });

  it("are read with secrets in clear", async () => {
    engine("exit 1");
    expect(await stackOutputs("dev")).to.deep.equal({ clusterName: "eks-dev", kubeconfig: "{}" });
  });

  it("of a stack that does not exist name those that do", async () => {
    engine(`echo '[{"name":"dev"},{"name":"prod"}]'`);
    expect(await failure()).to.equal("There is no stack dve; there are: dev, prod.");
    engine("echo '[]'");
    expect(await failure()).to.equal("There is no stack dve; there is none yet.");
  });

  it("say in the engine's words why they cannot be read", async () => {
    engine("exit 1");
    expect(await failure()).to.equal(
      "The outputs of the stack dve could not be read: no stack named 'dve' found.",
    );
  });

  it("say that there is no engine, and what else would do", async () => {
    expect(await failure())
      .to.contain("which is not on the PATH")
      .and.to.contain("--cluster");
  });
});

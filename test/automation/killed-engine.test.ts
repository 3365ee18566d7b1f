import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { associationType } from "../../automation/service-ids.ts";
import { engine } from "../faults/engine-process.ts";
import { engineIsThere, Stage } from "./stage.ts";

// The real engine, killed while EKS makes an association: the next `up` finds it by what EKS says, and makes no second, which EKS
// would refuse.

describe("an engine that is killed amid an association", function () {
  this.timeout(120_000);
  let stage: Stage;
  before(async function () {
    if (!engineIsThere) this.skip();
    stage = await new Stage().open();
    stage.configured({
      app: "none",
      cluster: { name: "dev", existing: true },
      // Its name has what else may be under way found, which is the role's list of policies.
      bindings: [
        { namespace: "team-a", serviceAccount: "app", identity: "pod-identity", role: { name: "app" } },
      ],
    });
  });
  after(() => stage?.close());

  /** An `aws` that says this. */
  function awsSays(answer: object): void {
    const folder = join(stage.folder, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, "aws"), `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
    chmodSync(join(folder, "aws"), 0o755);
    stage.env.PATH = [folder, stage.env.PATH].join(delimiter);
  }

  it("finds the association in the next up, and makes no second one", async () => {
    const subject = { namespace: "team-a", serviceAccount: "app" };
    let answered = (_: string): void => undefined;
    stage.creations[associationType] = () =>
      new Promise((resolve) => {
        answered = resolve;
        stage.made.set("dev,a-1", { clusterName: "dev", ...subject, associationId: "a-1" });
        const pid = engine("up");
        if (pid !== undefined) process.kill(pid, "SIGKILL");
      });
    const killed = await stage.stack("up", "x", "--yes");
    answered("dev,a-1");
    expect(killed.code, killed.stdout).not.to.equal(0);
    expect(stage.made.has("dev,a-1"), killed.stderr).to.equal(true);
    const cancelled = await stage.stack("cancel", "x", "--yes");
    expect(cancelled.code, cancelled.stderr).to.equal(0);

    stage.creations[associationType] = async () => {
      throw new Error("ResourceInUseException: Association already exists for service account app.");
    };
    awsSays({ associations: [{ associationId: "a-1", ...subject }] });
    const next = await stage.stack("up", "x", "--yes");
    expect(next.code, next.stderr).to.equal(0);
    expect(next.stderr)
      .to.contain("What it was creating is looked for")
      .and.not.to.contain("Delete it by hand");
  });
});

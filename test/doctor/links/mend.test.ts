import { execFileSync } from "node:child_process";
import { expect } from "chai";
import { otherContainers, quoted, remake, throughStack } from "../../../doctor/links/mend.ts";
import { patient, pod } from "../captured.ts";

describe("the doctor's mends", () => {
  it("make a pod anew by what made it", () => {
    const by = (kind: string) =>
      remake(patient, { ...pod, owner: { kind, name: "x", serviceAccount: "reader" } });
    expect(by("statefulset").mend).to.deep.equal([
      "kubectl rollout restart --namespace team-a statefulset/x",
    ]);
    expect(by("job")).to.deep.equal({ mend: [`kubectl delete pod --namespace team-a ${pod.name}`] });
  });

  it("go through the stack that makes the thing", () => {
    expect(throughStack(patient, ["by hand"])).to.deep.equal(["by hand"]);
    expect(throughStack({ ...patient, stack: "dev" }, ["by hand"])).not.to.include("by hand");
  });

  it("name the containers that are left", () => {
    expect(otherContainers(["a", "b", "c"], "b")[0]).to.contain("--container a --container c");
    expect(otherContainers(["a"], "a")).to.deep.equal([]);
  });

  it("quote a text so that a shell reads just that", () => {
    const text = `it's $HOME "and" \\ more`;
    expect(execFileSync("sh", ["-c", `printf %s ${quoted(text)}`]).toString()).to.equal(text);
  });
});

import { expect } from "chai";
import { authority, brokenOf, look } from "./captured.ts";

const gone = { kubernetes: { serviceAccount: async () => undefined } };

describe("the doctor's commands", () => {
  it("lead to the cluster that was looked at, by its kubeconfig and context", async () => {
    const create = "create serviceaccount --namespace team-a reader";
    const mend = async (kubeconfig: object | undefined) =>
      brokenOf(await look(gone, kubeconfig ? { kubeconfig } : {})).mend;
    expect(await mend(undefined)).to.deep.equal([`kubectl ${create}`]);
    expect(await mend({ context: "prod" })).to.deep.equal([`kubectl --context prod ${create}`]);
    expect(await mend({ file: "k", context: "prod" })).to.deep.equal([
      `kubectl --kubeconfig k --context prod ${create}`,
    ]);
  });

  it("write the kubeconfig that was given", async () => {
    const server = "https://DEF.gr7.eu-central-1.eks.amazonaws.com";
    const other = { kubernetes: { server, certificateAuthority: authority("other") } };
    expect(brokenOf(await look(other, { kubeconfig: { file: "k" } })).mend).to.deep.equal([
      "aws eks update-kubeconfig --region eu-central-1 --name dev --kubeconfig k",
    ]);
  });

  it("say so where the kubeconfig is a stack's, and lies in no file", async () => {
    const broken = brokenOf(await look(gone, { kubeconfig: { ofStack: true } }));
    expect(broken.advice?.at(-1)).to.equal(
      "kubectl must lead to dev: its kubeconfig is the stack's output kubeconfig.",
    );
  });
});

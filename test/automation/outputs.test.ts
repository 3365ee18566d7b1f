import { specialSecretSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc.js";
import { expect } from "chai";
import { outputsOf, withoutSecrets } from "../../automation/outputs.ts";

const secret = (value: unknown) => ({
  [specialSigKey]: specialSecretSig,
  plaintext: JSON.stringify(value),
});

const stateWith = (outputs: Record<string, unknown>) => ({
  resources: [
    {
      urn: "urn:pulumi:dev::eks-irsa::aws:iam/role:Role::reader",
      type: "aws:iam/role:Role",
      outputs: { arn: "x" },
    },
    {
      urn: "urn:pulumi:dev::eks-irsa::pulumi:pulumi:Stack::eks-irsa-dev",
      type: "pulumi:pulumi:Stack",
      outputs,
    },
  ],
});

describe("outputs of a stack, from its state", () => {
  it("are those of the stack itself, as they are", () => {
    const held = { clusterName: "dev", bindings: { "team-a.reader": { roleArn: "arn", others: [1, null] } } };
    expect(outputsOf(stateWith(held))).to.deep.equal({
      clusterName: { value: "dev", secret: false },
      bindings: { value: held.bindings, secret: false },
    });
  });

  it("are in clear where they are secret, and said to be", () => {
    const kubeconfig = JSON.stringify({ clusters: [] });
    const outputs = outputsOf(stateWith({ kubeconfig: secret(kubeconfig), clusterName: "dev" }));
    expect(outputs.kubeconfig).to.deep.equal({ value: kubeconfig, secret: true });
    expect(withoutSecrets(outputs)).to.deep.equal({ clusterName: "dev" });
  });

  it("are secret as a whole where a part of them is", () => {
    const outputs = outputsOf(stateWith({ access: { user: "a", keys: [secret("k")] } }));
    expect(outputs.access).to.deep.equal({ value: { user: "a", keys: ["k"] }, secret: true });
    expect(withoutSecrets(outputs)).to.deep.equal({});
  });

  it("are none where nothing was made", () => {
    expect(outputsOf({})).to.deep.equal({});
  });
});

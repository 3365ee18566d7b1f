import { expect } from "chai";
import { kubeconfigOf, type Options, patientOf } from "../../doctor/options.ts";

const none: Options = { container: [], action: [] };
const stack = {
  name: "dev",
  outputs: {
    clusterName: "eks-dev",
    region: "eu-central-1",
    namespace: "s3-irsa",
    serviceAccount: "s3-irsa",
    kubeconfig: "{}",
  },
};

describe("the doctor's command line", () => {
  it("takes from a stack what is not said, and knows what the stack's own workload does", () => {
    expect(patientOf(none, stack, {})).to.deep.include({
      cluster: "eks-dev",
      namespace: "s3-irsa",
      stack: "dev",
      actions: ["s3:ListAllMyBuckets"],
    });
    expect(kubeconfigOf(stack)).to.equal("{}");
    expect(kubeconfigOf(undefined)).to.equal(undefined);
  });

  it("takes another ServiceAccount of the stack's cluster for nobody's of the stack", () => {
    const patient = patientOf({ ...none, namespace: "team-a", serviceAccount: "reader" }, stack, {});
    expect(patient).to.deep.include({ cluster: "eks-dev", actions: [] });
    expect(patient.stack).to.equal(undefined);
  });

  it("has with it where it looks, for the commands that it prints", () => {
    const flags = { cluster: "dev", region: "eu-west-1", namespace: "a", serviceAccount: "b" };
    const patient = patientOf({ ...none, ...flags, roleProfile: "r", context: "dev" }, undefined, {});
    expect(patient.profiles).to.deep.equal({ role: "r", target: undefined });
    expect(patient.kubeconfig).to.deep.equal({ file: undefined, context: "dev", ofStack: false });
    expect(patientOf({ ...none, ...flags }, undefined, {})).not.to.have.any.keys("profiles", "kubeconfig");
    expect(patientOf(none, stack, {}).kubeconfig?.ofStack).to.equal(true);
    expect(patientOf({ ...none, kubeconfig: "k" }, stack, {}).kubeconfig?.ofStack).to.equal(false);
  });

  it("names all that must be given", () => {
    expect(() => patientOf({ ...none, cluster: "dev" }, undefined, {})).to.throw(
      "--region, --namespace, --service-account must be given, or the name of a stack",
    );
    expect(() => patientOf(none, { name: "net", outputs: {} }, { AWS_REGION: "eu-west-1" })).to.throw(
      "--cluster, --namespace, --service-account must be given: the stack net has no such output.",
    );
  });

  it("names the flag that holds what it cannot", () => {
    const cases: [options: Partial<Options>, message: string][] = [
      [{ sessionDuration: Number.NaN }, "--session-duration must be a whole number of seconds."],
      [{ assumeRole: "invoices" }, "--assume-role holds invoices; it must be a role's ARN."],
      [{ action: ["ListAllMyBuckets"] }, "--action holds ListAllMyBuckets; it must be an action"],
    ];
    for (const [options, message] of cases) {
      expect(() => patientOf({ ...none, ...options }, stack, {})).to.throw(message);
    }
  });
});

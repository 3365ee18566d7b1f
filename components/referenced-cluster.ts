import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { check } from "../iam/validation.ts";
import { lookForAgent } from "./agent-addon.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { type ReferencedClusterArgs, referencedClusterArguments } from "./cluster-arguments.ts";
import { ownObjectsProvider } from "./kubernetes-provider.ts";
import { LookupError } from "./lookup.ts";

export type { ReferencedClusterArgs } from "./cluster-arguments.ts";

/** An EKS cluster that another stack made. */
export class ReferencedCluster extends pulumi.ComponentResource implements ClusterAccess {
  readonly clusterName: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly provider: Provider;

  constructor(name: string, given: ReferencedClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const args = check(referencedClusterArguments, given);
    super("eks-irsa:index:ReferencedCluster", name, {}, opts);
    const parent = { parent: this };

    const stack = new pulumi.StackReference(`${name}-stack`, { name: args.stack }, parent);
    const output = (key: string): pulumi.Output<string> =>
      stack.getOutput(key).apply((value) => {
        if (typeof value === "string") return value;
        throw new LookupError(
          `There is no output ${key} of the stack ${args.stack}. It must be a stack of eks-irsa that is up, or one with the ` +
            "outputs clusterName, kubeconfig and oidcProviderArn.",
        );
      });
    this.clusterName = args.podIdentityAgent
      ? output("clusterName").apply((name) => lookForAgent(name, this, parent))
      : output("clusterName");
    this.kubeconfig = pulumi.secret(output("kubeconfig"));
    this.oidcProviderArn = output("oidcProviderArn");
    this.provider = ownObjectsProvider(`${name}-kubernetes`, this.kubeconfig, parent);
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      oidcProviderArn: this.oidcProviderArn,
    });
  }
}

import type { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import * as pulumi from "@pulumi/pulumi";

/** How the new pods of a Deployment were, when Pulumi's Kubernetes provider had ended its wait for them. */
export interface Rollout {
  readonly name: string;
  readonly generation: number;
  readonly replicas: number;
  /** As the Deployment's status has it; absent where it was not there. */
  readonly observedGeneration?: number | undefined;
  readonly updatedReplicas?: number | undefined;
}

/**
 * What is said of a rollout that was taken for ended and had not begun; undefined where it has ended.
 *
 * The provider (4.34, `pkg/await/deployment.go`) asks whether the Deployment's revision is another than before. Where the
 * number of replicas changes together with the pods, Kubernetes only scales the old pods at first (kubernetes/kubernetes#105395),
 * reports that as the new generation, and the old revision's pods are ready.
 */
export function rolloutFault({
  name,
  generation,
  replicas,
  observedGeneration = 0,
  updatedReplicas = 0,
}: Rollout): string | undefined {
  if (observedGeneration >= generation && updatedReplicas >= replicas) return undefined;
  return (
    `The new pods of the Deployment ${name} are not there yet, although Pulumi's Kubernetes provider waits no longer, as ` +
    "where `replicas` changes together with what they run. `pulumi up --refresh` waits for them."
  );
}

/** Pulumi prints it without a stack trace. */
class RolloutError extends pulumi.RunError {}

/** The name of a Deployment, once its rollout has ended; in a preview, and under mocks that give no status, its name. */
export const rolledOut = ({ metadata, spec, status }: Deployment): pulumi.Output<string> =>
  pulumi.runtime.isDryRun()
    ? metadata.name
    : pulumi.all([metadata, spec, status]).apply(([{ name, generation }, { replicas }, seen]) => {
        if (seen === undefined) return name;
        const { observedGeneration, updatedReplicas } = seen;
        const fault = rolloutFault({ name, generation, replicas, observedGeneration, updatedReplicas });
        if (fault !== undefined) throw new RolloutError(fault);
        return name;
      });

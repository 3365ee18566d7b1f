import type { Patient } from "../chain.ts";
import type { Pod } from "../world.ts";

// Mends that more than one link has. Each is a command that does it as it stands, or a sentence where none can.

export const roleAnnotation = "eks.amazonaws.com/role-arn";

/** What a stack makes, the stack mends: made by hand it would stand in the way of the next `up`. */
export const throughStack = ({ stack }: Patient, byHand: readonly string[]): readonly string[] =>
  stack === undefined ? byHand : [`pulumi refresh --stack ${stack}`, `pulumi up --stack ${stack}`];

export const annotate = (
  { namespace, serviceAccount }: Pick<Patient, "namespace" | "serviceAccount">,
  roleArn: string,
): string =>
  `kubectl annotate serviceaccount --namespace ${namespace} ${serviceAccount} --overwrite ${roleAnnotation}=${roleArn}`;

/** Makes a pod anew, by what made it. */
export function remake(
  { namespace }: Pick<Patient, "namespace">,
  pod: Pick<Pod, "name" | "owner">,
): { mend: string[]; advice?: string[] } {
  const { owner } = pod;
  if (owner && ["deployment", "daemonset", "statefulset"].includes(owner.kind)) {
    return { mend: [`kubectl rollout restart --namespace ${namespace} ${owner.kind}/${owner.name}`] };
  }
  return {
    mend: [`kubectl delete pod --namespace ${namespace} ${pod.name}`],
    ...(owner === undefined && {
      advice: ["Nothing makes this pod anew: once it is deleted, apply its manifest again."],
    }),
  };
}

/** What to do where a container may well be meant to go without the role. */
export const otherContainers = (all: readonly string[], without: string): string[] => {
  const rest = all.filter((name) => name !== without).map((name) => `--container ${name}`);
  return rest.length === 0
    ? []
    : [`If ${without} is not meant to have the role, have the others judged alone: ${rest.join(" ")}.`];
};

/** Whether a pod has ended: then what it was not given, the next one may be. */
export const hasEnded = ({ phase }: Pick<Pod, "phase">): boolean =>
  phase === "Succeeded" || phase === "Failed";

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

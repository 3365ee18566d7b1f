import type { Commands } from "../causes.ts";
import type { Patient } from "../chain.ts";
import type { Container, Pod, Workload } from "../world.ts";

// Mends that more than one link has. Each is a command that does it as it stands, or a sentence where none can.

export const roleAnnotation = "eks.amazonaws.com/role-arn";

/** What a stack makes, the stack mends: made by hand it would stand in the way of the next `up`. */
export const throughStack = ({ stack }: Patient, byHand: Commands): Commands =>
  stack === undefined ? byHand : [`pulumi refresh --stack ${stack}`, `pulumi up --stack ${stack}`];

export const annotate = (
  { namespace, serviceAccount }: Pick<Patient, "namespace" | "serviceAccount">,
  roleArn: string,
): string =>
  `kubectl annotate serviceaccount --namespace ${namespace} ${serviceAccount} --overwrite ${roleAnnotation}=${roleArn}`;

/** A command of IAM's, in the account that a profile is of. */
export const iamCommand = (command: string, profile?: string): string =>
  `aws iam ${command}${profile === undefined ? "" : ` --profile ${profile}`}`;

/** What makes pods by a template that can be changed while they run. */
const rollsOut = (owner: Pod["owner"]): owner is Workload =>
  owner !== undefined && ["deployment", "daemonset", "statefulset"].includes(owner.kind);

/** Makes a pod anew, by what made it. */
export function remake(
  { namespace }: Pick<Patient, "namespace">,
  pod: Pick<Pod, "name" | "owner">,
): { mend: Commands; advice?: readonly string[] } {
  const { owner } = pod;
  if (rollsOut(owner)) {
    return { mend: [`kubectl rollout restart --namespace ${namespace} ${owner.kind}/${owner.name}`] };
  }
  return {
    mend: [`kubectl delete pod --namespace ${namespace} ${pod.name}`],
    ...(owner === undefined && {
      advice: ["Nothing makes this pod anew: once it is deleted, apply its manifest again."],
    }),
  };
}

/**
 * Makes a pod anew without variables that its template itself sets: the webhook leaves a container alone that has them. A
 * template that does not set them stays as it is.
 */
export function remakeWithout(
  variables: Commands,
  container: Pick<Container, "name">,
  patient: Pick<Patient, "namespace">,
  pod: Pick<Pod, "name" | "owner">,
): { mend: Commands; advice: readonly string[] } {
  const { mend, advice = [] } = remake(patient, pod);
  const { owner } = pod;
  if (!rollsOut(owner)) {
    return {
      mend,
      advice: [
        ...advice,
        `Where its manifest sets ${variables.join(" or ")} for ${container.name}, take them out there, before.`,
      ],
    };
  }
  const without = variables.map((name) => `${name}-`).join(" ");
  return {
    mend: [
      `kubectl set env --namespace ${patient.namespace} ${owner.kind}/${owner.name} --containers=${container.name} ${without}`,
      ...mend,
    ],
    advice,
  };
}

/** Gives the containers of a workload's pods a group; undefined where no command can. */
export const setGroup = (
  { namespace }: Pick<Patient, "namespace">,
  { owner }: Pick<Pod, "owner">,
  fsGroup: number,
): string | undefined =>
  rollsOut(owner)
    ? `kubectl patch ${owner.kind} --namespace ${namespace} ${owner.name} --patch ${quoted(JSON.stringify({ spec: { template: { spec: { securityContext: { fsGroup } } } } }))}`
    : undefined;

/** Has a workload's pods run under the ServiceAccount; undefined where no command can. */
export const setServiceAccount = (
  { namespace, serviceAccount }: Pick<Patient, "namespace" | "serviceAccount">,
  owner: Pod["owner"],
): string | undefined =>
  rollsOut(owner)
    ? `kubectl set serviceaccount --namespace ${namespace} ${owner.kind}/${owner.name} ${serviceAccount}`
    : undefined;

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

import { type Broken, disagreement, holds, type Link, type Patient, unseen } from "../chain.ts";
import type { Pod, Workload } from "../world.ts";
import { hasEnded, setServiceAccount } from "./mend.ts";

/** A pod runs under the ServiceAccount, or ran last. */
export const pod: Link<"identity", "pod" | "containers"> = {
  id: "pod",
  title: "A pod runs under the ServiceAccount",
  needs: ["identity"],
  gives: ["pod", "containers"],
  async examine(_, { kubernetes }, patient) {
    const { namespace, serviceAccount, pod: wanted } = patient;
    const pods = await kubernetes.pods(namespace);
    if (wanted !== undefined) {
      const named = pods.find((one) => one.name === wanted);
      if (named?.serviceAccount === serviceAccount) return judged(named, patient);
      return named
        ? noPod(patient, "The pod runs under another ServiceAccount.", [named], named.owner)
        : noPod(patient, `There is no pod ${namespace}/${wanted}.`, pods);
    }
    const own = pods
      .filter((one) => one.serviceAccount === serviceAccount)
      .sort((a, b) => b.created.getTime() - a.created.getTime());
    const chosen =
      own.find(({ phase }) => phase === "Running") ?? own.find((one) => !hasEnded(one)) ?? own[0];
    if (chosen) return judged(chosen, patient);
    const workloads = (await kubernetes.workloads(namespace)).filter(
      (one) => one.serviceAccount === serviceAccount,
    );
    const [first] = workloads;
    if (first === undefined) {
      const owners = pods.map(({ owner }) => `${owner?.kind}/${owner?.name}`);
      // Where one workload alone runs there, no other can be meant.
      const only = new Set(owners).size === 1 ? pods[0]?.owner : undefined;
      return noPod(patient, "No pod runs under the ServiceAccount.", pods, only);
    }
    const names = workloads.map(({ kind, name }) => `${kind}/${name}`).join(", ");
    return unseen(`None runs now: ${names} makes its pods.`, howToRun(first, namespace));
  },
};

function judged(pod: Pod, { containers: wanted }: Patient) {
  const names = pod.containers.map(({ name }) => name);
  const unknown = wanted?.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    return {
      state: "broken",
      cause: "container-missing",
      what: `The pod ${pod.name} has no container ${unknown}.`,
      disagreement: disagreement("container", unknown, "containers of the pod", names.join(", ")),
      mend: [],
      advice: ["Name one of these with --container."],
    } satisfies Broken;
  }
  const containers = pod.containers.filter(({ name }) => wanted?.includes(name) ?? true);
  const words = hasEnded(pod) ? `${pod.phase}, the last one: none runs now` : pod.phase;
  return holds({ pod, containers }, `${pod.name}, ${words}, made ${pod.created.toISOString()}`);
}

function noPod(
  patient: Patient,
  what: string,
  others: readonly Pod[],
  meant: Pod["owner"] = undefined,
): Broken {
  const { namespace, serviceAccount } = patient;
  const set = setServiceAccount(patient, meant);
  return {
    state: "broken",
    cause: "pod-service-account",
    what,
    disagreement: disagreement(
      "serviceAccountName",
      serviceAccount,
      `pods in ${namespace}`,
      others
        .slice(0, 5)
        .map((one) => `${one.name} under ${one.serviceAccount}`)
        .join(", ") || "none",
    ),
    mend: set === undefined ? [] : [set],
    advice: [
      set === undefined
        ? `Set serviceAccountName: ${serviceAccount} in the template or manifest of what is to have the role.`
        : "It gives the role to that workload: where another is meant, set serviceAccountName in its template.",
    ],
    look: [
      `kubectl get pods --namespace ${namespace} -o custom-columns=NAME:.metadata.name,ACCOUNT:.spec.serviceAccountName`,
    ],
  };
}

const howToRun = ({ kind, name }: Workload, namespace: string): string =>
  kind === "cronjob"
    ? `A run: its next, or kubectl create job --namespace ${namespace} --from=cronjob/${name} ${name}-now`
    : `A pod of it: kubectl get ${kind} --namespace ${namespace} ${name} says why there is none.`;

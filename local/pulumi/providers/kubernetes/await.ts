import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../provider-host/resource-type.ts";
import { type ApiServer, isNotFound, type KubernetesObject } from "./api.ts";
import {
  type Deployment,
  deploymentProgress,
  type Pod,
  type Progress,
  podProblems,
  podProgress,
} from "./rollout.ts";

/** Seconds to wait where neither the program nor the object says. As the real provider's. */
const defaultSeconds = 600;

/** Milliseconds between two looks at an object. */
const interval = 300;

const annotation = (object: KubernetesObject, name: string): string | undefined =>
  object.metadata?.annotations?.[`pulumi.com/${name}`];

function secondsFor(object: KubernetesObject, context: Context<unknown>): number {
  return context.timeoutSeconds ?? (Number(annotation(object, "timeoutSeconds")) || defaultSeconds);
}

/**
 * Waits until an object works, for the kinds where there is something to wait for: Deployment and Pod.
 *
 * @returns why it does not work; nothing when it does.
 */
export async function problemsOf(
  api: ApiServer,
  object: KubernetesObject,
  context: Context<unknown>,
): Promise<string[]> {
  const progressOf = progressFor(object.kind);
  if (progressOf === undefined || annotation(object, "skipAwait") === "true") return [];
  const path = await api.path(object, object.metadata?.name);
  const seconds = secondsFor(object, context);
  const deadline = Date.now() + seconds * 1000;
  let shown: string | undefined;
  for (;;) {
    const live = (await api.request("GET", path, { signal: context.signal })) as KubernetesObject;
    const progress = progressOf(live);
    if (progress.state === "ready") {
      context.status(progress.message);
      return [];
    }
    const pods = await podsOf(api, live);
    if (progress.state === "failed") return [progress.message, ...(await details(api, pods))];
    if (Date.now() > deadline) {
      return [`${seconds} s were not enough. ${progress.message}`, ...(await details(api, pods))];
    }
    const problem = pods.flatMap(podProblems)[0];
    const message = problem && live.kind !== "Pod" ? `${progress.message}: ${problem}` : progress.message;
    if (message !== shown) context.status(message, problem ? "warning" : "info");
    shown = message;
    await sleep(interval, undefined, { signal: context.signal });
  }
}

function progressFor(kind: string | undefined): ((object: KubernetesObject) => Progress) | undefined {
  if (kind === "Deployment") return (object) => deploymentProgress(object as Deployment);
  if (kind === "Pod") return (object) => podProgress(object as Pod);
  return undefined;
}

/** The Pods of a Deployment's newest ReplicaSet; a Pod itself. */
async function podsOf(api: ApiServer, object: KubernetesObject): Promise<Pod[]> {
  if (object.kind === "Pod") return [object as Pod];
  const namespace = object.metadata?.namespace;
  const list = async (apiVersion: string, kind: string): Promise<KubernetesObject[]> => {
    const path = await api.path({ apiVersion, kind, metadata: { namespace } });
    return ((await api.request("GET", path)) as { items: KubernetesObject[] }).items;
  };
  const ownedBy = (owner: KubernetesObject | undefined) => (one: KubernetesObject) =>
    one.metadata?.ownerReferences?.some(({ uid }) => uid === owner?.metadata?.uid) ?? false;
  const revision = (one: KubernetesObject | undefined) =>
    one?.metadata?.annotations?.["deployment.kubernetes.io/revision"];
  const replicaSets = (await list("apps/v1", "ReplicaSet")).filter(ownedBy(object));
  const newest = replicaSets.find((one) => revision(one) === revision(object));
  return newest ? ((await list("v1", "Pod")).filter(ownedBy(newest)) as Pod[]) : [];
}

/** What the Pods say of themselves, and the end of the log of those that failed. */
async function details(api: ApiServer, pods: Pod[]): Promise<string[]> {
  const lines: string[] = [];
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    const problems = podProblems(pod);
    lines.push(...problems.map((problem) => `Pod ${name}: ${problem}`));
    if (podProgress(pod).state === "ready") continue;
    const path = await api.path({ ...pod, apiVersion: "v1", kind: "Pod" }, name);
    for (const { name: container, restartCount } of pod.status?.containerStatuses ?? []) {
      const log = await logOf(api, path, container, false).then(
        (text) => text || (restartCount ? logOf(api, path, container, true) : ""),
      );
      if (log) lines.push(`Pod ${name}, container ${container}, the end of its log:\n${indented(log)}`);
    }
  }
  return lines;
}

const logOf = (api: ApiServer, path: string, container: string, previous: boolean): Promise<string> =>
  api
    .text("GET", `${path}/log`, { query: { container, previous: String(previous), tailLines: "15" } })
    .catch(() => "");

const indented = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");

/**
 * Waits until an object is gone: not there any more, or another one in its place.
 *
 * @throws Error when that takes too long, with what still holds it.
 */
export async function untilGone(
  api: ApiServer,
  object: KubernetesObject,
  path: string,
  context: Context<unknown>,
): Promise<void> {
  const seconds = secondsFor(object, context);
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let live: KubernetesObject;
    try {
      live = (await api.request("GET", path, { signal: context.signal })) as KubernetesObject;
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    if (object.metadata?.uid !== undefined && live.metadata?.uid !== object.metadata.uid) return;
    if (Date.now() > deadline) {
      const holders = (live.metadata?.finalizers as string[] | undefined) ?? [];
      const conditions = (
        (live.status as { conditions?: { status: string; message: string }[] })?.conditions ?? []
      )
        .filter(({ status }) => status === "True")
        .map(({ message }) => message);
      throw new Error(
        [`still there after ${seconds} s`, ...holders.map((one) => `finalizer ${one}`), ...conditions].join(
          "; ",
        ),
      );
    }
    context.status("Waiting for it to be gone");
    await sleep(interval, undefined, { signal: context.signal });
  }
}

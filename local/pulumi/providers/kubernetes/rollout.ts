import type { KubernetesObject } from "./api.ts";

// What the status of objects says, as pure functions of the objects.

export interface Progress {
  readonly state: "waiting" | "ready" | "failed";
  /** What there is to wait for, or what failed. */
  readonly message: string;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface Deployment extends KubernetesObject {
  spec?: { replicas?: number };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    conditions?: Condition[];
  };
}

interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  terminated?: { exitCode: number; reason?: string; message?: string };
}

export interface Pod extends KubernetesObject {
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

const condition = (conditions: Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((one) => one.type === type);

/**
 * How far a Deployment's rollout is: ready when the controller has seen the last change, every replica is of it and
 * available, and none of the old is left. Failed when its progress deadline has passed.
 */
export function deploymentProgress(deployment: Deployment): Progress {
  const { metadata, spec, status = {} } = deployment;
  const wanted = spec?.replicas ?? 1;
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  if ((status.observedGeneration ?? 0) < (metadata?.generation ?? 0)) {
    return { state: "waiting", message: "[1/2] Waiting for the Deployment controller" };
  }
  const progressing = condition(status.conditions, "Progressing");
  if (progressing?.status === "False") {
    return { state: "failed", message: `[${progressing.reason}] ${progressing.message}` };
  }
  if (updatedReplicas < wanted || availableReplicas < wanted) {
    const available = Math.min(updatedReplicas, availableReplicas);
    return {
      state: "waiting",
      message: `[1/2] Waiting for app ReplicaSet to be available (${available}/${wanted} Pods available)`,
    };
  }
  if (replicas > updatedReplicas) {
    return {
      state: "waiting",
      message: `[2/2] Waiting for ${replicas - updatedReplicas} old Pod(s) to end`,
    };
  }
  return { state: "ready", message: "Deployment initialization complete" };
}

/** How far a Pod is: ready when it is Ready or has succeeded. */
export function podProgress(pod: Pod): Progress {
  const { phase, conditions, reason, message } = pod.status ?? {};
  if (phase === "Succeeded" || condition(conditions, "Ready")?.status === "True") {
    return { state: "ready", message: "Pod is ready" };
  }
  if (phase === "Failed") {
    const why = [reason, message, ...podProblems(pod)].filter(Boolean).join("; ");
    return { state: "failed", message: `the Pod failed: ${why || "no reason given"}` };
  }
  const [problem] = podProblems(pod);
  return { state: "waiting", message: problem ?? `Waiting for the Pod to be ready (${phase ?? "no phase"})` };
}

/** What keeps a Pod from working, in words; nothing when it just has not come to it yet. */
export function podProblems(pod: Pod): string[] {
  const { conditions, initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const scheduled = condition(conditions, "PodScheduled");
  const problems =
    scheduled?.status === "False" ? [`[${scheduled.reason}] ${scheduled.message ?? ""}`.trim()] : [];
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const { waiting, terminated } = container.state ?? {};
    const last = container.lastState?.terminated;
    if (waiting?.reason && !["ContainerCreating", "PodInitializing"].includes(waiting.reason)) {
      problems.push(`container ${container.name}: [${waiting.reason}] ${waiting.message ?? ""}`.trim());
    }
    const ended = terminated && terminated.exitCode !== 0 ? terminated : last;
    if (ended && ended.exitCode !== 0) {
      const said = ended.message ? `: ${ended.message.trim()}` : "";
      problems.push(
        `container ${container.name} ended with exit code ${ended.exitCode} (${ended.reason ?? "Error"})${said}`,
      );
    }
  }
  const ready = condition(conditions, "Ready");
  if (problems.length === 0 && ready?.status === "False" && ready.reason === "ContainersNotReady") {
    const running = containerStatuses.filter(({ state, ready }) => state && "running" in state && !ready);
    if (running.length > 0) {
      problems.push(`${running.map(({ name }) => `container ${name}`).join(", ")} runs, but is not ready`);
    }
  }
  return problems;
}

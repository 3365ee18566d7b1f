import { hasEnded, remake, roleAnnotation } from "../../doctor/links/mend.ts";
import { type Finding, finding, type Subject } from "../finding.ts";
import type { Identity, Inventory, RoleUse } from "../inventory.ts";
import type { AuditedPod, AuditedWorkload, PodReach } from "../snapshot.ts";

/** Pods that do not run with what their ServiceAccount has now, and pods that reach what is the node's. */
export function podFindings(inventory: Inventory): Finding[] {
  const { identities, snapshot } = inventory;
  return [
    ...identities.flatMap((identity) => {
      const stale = identity.pods
        .filter((pod) => !hasEnded(pod))
        .flatMap((pod) => injection(identity, pod) ?? []);
      return oncePerOwner(stale);
    }),
    ...oncePerOwner(
      [...snapshot.workloads.map(ofWorkload), ...snapshot.pods.filter((pod) => !hasEnded(pod)).map(ofPod)]
        .filter(({ own }) => !own)
        .flatMap(({ subject, reach }) => nodeReach(subject, reach)),
    ),
  ];
}

/** A workload's pods are alike: what is wrong with one is told once, of what makes them. */
function oncePerOwner(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>();
  for (const one of findings) {
    const key = `${one.id} ${one.subject.name}`;
    const before = first.get(key);
    if (before === undefined) first.set(key, one);
    else first.set(key, { ...before, evidence: [...new Set([...before.evidence, ...one.evidence])] });
  }
  return [...first.values()];
}

const subjectOfPod = ({ namespace, name, owner }: AuditedPod): Subject =>
  owner === undefined
    ? { kind: "Pod", name: `${namespace}/${name}` }
    : { kind: "Workload", name: `${namespace}/${owner.kind}/${owner.name}` };

/** What a pod was given, beside what its ServiceAccount has. */
function injection(identity: Identity, pod: AuditedPod): Finding | undefined {
  // The webhook gives pods the association's where there are both.
  const use: RoleUse | undefined =
    identity.uses.find(({ way }) => way === "pod-identity") ??
    identity.uses.find(({ way }) => way === "irsa");
  if (use === undefined || use.way === "pod" || identity.account === undefined) return undefined;
  const { way } = use;
  const since = way === "irsa" ? identity.account.annotated : use.association?.created;
  const judged = pod.containers.filter(({ name }) => !pod.skipped.includes(name));
  const bare = judged.filter(({ tokens }) => !tokens.includes(way));
  const again = remake(pod, pod);
  const found = (id: "pod-older" | "pod-other-role" | "pod-not-injected", what: string, evidence: string[]) =>
    finding(id, subjectOfPod(pod), what, {
      evidence: [`pod ${pod.name} of ${pod.created.toISOString()}`, ...evidence],
      mend: again.mend,
      advice: again.advice ?? [],
    });
  const other = judged.find(({ roleArn }) => roleArn !== undefined && roleArn !== use.roleArn);
  if (way === "irsa" && other !== undefined) {
    return found("pod-other-role", `It runs as ${other.roleArn}, and ${identity.key} names ${use.roleArn}.`, [
      `AWS_ROLE_ARN in ${other.name}: ${other.roleArn}`,
    ]);
  }
  if (judged.length === 0 || bare.length < judged.length) return undefined;
  const older = since !== undefined && pod.created < since;
  return older
    ? found("pod-older", `It is older than the role of ${identity.key}.`, [
        `role since ${since.toISOString()}`,
      ])
    : found("pod-not-injected", `It runs under ${identity.key} and was given no token.`, [
        `containers: ${bare.map(({ name }) => name).join(", ")}`,
      ]);
}

interface Reaching {
  readonly subject: Subject;
  readonly reach: PodReach;
  /** Whether it is the cluster's own: it is there to work on the node. */
  readonly own: boolean;
}

/** DaemonSets and static pods of kube-system are how a cluster works: CNI, kube-proxy, CSI drivers, the agents. */
const isClustersOwn = (namespace: string, kind: string | undefined): boolean =>
  namespace === "kube-system" && (kind === "daemonset" || kind === "node");

const ofPod = (pod: AuditedPod): Reaching => ({
  subject: subjectOfPod(pod),
  reach: pod,
  own: isClustersOwn(pod.namespace, pod.owner?.kind),
});

const ofWorkload = (workload: AuditedWorkload): Reaching => ({
  subject: { kind: "Workload", name: `${workload.namespace}/${workload.kind}/${workload.name}` },
  reach: workload,
  own: isClustersOwn(workload.namespace, workload.kind),
});

/** Where the kubelet keeps pods' tokens, and what leads into other pods' containers. */
const kept = [
  "/var/lib/kubelet/pods",
  "/proc",
  "/run/containerd/containerd.sock",
  "/var/run/containerd/containerd.sock",
  "/var/run/docker.sock",
];
/** Whether a folder of the node is one of these, holds one, or is in one. */
const opens = (mounted: string): boolean => {
  const path = mounted.replace(/\/+$/, "");
  return kept.some((one) => `${one}/`.startsWith(`${path}/`) || path.startsWith(`${one}/`));
};

function nodeReach(
  subject: Subject,
  { hostNetwork, hostPid, privileged, hostPaths, roleAnnotation: misplaced }: PodReach,
): Finding[] {
  const opening = hostPaths.filter(opens);
  const rewrite = ["Change the specification of what makes it, where it can do without."];
  return [
    ...(hostNetwork
      ? [
          finding("host-network", subject, "It runs in the node's network (hostNetwork).", {
            evidence: ["hostNetwork: true"],
            advice: rewrite,
          }),
        ]
      : []),
    ...(hostPid
      ? [
          finding("host-pid", subject, "It sees the node's processes (hostPID).", {
            evidence: ["hostPID: true"],
            advice: rewrite,
          }),
        ]
      : []),
    ...(privileged.length > 0
      ? [
          finding("privileged", subject, `The container ${privileged.join(", ")} is privileged.`, {
            evidence: privileged.map((name) => `container ${name}: privileged: true`),
            advice: rewrite,
          }),
        ]
      : []),
    ...(opening.length > 0
      ? [
          finding("host-path", subject, `It mounts ${opening.join(", ")} of the node.`, {
            evidence: opening.map((path) => `hostPath: ${path}`),
            advice: rewrite,
          }),
        ]
      : []),
    ...(misplaced === undefined
      ? []
      : [
          finding("annotation-on-pod", subject, "The annotation is in the pods' own metadata.", {
            evidence: [`${roleAnnotation}: ${misplaced}`],
            advice: ["Annotate the ServiceAccount, and take it from the pods' template."],
          }),
        ]),
  ];
}

import { type Benchmark, type Figure, inTurns } from "../benchmark.ts";
import type { Latency, Operation } from "./echo-providers.ts";
import { subjects, Workspace } from "./workspace.ts";

/**
 * How many times faster than AWS everything is: so that a run takes minutes, and the engine's own time, of which that much
 * too much is seen, still is small beside it.
 */
const faster = { whole: 6, short: 100 } as const;

/**
 * Seconds that AWS takes, creating and deleting. A cluster's 9 minutes are EKS's own goal for it, of node groups and
 * images what people see; the smaller ones count for little. They need not be right, only of the right order: what is
 * measured is how much longer than the longest path a run takes.
 */
const seconds: Readonly<Record<string, readonly [create: number, remove: number, waitsFor?: string]>> = {
  "aws:cloudwatch/logGroup:LogGroup": [1, 1],
  "aws:ec2/launchTemplate:LaunchTemplate": [2, 1],
  "aws:ec2/securityGroup:SecurityGroup": [2, 2],
  "aws:ec2/securityGroupRule:SecurityGroupRule": [1, 1],
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": [1, 1],
  "aws:ecr/repository:Repository": [2, 2],
  "aws:eks/addon:Addon": [30, 10],
  "aws:eks/cluster:Cluster": [540, 240],
  "aws:eks/nodeGroup:NodeGroup": [180, 240],
  "aws:iam/openIdConnectProvider:OpenIdConnectProvider": [2, 1],
  "aws:iam/role:Role": [10, 2],
  "aws:iam/policy:Policy": [2, 1],
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": [2, 1],
  "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": [2, 0],
  "docker:index/image:Image": [60, 0],
  // Its pods are ready 20 s after there is a node to run them, and end when they are told to: on local the Deployment
  // is gone after 1.8 s, not after the 30 s that its pods may take, and the namespace after 5.2 s.
  "kubernetes:apps/v1:Deployment": [20, 5, "aws:eks/nodeGroup:NodeGroup"],
  "kubernetes:core/v1:Namespace": [1, 6],
  "kubernetes:core/v1:ServiceAccount": [1, 1],
};

const nodeRolePolicies = [
  "cluster-node-AmazonEKSWorkerNodePolicy",
  "cluster-node-AmazonEKS_CNI_Policy",
  "cluster-node-AmazonEC2ContainerRegistryPullOnly",
] as const;

/**
 * What needs what, from what AWS and Kubernetes require and not from what the program says: an edge too many in the
 * program would otherwise count as required.
 */
const needs: Readonly<Record<string, readonly string[]>> = {
  "cluster-logs-bench": [],
  "cluster-cluster-eksRole-role": [],
  "cluster-cluster-eksRole-4b490823": ["cluster-cluster-eksRole-role"],
  "cluster-cluster-eksClusterSecurityGroup": [],
  "cluster-cluster-eksClusterInternetEgressRule": ["cluster-cluster-eksClusterSecurityGroup"],
  "cluster-cluster-eksCluster": [
    "cluster-logs-bench",
    "cluster-cluster-eksRole-4b490823",
    "cluster-cluster-eksClusterSecurityGroup",
  ],
  "cluster-cluster-kube-proxy": ["cluster-cluster-eksCluster"],
  "cluster-cluster-vpc-cni": ["cluster-cluster-eksCluster"],
  "cluster-cluster-nodeSecurityGroup": [],
  ...Object.fromEntries(
    ["eksNodeIngressRule", "eksNodeInternetEgressRule"].map((rule) => [
      `cluster-cluster-${rule}`,
      ["cluster-cluster-nodeSecurityGroup"],
    ]),
  ),
  ...Object.fromEntries(
    ["eksNodeClusterIngressRule", "eksExtApiServerClusterIngressRule", "eksClusterIngressRule"].map(
      (rule) => [
        `cluster-cluster-${rule}`,
        ["cluster-cluster-nodeSecurityGroup", "cluster-cluster-eksClusterSecurityGroup"],
      ],
    ),
  ),
  "cluster-cluster-oidcProvider": ["cluster-cluster-eksCluster"],
  "cluster-node-role": [],
  ...Object.fromEntries(nodeRolePolicies.map((policy) => [policy, ["cluster-node-role"]])),
  "cluster-nodes": [],
  "cluster-node-group": ["cluster-cluster-eksCluster", "cluster-nodes", ...nodeRolePolicies],
  "namespace-s3-irsa": ["cluster-cluster-eksCluster"],
  "s3-lister-repository": [],
  "s3-lister-lifecycle": ["s3-lister-repository"],
  "s3-lister-image": ["s3-lister-repository"],
  "s3-irsa-role": ["cluster-cluster-oidcProvider"],
  "s3-irsa-list-buckets": [],
  "s3-irsa-managed-policies": ["s3-irsa-role", "s3-irsa-list-buckets"],
  "s3-irsa-service-account": ["s3-irsa-role", "namespace-s3-irsa"],
  "s3-lister-deployment": ["s3-lister-image", "s3-irsa-service-account", "s3-irsa-managed-policies"],
};

/** Pods need nodes to come up, but nodes need not wait for pods to go. */
const needsToCome = {
  ...needs,
  "s3-lister-deployment": [...(needs["s3-lister-deployment"] ?? []), "cluster-node-group"],
};

/** Milliseconds of the longest chain of operations of which each needs the one before. */
export function longestPath(
  edges: Readonly<Record<string, readonly string[]>>,
  milliseconds: (name: string) => number,
): number {
  const ends = new Map<string, number>();
  const endOf = (name: string): number => {
    const known = ends.get(name);
    if (known !== undefined) return known;
    const start = Math.max(0, ...(edges[name] ?? []).map(endOf));
    const end = start + milliseconds(name);
    ends.set(name, end);
    return end;
  };
  return Math.max(0, ...Object.keys(edges).map(endOf));
}

/** The same edges the other way round: what must be gone before a thing may go. */
export function reversed(edges: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const result: Record<string, string[]> = Object.fromEntries(Object.keys(edges).map((name) => [name, []]));
  for (const [name, needed] of Object.entries(edges)) for (const one of needed) result[one]?.push(name);
  return result;
}

/** Whether `up` and `destroy` wait for anything that they need not wait for. */
export const criticalPath: Benchmark = {
  name: "critical-path",
  title: `Critical path: up and destroy with AWS's own latencies, ${faster.whole} times faster`,
  async run({ short, say }) {
    const factor = 1000 / (short ? faster.short : faster.whole);
    const latencies = Object.fromEntries(
      Object.entries(seconds).map(([type, [create, remove, waitsFor]]): [string, Latency] => [
        type,
        { create: create * factor, delete: remove * factor, waitsFor },
      ]),
    );
    const workspace = await Workspace.open({ latencies });
    try {
      await workspace.begin("whole", ["ours"]);
      const { ours } = workspace.subjects;
      const { operations } = workspace.providers;
      const upAndDestroy = async () => {
        operations.length = 0;
        const up = (await ours.up()).seconds;
        const made = [...operations];
        operations.length = 0;
        const destroy = (await ours.destroy()).seconds;
        checkComplete(made);
        const path = (kind: Operation["kind"]) => {
          const types = new Map(made.map(({ name, type }) => [name, type]));
          const edges = kind === "create" ? needsToCome : reversed(needs);
          return longestPath(edges, (name) => latencies[types.get(name) ?? ""]?.[kind] ?? 0) / 1000;
        };
        return {
          up,
          destroy,
          "operations of up": span(made),
          "operations of destroy": span(operations),
          "path of up": path("create"),
          "path of destroy": path("delete"),
        };
      };
      const measured = await inTurns(short ? 1 : 2, { run: upAndDestroy }, { say, warmUp: false });
      const samples = (key: keyof typeof measured): readonly number[] => measured[key]?.[0]?.samples ?? [];
      const figure = (name: "up" | "destroy"): Figure => ({
        name,
        unit: "s",
        series: [
          { subject: subjects.ours, samples: samples(name) },
          { subject: "first to last operation", samples: samples(`operations of ${name}`) },
          { subject: "longest path", samples: samples(`path of ${name}`) },
        ],
        goals: [
          { subject: subjects.ours, against: "longest path", atMost: 1.05 },
          { subject: "first to last operation", against: "longest path" },
        ],
      });
      return [figure("up"), figure("destroy")];
    } finally {
      await workspace.close();
    }
  },
};

/** Seconds from the first start to the last end. */
const span = (operations: readonly Operation[]): number =>
  (Math.max(...operations.map(({ end }) => end)) - Math.min(...operations.map(({ start }) => start))) / 1000;

/** @throws Error when the program makes what the graph above does not know, or does not make what it names. */
function checkComplete(made: readonly Operation[]): void {
  const names = made.filter(({ type }) => type in seconds).map(({ name }) => name);
  const unknown = made.find(({ name }) => !(name in needs));
  const missing = Object.keys(needs).find((name) => !names.includes(name));
  if (unknown)
    throw new Error(`bench/engine/critical-path.ts does not say what ${unknown.type} ${unknown.name} needs.`);
  if (missing)
    throw new Error(`bench/engine/critical-path.ts names ${missing}, which the program does not make.`);
}

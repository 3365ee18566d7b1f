import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  type V1Container,
  type V1ListMeta,
  type V1Pod,
  type V1PodSpec,
  type V1PodTemplateSpec,
} from "@kubernetes/client-node";
import {
  clientConfig,
  defaultServiceAccount,
  orApiServerError,
  toPod,
  toServiceAccount,
} from "../doctor/kubernetes.ts";
import { roleAnnotation } from "../doctor/links/mend.ts";
import type { Gaps } from "./account-reader.ts";
import type {
  AuditedContainer,
  AuditedPod,
  AuditedWorkload,
  PodReach,
  Snapshot,
  StoredKeys,
} from "./snapshot.ts";
import { placesOfKeys } from "./stored-keys.ts";

// What an audit reads of Kubernetes: lists, page by page. Secrets and ConfigMaps are looked through here, and only the names
// of what holds keys leave.

/** Objects that a list's page has: kubectl asks for as many. */
const pageSize = 500;

type OfCluster = Pick<Snapshot, "serviceAccounts" | "pods" | "workloads" | "storedKeys"> & {
  /** Whether pods of the EKS Pod Identity agent run, or EKS Auto Mode has it built in. */
  readonly agentRuns: boolean;
  readonly unmanagedNodes: readonly UnmanagedNode[];
};

/** A node that no managed node group has: an instance of Karpenter's, or of a group of one's own. */
export interface UnmanagedNode {
  readonly instance: string;
}

export interface ClusterToRead {
  /** Its kubeconfig and context, as `clientConfig` takes them. */
  readonly kubernetes: { readonly kubeconfig: string | undefined; readonly context: string | undefined };
  /** Undefined for all. */
  readonly namespaces: readonly string[] | undefined;
  /** Whether Secrets and ConfigMaps are looked through. */
  readonly stored: boolean;
}

interface Page<T> {
  readonly items: T[];
  readonly metadata?: V1ListMeta;
}

/** Every object of a list, in the order that the API server has. */
async function* pages<T>(
  list: (page: { limit: number; _continue?: string }) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let next: string | undefined;
  do {
    const { items, metadata } = await orApiServerError(() =>
      list({ limit: pageSize, ...(next && { _continue: next }) }),
    );
    yield* items;
    next = metadata?._continue || undefined;
  } while (next !== undefined);
}

/**
 * Reads the cluster.
 *
 * @throws Error where ServiceAccounts or pods may not be listed: without them there is no audit.
 */
export async function readCluster(
  { kubernetes: { kubeconfig, context }, namespaces, stored }: ClusterToRead,
  gaps: Gaps,
): Promise<OfCluster> {
  const { config } = clientConfig(kubeconfig, context);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const batch = config.makeApiClient(BatchV1Api);

  /** A list over all namespaces, or over each that is asked for. */
  async function* listed<T>(
    everywhere: (page: { limit: number; _continue?: string }) => Promise<Page<T>>,
    inOne: (page: { namespace: string; limit: number; _continue?: string }) => Promise<Page<T>>,
  ): AsyncGenerator<T> {
    if (namespaces === undefined) yield* pages(everywhere);
    else for (const namespace of namespaces) yield* pages((page) => inOne({ ...page, namespace }));
  }

  const [serviceAccounts, podsAndKeys, workloadsAndKeys, storedKeys, nodes, agentPods] = await Promise.all([
    collect(
      listed(
        (page) => core.listServiceAccountForAllNamespaces(page),
        (page) => core.listNamespacedServiceAccount(page),
      ),
      (account) => ({
        namespace: account.metadata?.namespace ?? "",
        name: account.metadata?.name ?? "",
        ...toServiceAccount(account),
      }),
    ),
    collect(
      listed(
        (page) => core.listPodForAllNamespaces(page),
        (page) => core.listNamespacedPod(page),
      ),
      (pod) => ({ pod: toAuditedPod(pod), keys: keysInPod(pod) }),
    ),
    gaps.unless(
      "Workloads",
      "Rights to list deployments, statefulsets, daemonsets, jobs and cronjobs.",
      [],
      () => readWorkloads(),
    ),
    stored ? readStored() : [],
    gaps.unless("Nodes", "Rights to list nodes.", [], () =>
      collect(
        pages((page) => core.listNode(page)),
        (node) => node,
      ),
    ),
    gaps.unless("Pods of kube-system", "Rights to list pods in kube-system.", [], () =>
      collect(
        pages((page) =>
          core.listNamespacedPod({
            namespace: "kube-system",
            labelSelector: "app.kubernetes.io/name=eks-pod-identity-agent",
            ...page,
          }),
        ),
        (pod) => pod.status?.phase,
      ),
    ),
  ]);
  return {
    serviceAccounts,
    pods: podsAndKeys.map(({ pod }) => pod),
    workloads: workloadsAndKeys.map(({ workload }) => workload),
    storedKeys: [
      ...storedKeys,
      ...oncePerOwner([...workloadsAndKeys, ...podsAndKeys].flatMap(({ keys }) => keys ?? [])),
    ],
    agentRuns:
      agentPods.includes("Running") ||
      nodes.some(({ metadata }) => metadata?.labels?.["eks.amazonaws.com/compute-type"] === "auto"),
    unmanagedNodes: nodes.flatMap(({ metadata, spec }) => {
      const { "eks.amazonaws.com/nodegroup": group, "eks.amazonaws.com/compute-type": compute } =
        metadata?.labels ?? {};
      const instance = /^aws:\/\/\/[^/]+\/(i-[0-9a-f]+)$/.exec(spec?.providerID ?? "")?.[1];
      // Auto Mode's instances are AWS's to set, and Fargate's are nobody's.
      return group === undefined && compute === undefined && instance !== undefined ? [{ instance }] : [];
    }),
  };

  async function readWorkloads(): Promise<{ workload: AuditedWorkload; keys: StoredKeys | undefined }[]> {
    const of =
      (kind: string) =>
      ({
        metadata,
        spec,
      }: {
        metadata?: { name?: string; namespace?: string };
        spec?: { template?: V1PodTemplateSpec };
      }) =>
        toWorkload(kind, metadata, spec?.template);
    const lists = await Promise.all([
      collect(
        listed(
          (page) => apps.listDeploymentForAllNamespaces(page),
          (page) => apps.listNamespacedDeployment(page),
        ),
        of("deployment"),
      ),
      collect(
        listed(
          (page) => apps.listStatefulSetForAllNamespaces(page),
          (page) => apps.listNamespacedStatefulSet(page),
        ),
        of("statefulset"),
      ),
      collect(
        listed(
          (page) => apps.listDaemonSetForAllNamespaces(page),
          (page) => apps.listNamespacedDaemonSet(page),
        ),
        of("daemonset"),
      ),
      collect(
        listed(
          (page) => batch.listJobForAllNamespaces(page),
          (page) => batch.listNamespacedJob(page),
        ),
        // A CronJob's Jobs are told by the CronJob.
        (job) => (job.metadata?.ownerReferences?.length ? undefined : of("job")(job)),
      ),
      collect(
        listed(
          (page) => batch.listCronJobForAllNamespaces(page),
          (page) => batch.listNamespacedCronJob(page),
        ),
        ({ metadata, spec }) => toWorkload("cronjob", metadata, spec?.jobTemplate.spec?.template),
      ),
    ]);
    return lists.flat().flatMap((one) => one ?? []);
  }

  async function readStored(): Promise<StoredKeys[]> {
    const secrets = gaps.unless("Secrets", "Rights to list secrets, or --skip stored-keys.", [], () =>
      collect(
        listed(
          (page) => core.listSecretForAllNamespaces(page),
          (page) => core.listNamespacedSecret(page),
        ),
        ({ metadata, data = {} }) =>
          keysIn(
            "Secret",
            metadata,
            Object.fromEntries(
              Object.entries(data).map(([key, value]) => [
                key,
                Buffer.from(value, "base64").toString("latin1"),
              ]),
            ),
          ),
      ),
    );
    const configMaps = gaps.unless(
      "ConfigMaps",
      "Rights to list configmaps, or --skip stored-keys.",
      [],
      () =>
        collect(
          listed(
            (page) => core.listConfigMapForAllNamespaces(page),
            (page) => core.listNamespacedConfigMap(page),
          ),
          ({ metadata, data = {} }) => keysIn("ConfigMap", metadata, data),
        ),
    );
    return [...(await secrets), ...(await configMaps)].flatMap((one) => one ?? []);
  }
}

/** What is made of each object at once: pages of Secrets are not kept. */
async function collect<T, R>(objects: AsyncGenerator<T>, make: (object: T) => R): Promise<R[]> {
  const made: R[] = [];
  for await (const object of objects) made.push(make(object));
  return made;
}

interface Named {
  readonly namespace?: string;
  readonly name?: string;
}

function keysIn(
  kind: string,
  { namespace = "", name = "" }: Named = {},
  entries: Record<string, string>,
): StoredKeys | undefined {
  const places = placesOfKeys(entries);
  return places.length === 0 ? undefined : { kind, namespace, name, places };
}

/** A pod and what makes it hold the same keys: they are told of what makes it. */
function oncePerOwner(all: readonly StoredKeys[]): StoredKeys[] {
  return [...new Map(all.map((one) => [`${one.kind} ${one.namespace}/${one.name}`, one])).values()];
}

/** Keys in the variables, command and arguments of a pod's containers. */
function keysInSpec(kind: string, named: Named, spec: V1PodSpec | undefined): StoredKeys | undefined {
  const places = containersOf(spec).flatMap(({ name, env = [], command = [], args = [] }) => [
    ...placesOfKeys(Object.fromEntries(env.map((variable) => [variable.name, variable.value ?? ""]))).map(
      (variable) => `${variable} in ${name}`,
    ),
    ...placesOfKeys({ arguments: [...command, ...args].join(" ") }).map((place) => `${place} of ${name}`),
  ]);
  return places.length === 0
    ? undefined
    : { kind, namespace: named.namespace ?? "", name: named.name ?? "", places };
}

function keysInPod(pod: V1Pod): StoredKeys | undefined {
  const { owner } = toPod(pod);
  const namespace = pod.metadata?.namespace;
  return keysInSpec(
    owner?.kind ?? "pod",
    { ...(namespace && { namespace }), name: owner?.name ?? pod.metadata?.name ?? "" },
    pod.spec,
  );
}

const containersOf = (spec: V1PodSpec | undefined): V1Container[] => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
];

function toWorkload(
  kind: string,
  metadata: Named | undefined,
  template: V1PodTemplateSpec | undefined,
): { workload: AuditedWorkload; keys: StoredKeys | undefined } {
  const { namespace = "", name = "" } = metadata ?? {};
  return {
    workload: {
      namespace,
      kind,
      name,
      serviceAccount: template?.spec?.serviceAccountName ?? defaultServiceAccount,
      ...reachOf(template),
    },
    keys: keysInSpec(kind, { namespace, name }, template?.spec),
  };
}

/** Where the webhook's token is: by this variable SDKs find it. */
const tokenVariables = {
  irsa: "AWS_WEB_IDENTITY_TOKEN_FILE",
  "pod-identity": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
} as const;

/** A pod as an audit needs it: of its variables only the role's is kept. */
function toAuditedPod(pod: V1Pod): AuditedPod {
  const { name, phase, created, serviceAccount, owner, node, annotations, containers } = toPod(pod);
  return {
    namespace: pod.metadata?.namespace ?? "",
    name,
    serviceAccount,
    phase,
    created,
    ...(owner && { owner }),
    ...(node && { node }),
    containers: containers.map(
      ({ name, env }): AuditedContainer => ({
        name,
        ...(env.AWS_ROLE_ARN && { roleArn: env.AWS_ROLE_ARN }),
        tokens: (["irsa", "pod-identity"] as const).filter((way) => env[tokenVariables[way]] !== undefined),
      }),
    ),
    // The webhook does not trim the names; one with white space matches none.
    skipped: annotations["eks.amazonaws.com/skip-containers"]?.split(",") ?? [],
    ...reachOf(pod),
  };
}

/** What pods of a specification reach beside the network of their own. */
function reachOf(template: Pick<V1PodTemplateSpec, "metadata" | "spec"> | undefined): PodReach {
  const spec = template?.spec;
  const containers = containersOf(spec);
  const mounted = new Set(
    containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  const roleArn = template?.metadata?.annotations?.[roleAnnotation];
  return {
    hostNetwork: spec?.hostNetwork === true,
    hostPid: spec?.hostPID === true,
    privileged: containers
      .filter(({ securityContext }) => securityContext?.privileged)
      .map(({ name }) => name),
    hostPaths: (spec?.volumes ?? []).flatMap(({ name, hostPath }) =>
      hostPath !== undefined && mounted.has(name) ? [hostPath.path] : [],
    ),
    ...(roleArn !== undefined && { roleAnnotation: roleArn }),
  };
}

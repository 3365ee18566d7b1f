import { readFileSync } from "node:fs";
import {
  AdmissionregistrationV1Api,
  ApiException,
  AppsV1Api,
  BatchV1Api,
  type Cluster,
  CoreV1Api,
  KubeConfig,
  type V1Container,
  type V1Pod,
  type V1PodTemplateSpec,
  type V1ServiceAccount,
  VersionApi,
  WellKnownApi,
} from "@kubernetes/client-node";
import { roleAnnotation } from "./links/mend.ts";
import type { Container, EnvSource, KeySource, Pod, ServiceAccountFacts, Workload, World } from "./world.ts";

/**
 * A kubeconfig's client configuration.
 *
 * @param text a kubeconfig; without it `$KUBECONFIG` or `~/.kube/config` is read.
 * @param context its context. Default: the current one.
 * @throws Error that names the contexts which there are, where this one names no cluster.
 */
export function clientConfig(text?: string, context?: string): { config: KubeConfig; cluster: Cluster } {
  const config = new KubeConfig();
  if (text === undefined) config.loadFromDefault();
  else config.loadFromString(text);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  // What the client takes where there is neither a kubeconfig nor a pod's own ServiceAccount.
  if (text === undefined && config.getCurrentContext() === "loaded-context") {
    throw new Error(
      "There is no kubeconfig in --kubeconfig, $KUBECONFIG or ~/.kube/config. " +
        "`aws eks update-kubeconfig --region REGION --name CLUSTER` writes one.",
    );
  }
  if (!cluster) {
    throw new Error(
      `The kubeconfig's context ${config.getCurrentContext() || "(none)"} names no cluster; there are: ${
        config
          .getContexts()
          .map(({ name }) => name)
          .join(", ") || "none"
      }.`,
    );
  }
  return { config, cluster };
}

/** Kubernetes as a kubeconfig, or a context of it, sees it. */
export const kubernetesWorld = (text?: string, context?: string): World["kubernetes"] =>
  kubernetesAt(text, context).world;

/** The same, and the client of the API's core for those who ask more. */
export function kubernetesAt(
  text?: string,
  context?: string,
): { readonly world: World["kubernetes"]; readonly core: CoreV1Api } {
  const { config, cluster } = clientConfig(text, context);
  const core = config.makeApiClient(CoreV1Api);
  const world: World["kubernetes"] = {
    server: cluster.server,
    certificateAuthority:
      cluster.caData ?? (cluster.caFile && readFileSync(cluster.caFile).toString("base64")),
    async version() {
      return (await orApiServerError(() => config.makeApiClient(VersionApi).getCode())).gitVersion;
    },
    async issuer() {
      const text = await config.makeApiClient(WellKnownApi).getServiceAccountIssuerOpenIDConfiguration();
      return (JSON.parse(text) as { issuer?: string }).issuer;
    },
    async hasNamespace(name) {
      return unlessRefused(async () => (await orAbsent(() => core.readNamespace({ name }))) !== undefined);
    },
    async serviceAccount(namespace, name) {
      const account = await orAbsent(() => core.readNamespacedServiceAccount({ namespace, name }));
      if (account === undefined) return undefined;
      return toServiceAccount(account);
    },
    async pods(namespace) {
      const { items } = await orApiServerError(() => core.listNamespacedPod({ namespace }));
      return items.map(toPod);
    },
    async workloads(namespace) {
      const apps = config.makeApiClient(AppsV1Api);
      const batch = config.makeApiClient(BatchV1Api);
      const template = (
        kind: string,
        name: string | undefined,
        made: V1PodTemplateSpec | undefined,
      ): Workload[] =>
        name === undefined
          ? []
          : [{ kind, name, serviceAccount: made?.spec?.serviceAccountName ?? defaultServiceAccount }];
      return orApiServerError(async () => {
        const [deployments, statefulSets, daemonSets, cronJobs, jobs] = await Promise.all([
          apps.listNamespacedDeployment({ namespace }),
          apps.listNamespacedStatefulSet({ namespace }),
          apps.listNamespacedDaemonSet({ namespace }),
          batch.listNamespacedCronJob({ namespace }),
          batch.listNamespacedJob({ namespace }),
        ]);
        return [
          ...deployments.items.flatMap((one) =>
            template("deployment", one.metadata?.name, one.spec?.template),
          ),
          ...statefulSets.items.flatMap((one) =>
            template("statefulset", one.metadata?.name, one.spec?.template),
          ),
          ...daemonSets.items.flatMap((one) => template("daemonset", one.metadata?.name, one.spec?.template)),
          ...cronJobs.items.flatMap((one) =>
            template("cronjob", one.metadata?.name, one.spec?.jobTemplate.spec?.template),
          ),
          ...jobs.items.flatMap((one) => template("job", one.metadata?.name, one.spec?.template)),
        ];
      });
    },
    async nodeLabels(name) {
      const node = await unlessRefused(() => orAbsent(() => core.readNode({ name })));
      return node?.metadata?.labels;
    },
    async keysOf(kind, namespace, name) {
      return unlessRefused(async () => {
        const one =
          kind === "Secret"
            ? await orAbsent(() => core.readNamespacedSecret({ namespace, name }))
            : await orAbsent(() => core.readNamespacedConfigMap({ namespace, name }));
        return one === undefined ? ("absent" as const) : Object.keys(one.data ?? {});
      });
    },
    async configMapEntry(namespace, name, key) {
      return unlessRefused(async () => {
        const found = await orAbsent(() => core.readNamespacedConfigMap({ namespace, name }));
        const text = found?.data?.[key];
        return text === undefined ? {} : { text };
      });
    },
    async podIdentityWebhook() {
      return unlessRefused(async () => {
        const { items } = await config
          .makeApiClient(AdmissionregistrationV1Api)
          .listMutatingWebhookConfiguration({});
        return items.some(({ metadata, webhooks = [] }) =>
          [metadata?.name, ...webhooks.map(({ name }) => name)].some((name) =>
            /pod-identity-webhook|iam-for-pods/.test(String(name)),
          ),
        );
      });
    },
    async token(namespace, name, audience) {
      return unlessRefused(async () => {
        const { status } = await core.createNamespacedServiceAccountToken({
          namespace,
          name,
          body: { spec: { audiences: [audience], expirationSeconds: 600 } },
        });
        return status?.token;
      });
    },
  };
  return { world, core };
}

/** A ServiceAccount of the API server, with when its role's annotation was last written. */
export function toServiceAccount({ metadata }: V1ServiceAccount): ServiceAccountFacts {
  const { annotations = {}, managedFields = [] } = metadata ?? {};
  const written = managedFields
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1 ?? {}).includes(`"f:${roleAnnotation}"`))
    .map(({ time }) => time)
    .filter((time) => time !== undefined);
  return { annotations, annotated: written.sort((a, b) => b.getTime() - a.getTime())[0] };
}

/** What Kubernetes gives a pod that names none. */
export const defaultServiceAccount = "default";

/** A pod of the API server, as the doctor needs it. */
export function toPod(pod: V1Pod): Pod {
  const { metadata, spec, status } = pod;
  if (!metadata?.name || !metadata.creationTimestamp || !spec) {
    throw new Error("Kubernetes: a pod without name, time or specification.");
  }
  const { securityContext, initContainers = [], containers, volumes = [], nodeSelector = {} } = spec;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return {
    name: metadata.name,
    phase: status?.phase ?? "Unknown",
    created: metadata.creationTimestamp,
    serviceAccount: spec.serviceAccountName ?? defaultServiceAccount,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    owner: ownerOf(pod),
    node: spec.nodeName,
    windows: [
      spec.os?.name,
      nodeSelector["kubernetes.io/os"],
      nodeSelector["beta.kubernetes.io/os"],
    ].includes("windows"),
    fsGroup: securityContext?.fsGroup,
    containers: [...initContainers, ...containers].map((one) => ({
      ...toContainer(one),
      imageId: statuses.find(({ name }) => name === one.name)?.imageID || undefined,
      user: one.securityContext?.runAsUser ?? securityContext?.runAsUser,
      group: one.securityContext?.runAsGroup ?? securityContext?.runAsGroup,
    })),
    tokens: volumes.flatMap(({ name, projected }) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
        token?.audience === undefined
          ? []
          : [
              {
                volume: name,
                path: token.path,
                audience: token.audience,
                mode: projected?.defaultMode ?? 0o644,
              },
            ],
      ),
    ),
    configMaps: volumes.flatMap(({ name: volume, configMap }) =>
      configMap?.name === undefined
        ? []
        : [
            {
              volume,
              name: configMap.name,
              ...(configMap.items && {
                keys: Object.fromEntries(configMap.items.map(({ key, path }) => [path, key])),
              }),
            },
          ],
    ),
  };
}

function toContainer({ name, image, env = [], envFrom = [], volumeMounts = [] }: V1Container): Container {
  return {
    name,
    image: image ?? "none",
    // What the node fills in (`fieldRef`) is set too, to a text that nobody sees here.
    env: Object.fromEntries(
      env
        .filter(({ valueFrom }) => !valueFrom?.secretKeyRef && !valueFrom?.configMapKeyRef)
        .map(({ name, value, valueFrom }) => [name, value ?? (valueFrom ? "(of the node)" : "")]),
    ),
    envSources: [
      ...env.flatMap(({ name, valueFrom }): EnvSource[] => [
        ...keyOf("Secret", name, valueFrom?.secretKeyRef),
        ...keyOf("ConfigMap", name, valueFrom?.configMapKeyRef),
      ]),
      ...envFrom.flatMap(({ prefix = "", secretRef, configMapRef }): EnvSource[] => [
        ...allOf("Secret", prefix, secretRef),
        ...allOf("ConfigMap", prefix, configMapRef),
      ]),
    ],
    mounts: volumeMounts.map(({ name, mountPath }) => ({ volume: name, path: mountPath })),
  };
}

interface Reference {
  name?: string;
  optional?: boolean;
}

const keyOf = (
  kind: KeySource["kind"],
  variable: string,
  from: (Reference & { key: string }) | undefined,
): EnvSource[] =>
  from?.name === undefined
    ? []
    : [{ kind, name: from.name, optional: from.optional === true, variable, key: from.key }];

const allOf = (kind: KeySource["kind"], prefix: string, from: Reference | undefined): EnvSource[] =>
  from?.name === undefined ? [] : [{ kind, name: from.name, optional: from.optional === true, prefix }];

/** What makes a pod anew. A Deployment's pods belong to its ReplicaSet, which is named for it and the template's hash. */
function ownerOf({ metadata, spec }: V1Pod): Workload | undefined {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
  if (owner === undefined) return undefined;
  const hash = metadata?.labels?.["pod-template-hash"];
  const serviceAccount = spec?.serviceAccountName ?? defaultServiceAccount;
  return owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`)
    ? { kind: "deployment", name: owner.name.slice(0, -(hash.length + 1)), serviceAccount }
    : { kind: owner.kind.toLowerCase(), name: owner.name, serviceAccount };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ApiException && [401, 403].includes(error.code);

/** Asks, and gives undefined where these credentials may not. */
async function unlessRefused<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (isRefusal(cause)) return undefined;
    throw apiServerError(error);
  }
}

async function orAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw apiServerError(error);
  }
}

/** Asks, and says in the API server's words what it refuses. */
export async function orApiServerError<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw apiServerError(error);
  }
}

/** An error of the API server in its own words; the client's message is the whole answer, headers and all. */
function apiServerError(error: unknown): unknown {
  if (!(error instanceof ApiException)) return error;
  try {
    const { message } = JSON.parse(String(error.body)) as { message: string };
    return new Error(`Kubernetes: ${message}`, { cause: error });
  } catch {
    return new Error(`Kubernetes answers ${error.code}`, { cause: error });
  }
}

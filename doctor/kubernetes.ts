import {
  AdmissionregistrationV1Api,
  ApiException,
  CoreV1Api,
  KubeConfig,
  type V1Pod,
  VersionApi,
  WellKnownApi,
} from "@kubernetes/client-node";
import type { Pod } from "./chain.ts";
import type { World } from "./world.ts";

const annotation = "eks.amazonaws.com/role-arn";

/**
 * Kubernetes as a kubeconfig sees it.
 *
 * @param text a kubeconfig; without it `$KUBECONFIG` or `~/.kube/config` is read.
 * @param context its context. Default: the current one.
 */
export function kubernetesWorld(text?: string, context?: string): World["kubernetes"] {
  const config = new KubeConfig();
  if (text === undefined) config.loadFromDefault();
  else config.loadFromString(text);
  if (context !== undefined) config.setCurrentContext(context);
  const core = config.makeApiClient(CoreV1Api);

  return {
    server: config.getCurrentCluster()?.server ?? "",
    async version() {
      return (await plainly(() => config.makeApiClient(VersionApi).getCode())).gitVersion;
    },
    async issuer() {
      const text = await config.makeApiClient(WellKnownApi).getServiceAccountIssuerOpenIDConfiguration();
      return (JSON.parse(text) as { issuer?: string }).issuer;
    },
    async serviceAccount(namespace, name) {
      const account = await orAbsent(() => core.readNamespacedServiceAccount({ namespace, name }));
      if (account === undefined) return undefined;
      const { annotations = {}, managedFields = [] } = account.metadata ?? {};
      const written = managedFields
        .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1 ?? {}).includes(`"f:${annotation}"`))
        .map(({ time }) => time)
        .filter((time) => time !== undefined);
      return { annotations, annotated: written.sort((a, b) => b.getTime() - a.getTime())[0] };
    },
    async pods(namespace) {
      const { items } = await plainly(() => core.listNamespacedPod({ namespace }));
      return items.map(toPod);
    },
    async podIdentityWebhook() {
      try {
        const { items } = await config
          .makeApiClient(AdmissionregistrationV1Api)
          .listMutatingWebhookConfiguration({});
        return items.some(({ metadata, webhooks = [] }) =>
          [metadata?.name ?? "", ...webhooks.map(({ name }) => name)].some((name) =>
            /pod-identity-webhook|iam-for-pods/.test(name),
          ),
        );
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },
    async token(namespace, name, audience) {
      try {
        const { status } = await core.createNamespacedServiceAccountToken({
          namespace,
          name,
          body: { spec: { audiences: [audience], expirationSeconds: 600 } },
        });
        return status?.token;
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },
  };
}

function toPod({ metadata, spec, status }: V1Pod): Pod {
  return {
    name: metadata?.name ?? "",
    phase: status?.phase ?? "Unknown",
    created: metadata?.creationTimestamp ?? new Date(0),
    serviceAccount: spec?.serviceAccountName ?? "default",
    annotations: metadata?.annotations ?? {},
    fsGroup: spec?.securityContext?.fsGroup,
    containers: (spec?.containers ?? []).map(
      ({ name, image = "", env = [], volumeMounts = [], securityContext }) => ({
        name,
        image,
        imageId: status?.containerStatuses?.find((one) => one.name === name)?.imageID || undefined,
        user: securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
        group: securityContext?.runAsGroup ?? spec?.securityContext?.runAsGroup,
        env: Object.fromEntries(env.map(({ name, value = "" }) => [name, value])),
        mounts: volumeMounts.map(({ name, mountPath }) => ({ volume: name, path: mountPath })),
      }),
    ),
    tokens: (spec?.volumes ?? []).flatMap(({ name, projected }) =>
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
  };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ApiException && [401, 403].includes(error.code);

async function orAbsent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw plain(error);
  }
}

async function plainly<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw plain(error);
  }
}

/** An error of the API server in its own words; the client's message is the whole answer, headers and all. */
function plain(error: unknown): unknown {
  if (!(error instanceof ApiException)) return error;
  try {
    const { message } = JSON.parse(String(error.body)) as { message: string };
    return new Error(`Kubernetes: ${message}`, { cause: error });
  } catch {
    return new Error(`Kubernetes answers ${error.code}`, { cause: error });
  }
}

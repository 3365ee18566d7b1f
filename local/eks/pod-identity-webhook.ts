import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type {
  V1EnvVar,
  V1MutatingWebhookConfiguration,
  V1Pod,
  V1ServiceAccount,
} from "@kubernetes/client-node";

/** One change to an object. Source: RFC 6902. */
export interface JsonPatchOperation {
  op: "add" | "replace";
  path: string;
  value: unknown;
}

export interface WebhookSettings {
  /** Region that pods get as `AWS_REGION`. */
  region: string;
  /** More variables for every container that gets a role: what AWS's own network knows and this machine's does not. */
  extraEnv: Readonly<Record<string, string>>;
}

const annotation = "eks.amazonaws.com";
const volumeName = "aws-iam-token";
const mountPath = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const defaultAudience = "sts.amazonaws.com";

/** Seconds that a token lives where no annotation says otherwise. Source: README of amazon-eks-pod-identity-webhook. */
const defaultExpiration = 86_400;
/** The least that Kubernetes takes. */
const leastExpiration = 600;

/**
 * What EKS's pod identity webhook changes in a pod whose ServiceAccount has a role: a projected token, and the
 * environment that points SDKs to it. Nothing that a container sets itself is changed, so the patch is empty for a pod
 * that was changed already. Source: README of github.com/aws/amazon-eks-pod-identity-webhook.
 */
export function mutate(
  pod: V1Pod,
  serviceAccount: V1ServiceAccount | undefined,
  settings: WebhookSettings,
): JsonPatchOperation[] {
  const fromAccount = serviceAccount?.metadata?.annotations ?? {};
  const fromPod = pod.metadata?.annotations ?? {};
  const role = fromAccount[`${annotation}/role-arn`];
  if (!role || !pod.spec) return [];

  const audience = fromAccount[`${annotation}/audience`] ?? defaultAudience;
  const asked = Number(
    fromPod[`${annotation}/token-expiration`] ?? fromAccount[`${annotation}/token-expiration`],
  );
  const expirationSeconds = Math.max(leastExpiration, Number.isInteger(asked) ? asked : defaultExpiration);
  const regional = fromAccount[`${annotation}/sts-regional-endpoints`] ?? "true";
  const skipped = (fromPod[`${annotation}/skip-containers`] ?? "").split(",").map((name) => name.trim());

  const env: Record<string, string> = {
    ...(regional === "true" ? { AWS_STS_REGIONAL_ENDPOINTS: "regional" } : {}),
    AWS_DEFAULT_REGION: settings.region,
    AWS_REGION: settings.region,
    AWS_ROLE_ARN: role,
    AWS_WEB_IDENTITY_TOKEN_FILE: `${mountPath}/token`,
    ...settings.extraEnv,
  };

  const patch: JsonPatchOperation[] = [];
  for (const kind of ["initContainers", "containers"] as const) {
    pod.spec[kind]?.forEach((container, index) => {
      if (skipped.includes(container.name)) return;
      const own = container.env ?? [];
      const set = (name: string): boolean => own.some((variable) => variable.name === name);
      // A container with a role or token of its own choosing is left alone as a whole.
      const added: V1EnvVar[] =
        set("AWS_ROLE_ARN") || set("AWS_WEB_IDENTITY_TOKEN_FILE")
          ? []
          : Object.entries(env)
              .filter(([name]) => !set(name))
              .map(([name, value]) => ({ name, value }));
      if (added.length > 0)
        patch.push({ op: "add", path: `/spec/${kind}/${index}/env`, value: [...own, ...added] });
      if (!container.volumeMounts?.some((mount) => mount.name === volumeName)) {
        const mounts = [...(container.volumeMounts ?? []), { name: volumeName, mountPath, readOnly: true }];
        patch.push({ op: "add", path: `/spec/${kind}/${index}/volumeMounts`, value: mounts });
      }
    });
  }
  if (patch.length > 0 && !pod.spec.volumes?.some((volume) => volume.name === volumeName)) {
    const token = { path: "token", audience, expirationSeconds };
    const volume = {
      name: volumeName,
      projected: { sources: [{ serviceAccountToken: token }] },
    };
    patch.push({ op: "add", path: "/spec/volumes", value: [...(pod.spec.volumes ?? []), volume] });
  }
  return patch;
}

export interface WebhookOptions extends WebhookSettings {
  host: string;
  port: number;
  tls: { key: string; certificate: string };
  /** Looks a ServiceAccount up; undefined when it is not there. */
  serviceAccount: (namespace: string, name: string) => Promise<V1ServiceAccount | undefined>;
  log: (line: string) => void;
}

interface AdmissionReview {
  request: { uid: string; namespace: string; object: V1Pod };
}

/** Serves `mutate` as an admission webhook. */
export async function startWebhook(
  options: WebhookOptions,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(
    { key: options.tls.key, cert: options.tls.certificate },
    (request, response) => {
      text(request)
        .then(async (body) => {
          const { request: review } = JSON.parse(body) as AdmissionReview;
          const name = review.object.spec?.serviceAccountName ?? "default";
          const account = await options.serviceAccount(review.namespace, name);
          const patch = mutate(review.object, account, options);
          const pod = review.object.metadata?.name ?? review.object.metadata?.generateName ?? "";
          options.log(`webhook: pod ${review.namespace}/${pod} under ${name}: ${patch.length} changes`);
          response.setHeader("content-type", "application/json").end(
            JSON.stringify({
              apiVersion: "admission.k8s.io/v1",
              kind: "AdmissionReview",
              response: {
                uid: review.uid,
                allowed: true,
                ...(patch.length > 0
                  ? { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }
                  : {}),
              },
            }),
          );
        })
        .catch((error: Error) => {
          options.log(`webhook: ${error.message}`);
          response.writeHead(500).end(error.message);
        });
    },
  );
  await new Promise<void>((resolve) => server.listen(options.port, options.host, resolve));
  return {
    url: `https://${options.host}:${(server.address() as AddressInfo).port}/mutate`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** How the API server is told of the webhook. */
export function webhookConfiguration(url: string, ca: string): V1MutatingWebhookConfiguration {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "pod-identity-webhook" },
    webhooks: [
      {
        name: "iam-for-pods.amazonaws.com",
        clientConfig: { url, caBundle: Buffer.from(ca).toString("base64") },
        rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        // As on EKS: pods without a role must start even while the webhook is away.
        failurePolicy: "Ignore",
        reinvocationPolicy: "IfNeeded",
        timeoutSeconds: 10,
      },
    ],
  };
}

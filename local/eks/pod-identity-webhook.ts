import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type {
  V1Container,
  V1MutatingWebhookConfiguration,
  V1Pod,
  V1ServiceAccount,
} from "@kubernetes/client-node";

/** One change to an object. Source: RFC 6902. */
export interface JsonPatchOperation {
  op: "add";
  path: string;
  value: unknown;
}

export interface WebhookSettings {
  /** Region that pods get as `AWS_REGION`. */
  region: string;
  /** More variables for every container that is not skipped: what AWS's own network knows and this machine's does not. */
  extraEnv: Readonly<Record<string, string>>;
  /** From 0 up to 1. Default `Math.random`. */
  random?: () => number;
}

/** What is known of the ServiceAccount that a pod runs under. */
export interface PodIdentity {
  /** Undefined when it is not there. */
  serviceAccount: V1ServiceAccount | undefined;
  /** Whether a Pod Identity association of the cluster is for it, and has taken effect. */
  associated: boolean;
}

/** The two ways to credentials: where the token is, for whom it is, and which variables lead an SDK to it. */
interface Mechanism {
  audience: string;
  mountPath: string;
  volumeName: string;
  tokenPath: string;
  /** A container that sets one of them itself gets none of them. */
  variables(tokenFile: string): Record<string, string>;
}

const domain = "eks.amazonaws.com";

/** IRSA: STS swaps the token. */
const webIdentity = (audience: string, roleArn: string): Mechanism => ({
  audience,
  mountPath: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
  volumeName: "aws-iam-token",
  tokenPath: "token",
  variables: (tokenFile) => ({ AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile }),
});

/** EKS Pod Identity: the agent on the node swaps it. */
const containerCredentials: Mechanism = {
  audience: "pods.eks.amazonaws.com",
  mountPath: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
  volumeName: "eks-pod-identity-token",
  tokenPath: "eks-pod-identity-token",
  variables: (tokenFile) => ({
    AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
  }),
};

/** Seconds that a token lives where no annotation says otherwise. */
const defaultExpiration = 86_400;
/** The least that an agent's token gets instead of the default, so that not all are renewed at once. */
const leastJittered = 79_200;
/** The least that Kubernetes takes. */
const leastExpiration = 600;

/**
 * What EKS's pod identity webhook changes in a pod whose ServiceAccount has a role: a projected token, and the
 * environment that points SDKs to it. An association comes before the ServiceAccount's annotation. The operations are
 * those of github.com/aws/amazon-eks-pod-identity-webhook at 3bf80a34 (pkg/handler, pkg/cache), as EKS runs it: with
 * the region, and with regional endpoints of STS by default. None when the pod is left alone.
 */
export function mutate(pod: V1Pod, identity: PodIdentity, settings: WebhookSettings): JsonPatchOperation[] {
  const account = annotationsOf(identity.serviceAccount);
  const roleArn = account.value("role-arn");
  const mechanism = identity.associated
    ? containerCredentials
    : roleArn && webIdentity(account.value("audience") ?? "sts.amazonaws.com", roleArn);
  if (!pod.spec || !mechanism) return [];

  const own = annotationsOf(pod);
  const asked = own.expiration() ?? account.expiration() ?? defaultExpiration;
  const jittered = identity.associated && asked === defaultExpiration;
  const expirationSeconds = jittered ? jitter(settings.random ?? Math.random) : asked;
  // The real one knows nothing of a ServiceAccount that it has not seen yet, not even its own default.
  const regional =
    identity.serviceAccount !== undefined && (account.boolean("sts-regional-endpoints") ?? true);
  const skipped = firstRecord(own.value("skip-containers") ?? "");

  const path = `${mechanism.mountPath}/${mechanism.tokenPath}`;
  const tokenFile = isWindows(pod) ? `C:${path.replaceAll("/", "\\")}` : path;
  const endpoints: Record<string, string> = { AWS_STS_REGIONAL_ENDPOINTS: "regional" };
  const regions: Record<string, string> = {
    AWS_DEFAULT_REGION: settings.region,
    AWS_REGION: settings.region,
  };
  const inject = (container: V1Container): V1Container => {
    if (skipped.includes(container.name)) return container;
    const env = container.env ?? [];
    const sets = (...names: string[]): boolean => env.some(({ name }) => names.includes(name));
    const groups = [endpoints, regions, mechanism.variables(tokenFile)];
    const missing = groups.filter((group) => !sets(...Object.keys(group)));
    const extra = Object.entries(settings.extraEnv).filter(([name]) => !sets(name));
    const added = missing.filter((group) => group !== endpoints || regional);
    const all = [...added.flatMap((group) => Object.entries(group)), ...extra];
    const { volumeName: name, mountPath } = mechanism;
    const mounts = container.volumeMounts ?? [];
    // One that sets something of each group is taken for one that has all it needs, and gets no token either.
    const mounted = missing.length === 0 || mounts.some((mount) => mount.name === name);
    return {
      ...container,
      ...(all.length > 0 ? { env: [...env, ...all.map(([key, value]) => ({ name: key, value }))] } : {}),
      ...(mounted ? {} : { volumeMounts: [...mounts, { name, readOnly: true, mountPath }] }),
    };
  };

  const { initContainers = [], containers = [], volumes } = pod.spec;
  const { volumeName, audience, tokenPath } = mechanism;
  const token = { audience, expirationSeconds, path: tokenPath };
  const volume = { name: volumeName, projected: { sources: [{ serviceAccountToken: token }] } };
  return [
    ...(identity.associated ? [labelled(pod)] : []),
    ...(volumes?.some(({ name }) => name === volumeName)
      ? []
      : [volumes ? add("/spec/volumes/0", volume) : add("/spec/volumes", [volume])]),
    add("/spec/containers", containers.map(inject)),
    ...(initContainers.length > 0 ? [add("/spec/initContainers", initContainers.map(inject))] : []),
  ];
}

const add = (path: string, value: unknown): JsonPatchOperation => ({ op: "add", path, value });

/** By this the webhook of EKS marks the pods that are the agent's. */
const labelled = (pod: V1Pod): JsonPatchOperation =>
  pod.metadata?.labels
    ? add(`/metadata/labels/${domain}~1pod-identity`, "enabled")
    : add("/metadata/labels", { [`${domain}/pod-identity`]: "enabled" });

const isWindows = ({ spec }: V1Pod): boolean =>
  ["kubernetes.io/os", "beta.kubernetes.io/os"].some((label) => spec?.nodeSelector?.[label] === "windows");

const jitter = (random: () => number): number =>
  leastJittered + Math.floor(random() * (defaultExpiration - leastJittered + 1));

/** An object's annotations that are the webhook's, read as Go reads them: undefined for what is none. */
function annotationsOf(object: V1Pod | V1ServiceAccount | undefined) {
  const value = (name: string): string | undefined => object?.metadata?.annotations?.[`${domain}/${name}`];
  return {
    value,
    boolean(name: string): boolean | undefined {
      const text = value(name) ?? "";
      if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
      if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
      return undefined;
    },
    expiration(): number | undefined {
      const text = value("token-expiration") ?? "";
      if (!/^[+-]?\d+$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) return undefined;
      return Math.max(leastExpiration, Number(text));
    },
  };
}

/** The first record of a CSV text, as Go's `encoding/csv` reads it; empty when it is none. White space belongs to a field. */
function firstRecord(text: string): string[] {
  const line = text.replaceAll("\r\n", "\n").replace(/^\n+/, "").replace(/\r$/, "");
  const fields: string[] = [];
  const field = /"((?:[^"]|"")*)"(,|\n|$)|([^",\n]*)(,|\n|$)/y;
  for (;;) {
    const found = line === "" ? null : field.exec(line);
    if (found === null) return []; // a quote where none may stand, or nothing at all
    const [, quoted, afterQuoted, bare, afterBare] = found;
    fields.push(quoted?.replaceAll('""', '"') ?? bare ?? "");
    if ((afterQuoted ?? afterBare) !== ",") return fields;
  }
}

export interface WebhookOptions extends WebhookSettings {
  host: string;
  port: number;
  tls: { key: string; certificate: string };
  /** Looks a ServiceAccount up; undefined when it is not there. */
  serviceAccount: (namespace: string, name: string) => Promise<V1ServiceAccount | undefined>;
  /** Whether an association is for it, and has taken effect. */
  associated: (namespace: string, name: string) => Promise<boolean>;
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
          const [account, associated] = await Promise.all([
            options.serviceAccount(review.namespace, name),
            options.associated(review.namespace, name),
          ]);
          const patch = mutate(review.object, { serviceAccount: account, associated }, options);
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

/**
 * How the API server is told of the webhook.
 *
 * @param ca PEM: without it the API server would call nobody, and pods would start without a role
 * @throws Error when `ca` is no certificate.
 */
export function webhookConfiguration(url: string, ca: string): V1MutatingWebhookConfiguration {
  if (!ca.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("The pod identity webhook needs its CA's certificate in PEM, and was given none.");
  }
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "pod-identity-webhook" },
    webhooks: [
      {
        name: "iam-for-pods.amazonaws.com",
        clientConfig: { url, caBundle: Buffer.from(ca).toString("base64") },
        objectSelector: {
          matchExpressions: [{ key: `${domain}/skip-pod-identity-webhook`, operator: "DoesNotExist" }],
        },
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

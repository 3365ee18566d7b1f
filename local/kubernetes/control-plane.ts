import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { type Daemon, start } from "../machine/process.ts";
import { writeKubeconfig } from "./kubeconfig-file.ts";
import type { Pki } from "./pki.ts";

export interface ControlPlaneOptions {
  folder: string;
  pki: Pki;
  /** The OIDC issuer of ServiceAccount tokens, an https URL. */
  issuer: string;
  /** Address that the API server tells the cluster; it may not be a loopback one. */
  advertiseAddress: string;
  ports: { etcd: number; etcdPeer: number; apiServer: number; controllerManager: number; scheduler: number };
  /** URL that tokens which Kubernetes did not sign are shown to (a TokenReview webhook). Default: there is none. */
  tokenAuthenticator?: string;
  onStart: (daemon: Daemon) => void;
}

/** A Kubernetes API that answers, and how to reach it. */
export interface ControlPlane {
  endpoint: string;
  adminKubeconfig: string;
}

/** Starts etcd and waits for it. */
export async function startEtcd(options: ControlPlaneOptions): Promise<void> {
  const client = `http://127.0.0.1:${options.ports.etcd}`;
  const peer = `http://127.0.0.1:${options.ports.etcdPeer}`;
  await start(
    {
      name: "etcd",
      command: "etcd",
      args: [
        ...["--data-dir", join(options.folder, "etcd"), "--name", "local"],
        ...["--listen-client-urls", client, "--advertise-client-urls", client],
        ...[
          "--listen-peer-urls",
          peer,
          "--initial-advertise-peer-urls",
          peer,
          "--initial-cluster",
          `local=${peer}`,
        ],
        // Nothing here outlives the run, so nothing need survive a power cut.
        "--unsafe-no-fsync",
        ...["--log-level", "warn"],
      ],
      ready: async () =>
        ((await (await fetch(`${client}/health`)).json()) as { health: string }).health === "true",
    },
    options.onStart,
  );
}

/** Starts the API server and waits until it is ready. */
export async function startApiServer(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { pki, ports, folder } = options;
  await mkdir(folder, { recursive: true });
  const endpoint = `https://127.0.0.1:${ports.apiServer}`;
  const authenticator = options.tokenAuthenticator
    ? await writeWebhookConfig(join(folder, "token-authenticator.json"), options.tokenAuthenticator, pki)
    : undefined;
  await start(
    {
      name: "kube-apiserver",
      command: "kube-apiserver",
      args: [
        `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
        "--bind-address=127.0.0.1",
        `--secure-port=${ports.apiServer}`,
        `--advertise-address=${options.advertiseAddress}`,
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/24",
        `--tls-cert-file=${pki.apiServer.certificateFile}`,
        `--tls-private-key-file=${pki.apiServer.keyFile}`,
        `--client-ca-file=${pki.ca.certificateFile}`,
        `--kubelet-client-certificate=${pki.kubeletClient.certificateFile}`,
        `--kubelet-client-key=${pki.kubeletClient.keyFile}`,
        `--kubelet-certificate-authority=${pki.ca.certificateFile}`,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        // As EKS's: its own CNI and proxy run so, and what a cluster allows is for its policies to say.
        "--allow-privileged=true",
        // The node's name is no name in DNS.
        "--kubelet-preferred-address-types=InternalIP",
        `--service-account-issuer=${options.issuer}`,
        `--service-account-jwks-uri=${options.issuer}/keys`,
        `--service-account-key-file=${pki.serviceAccount.publicKeyFile}`,
        `--service-account-signing-key-file=${pki.serviceAccount.privateKeyFile}`,
        "--api-audiences=https://kubernetes.default.svc",
        ...(authenticator
          ? [
              `--authentication-token-webhook-config-file=${authenticator}`,
              "--authentication-token-webhook-version=v1",
            ]
          : []),
        "--profiling=false",
      ],
      ready: () => apiServerReady(endpoint, pki),
    },
    options.onStart,
  );
  const adminKubeconfig = await writeKubeconfig(
    join(folder, "admin.kubeconfig"),
    endpoint,
    pki.ca.certificateFile,
    pki.admin,
  );
  return { endpoint, adminKubeconfig };
}

/** Starts the controller manager and the scheduler, side by side. */
export async function startControllers(options: ControlPlaneOptions): Promise<void> {
  const { pki, ports, folder } = options;
  const endpoint = `https://127.0.0.1:${ports.apiServer}`;
  const component = async (
    name: string,
    identity: keyof Pick<Pki, "controllerManager" | "scheduler">,
    args: string[],
  ) => {
    const kubeconfigFile = await writeKubeconfig(
      join(folder, `${name}.kubeconfig`),
      endpoint,
      pki.ca.certificateFile,
      pki[identity],
    );
    const port = ports[identity];
    await start(
      {
        name,
        command: name,
        args: [
          `--kubeconfig=${kubeconfigFile}`,
          `--authentication-kubeconfig=${kubeconfigFile}`,
          `--authorization-kubeconfig=${kubeconfigFile}`,
          "--bind-address=127.0.0.1",
          `--secure-port=${port}`,
          `--tls-cert-file=${pki.services.certificateFile}`,
          `--tls-private-key-file=${pki.services.keyFile}`,
          "--leader-elect=false",
          "--profiling=false",
          ...args,
        ],
        ready: () => get(`https://127.0.0.1:${port}/healthz`, pki).then((answer) => answer.status === 200),
      },
      options.onStart,
    );
  };
  await Promise.all([
    component("kube-controller-manager", "controllerManager", [
      `--service-account-private-key-file=${pki.serviceAccount.privateKeyFile}`,
      // Each controller has a role of its own, as in every real cluster; the manager's own role can create next to nothing.
      "--use-service-account-credentials=true",
      `--root-ca-file=${pki.ca.certificateFile}`,
    ]),
    component("kube-scheduler", "scheduler", []),
  ]);
}

/** The cluster's public keys for ServiceAccount tokens, a JWKS: what EKS publishes under the issuer. */
export async function fetchJwks(endpoint: string, pki: Pick<Pki, "ca" | "admin">): Promise<string> {
  const { status, body } = await get(`${endpoint}/openid/v1/jwks`, pki);
  if (status !== 200) throw new Error(`The API server answered ${status} for its token keys: ${body}`);
  return body;
}

async function apiServerReady(endpoint: string, pki: Pki): Promise<boolean> {
  return (await get(`${endpoint}/readyz`, pki)).status === 200;
}

/** Asks a server of the cluster something, as its administrator. */
function get(url: string, pki: Pick<Pki, "ca" | "admin">): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(
      url,
      {
        ca: pki.ca.certificate,
        cert: pki.admin.certificate,
        key: pki.admin.key,
        timeout: 2000,
        agent: false,
      },
      (response) => {
        let body = "";
        response
          .setEncoding("utf8")
          .on("data", (chunk: string) => {
            body += chunk;
          })
          .on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    )
      .on("timeout", function (this: { destroy(error: Error): void }) {
        this.destroy(new Error(`${url} did not answer within 2 s.`));
      })
      .on("error", reject)
      .end();
  });
}

/** A kubeconfig is also how the API server is told of a webhook of its own. */
async function writeWebhookConfig(file: string, url: string, pki: Pki): Promise<string> {
  const ca = (await readFile(pki.ca.certificateFile)).toString("base64");
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "webhook", cluster: { server: url, "certificate-authority-data": ca } }],
      users: [{ name: "api-server", user: {} }],
      contexts: [{ name: "webhook", context: { cluster: "webhook", user: "api-server" } }],
      "current-context": "webhook",
    }),
  );
  return file;
}

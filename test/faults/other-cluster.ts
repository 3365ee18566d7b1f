import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AssociateAccessPolicyCommand,
  CreateAccessEntryCommand,
  CreateClusterCommand,
  DeleteClusterCommand,
  DescribeClusterCommand,
  EKSClient,
  ListClustersCommand,
} from "@aws-sdk/client-eks";
import { CoreV1Api } from "@kubernetes/client-node";
import { rootCredentials } from "../../local/aws/ministack.ts";
import { administrator } from "../../local/kubernetes/client.ts";
import { startApiServer, startControllers, startEtcd } from "../../local/kubernetes/control-plane.ts";
import type { Identity, Pki } from "../../local/kubernetes/pki.ts";
import { freePort } from "../../local/machine/free-port.ts";
import { runFolder } from "../../local/machine/paths.ts";
import { type Daemon, stop } from "../../local/machine/process.ts";
import { folders, issuerOf, region } from "../../local/run.ts";
import { save } from "../../local/state.ts";
import { until } from "../e2e/tools.ts";
import type { Live } from "./live.ts";

const folder = join(runFolder, "other-cluster");
/** As EKS's: another than that of local's one. */
export const otherIssuer = issuerOf(region).replace(/1$/, "2");

/**
 * A second EKS cluster beside local's: an API server with an issuer and a signing key of its own, which really makes and signs
 * tokens, and a record in EKS. It has no node: this machine is the other's.
 */
export class OtherCluster {
  readonly #live: Live;
  readonly #daemons: Daemon[] = [];
  readonly name: string;

  private constructor(live: Live, name: string) {
    this.#live = live;
    this.name = name;
  }

  static async start(live: Live, name: string): Promise<OtherCluster> {
    const cluster = new OtherCluster(live, name);
    await cluster.#start();
    return cluster;
  }

  core(): CoreV1Api {
    return administrator(join(folder, "admin.kubeconfig")).makeApiClient(CoreV1Api);
  }

  async stop(): Promise<void> {
    const { state } = this.#live;
    await this.#live.otherClusters([]);
    await this.#eks().send(new DeleteClusterCommand({ name: this.name }));
    for (const daemon of [...this.#daemons].reverse()) await stop(daemon);
    state.daemons = state.daemons.filter((one) => !this.#daemons.includes(one));
    save(state);
    rmSync(folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const { state } = this.#live;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const own: Record<string, number> = {};
    for (const name of ["etcd", "etcdPeer", "apiServer", "controllerManager", "scheduler"] as const)
      own[name] = await freePort();
    const pki = pkiWithOwnSigningKey();
    const plane = {
      folder,
      pki,
      issuer: otherIssuer,
      advertiseAddress: state.bridge?.address ?? "",
      ports: { ...state.ports, ...own },
      tokenAuthenticator: `http://127.0.0.1:${state.ports.tokenAuthenticator}/${this.name}`,
      // Whatever becomes of this test, `down` ends them.
      onStart: (daemon: Daemon) => {
        this.#daemons.push(daemon);
        state.daemons.push(daemon);
        save(state);
      },
    };
    await startEtcd(plane);
    const { endpoint } = await startApiServer(plane);
    // Of them the garbage collector, without which nothing is deleted.
    await startControllers(plane);
    await this.#register(endpoint, pki);
  }

  async #register(endpoint: string, pki: Pki): Promise<void> {
    const clusterName = this.name;
    const eks = this.#eks();
    const [first] = (await eks.send(new ListClustersCommand({}))).clusters ?? [];
    const { cluster: own } = await eks.send(new DescribeClusterCommand({ name: first }));
    await eks.send(
      new CreateClusterCommand({
        name: clusterName,
        roleArn: own?.roleArn,
        resourcesVpcConfig: { subnetIds: [] },
      }),
    );
    await until(`the cluster ${clusterName} is there`, 60, async () => {
      const { cluster } = await eks.send(new DescribeClusterCommand({ name: clusterName }));
      return cluster?.status === "ACTIVE" || undefined;
    });
    const principalArn = "arn:aws:iam::000000000000:user/admin";
    await eks.send(new CreateAccessEntryCommand({ clusterName, principalArn }));
    await eks.send(
      new AssociateAccessPolicyCommand({
        clusterName,
        principalArn,
        policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope: { type: "cluster" },
      }),
    );
    const certificateAuthority = Buffer.from(pki.ca.certificate).toString("base64");
    const kubernetes = { endpoint, certificateAuthority, issuer: otherIssuer, version: "1.34" };
    await this.#live.otherClusters([{ name: clusterName, ...kubernetes }]);
  }

  /** MiniStack itself: the front door refuses a second cluster. */
  #eks(): EKSClient {
    const endpoint = `http://127.0.0.1:${this.#live.state.ports.miniStack}`;
    return new EKSClient({ endpoint, region, credentials: rootCredentials });
  }
}

/** The keys of local's Kubernetes, but for the one that signs tokens. */
function pkiWithOwnSigningKey(): Pki {
  const file = (name: string) => join(folders.pki, name);
  const read = (name: string) => readFileSync(file(name), "utf8");
  const identity = (name: string): Identity => ({
    certificate: read(`${name}.crt`),
    key: read(`${name}.key`),
    certificateFile: file(`${name}.crt`),
    keyFile: file(`${name}.key`),
  });
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const [privateKeyFile, publicKeyFile] = ["key", "pub"].map((end) => join(folder, `service-account.${end}`));
  writeFileSync(privateKeyFile ?? "", privateKey, { mode: 0o600 });
  writeFileSync(publicKeyFile ?? "", publicKey);
  return {
    ca: { certificate: read("ca.crt"), certificateFile: file("ca.crt") },
    apiServer: identity("api-server"),
    kubeletClient: identity("kubelet-client"),
    controllerManager: identity("controller-manager"),
    scheduler: identity("scheduler"),
    kubelet: identity("kubelet"),
    kubeletServer: identity("kubelet-server"),
    admin: identity("admin"),
    services: identity("services"),
    serviceAccount: {
      privateKey,
      privateKeyFile: privateKeyFile ?? "",
      publicKeyFile: publicKeyFile ?? "",
    },
  };
}

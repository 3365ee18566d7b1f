import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import {
  AuthenticationV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1ServiceAccount,
} from "@kubernetes/client-node";
import { Account, type Credentials } from "./aws/account.ts";
import { type FaultPlan, Faults } from "./aws/faults.ts";
import { startFrontDoor } from "./aws/frontdoor.ts";
import { issuerKeys } from "./aws/jwks.ts";
import { defaultAccountId } from "./aws/ministack.ts";
import { botocoreModels } from "./aws/models.ts";
import { SessionLimit } from "./aws/session-limit.ts";
import { startTestControl } from "./aws/test-control.ts";
import { podIdentityService } from "./aws/trust-simulator.ts";
import { hasTakenEffect, isAssociated } from "./eks/associations.ts";
import { assumeRoleForPodIdentity } from "./eks/eks-auth-client.ts";
import { OtherClusters } from "./eks/other-clusters.ts";
import { leastSeconds, startPodIdentityAgent } from "./eks/pod-identity-agent.ts";
import { startWebhook } from "./eks/pod-identity-webhook.ts";
import { startTokenAuthenticator } from "./eks/token-authenticator.ts";
import { administrator } from "./kubernetes/client.ts";
import { fetchJwks } from "./kubernetes/control-plane.ts";
import { project, venv } from "./machine/paths.ts";
import { startLanguageHost } from "./pulumi/language-host.ts";
import { startProviders } from "./pulumi/providers/index.ts";
import { startImmutableTags } from "./registry/immutable-tags.ts";
import { deleteImages } from "./registry/manifests.ts";
import { awsEndpoint, files, folders, issuerOf, type Ports, type Services } from "./run.ts";

// The one Node process of local: AWS's front door, EKS's authenticator, webhook and agent, Pulumi's providers. Started with the
// name of a file that holds `ServicesOptions`; answers with the file `<name>.ready` once all of them listen.

/** Whether local's registry refuses, as ECR does, to push to a tag that exists in an IMMUTABLE repository. */
const honoursImmutableTags = true;

export interface ServicesOptions {
  region: string;
  ports: Ports;
  /** The host's address on the pods' bridge. */
  bridgeAddress: string;
  admin: Credentials;
  /** Version of the Kubernetes that runs, such as `1.34`. */
  kubernetesVersion: string;
}

async function main(file: string): Promise<void> {
  const { region, ports, bridgeAddress, admin, kubernetesVersion } = JSON.parse(
    readFileSync(file, "utf8"),
  ) as ServicesOptions;
  const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
  const pem = (name: string): string => readFileSync(`${folders.pki}/${name}`, "utf8");
  const pki = {
    ca: { certificate: pem("ca.crt"), certificateFile: `${folders.pki}/ca.crt` },
    admin: {
      certificate: pem("admin.crt"),
      key: pem("admin.key"),
      certificateFile: `${folders.pki}/admin.crt`,
      keyFile: `${folders.pki}/admin.key`,
    },
  };
  const upstream = `http://127.0.0.1:${ports.miniStack}`;
  const apiServer = `https://127.0.0.1:${ports.apiServer}`;
  const registryStorage = `http://127.0.0.1:${ports.registryStorage}`;
  const issuer = issuerOf(region);
  const account = new Account({ endpoint: upstream, region });
  const addresses = ["127.0.0.1", bridgeAddress];
  const faults = new Faults();
  const sessions = new SessionLimit();
  const others = new OtherClusters();

  const keys = issuerKeys({
    fetch: async (asked) => {
      // The name under which AWS would find the keys; here they are where they come from.
      const endpoint = asked === issuer ? apiServer : others.endpointOf(asked);
      if (endpoint === undefined) throw new Error(`${asked} is not reachable from this machine.`);
      return JSON.parse(await fetchJwks(endpoint, pki));
    },
  });
  const kubernetes = kubernetesLookups(files.kubeconfig);

  const frontDoor = startFrontDoor({
    addresses,
    port: ports.frontDoor,
    upstream,
    iam: account,
    webIdentity: {
      accountId: defaultAccountId,
      oidcProviders: () => account.oidcProviders(),
      role: (name) => account.role(name),
      keys,
    },
    sessionSeconds: (asked) => sessions.of(asked),
    eks: {
      otherKubernetes: others.byName,
      kubernetes: {
        endpoint: apiServer,
        certificateAuthority: Buffer.from(pki.ca.certificate).toString("base64"),
        issuer,
        version: kubernetesVersion,
      },
      clusterNames: () => account.clusterNames(),
      tags: (arn) => account.tags(arn),
      association: (cluster, id) => account.association(cluster, id),
      role: (name) => account.role(name),
      principalExists: (arn) => account.principalExists(arn),
      accountId: defaultAccountId,
      region,
    },
    eksAuth: {
      podIdentity: {
        accountId: defaultAccountId,
        region,
        issuer: async (cluster) => ((await account.clusterNames()).includes(cluster) ? issuer : undefined),
        keys,
        isCurrent: (token) => kubernetes.isCurrent(token),
        association: async (...of) => {
          const found = await account.podIdentityAssociation(...of);
          return found && hasTakenEffect(found.createdAt, new Date()) ? found : undefined;
        },
        role: (name) => account.role(name),
      },
      assumeRole: (how, ...as) =>
        account.assumeRole(
          { ...how, durationSeconds: sessions.of(how.durationSeconds, leastSeconds + 2) },
          ...as,
        ),
    },
    models: botocoreModels(venv),
    registry: {
      host: `127.0.0.1:${ports.registry}`,
      deleteImages: (repository) => deleteImages(registryStorage, repository),
      // ECR's own are as long. Local's registry asks for none.
      password: randomBytes(1024).toString("base64"),
    },
    faults,
    log: (line) => log(`aws: ${line}`),
  });
  const authenticator = startTokenAuthenticator({
    port: ports.tokenAuthenticator,
    sts: upstream,
    hosts: addresses.map((address) => `${address}:${ports.frontDoor}`),
    clusterName: async () => (await account.clusterNames())[0],
    entries: account,
    log: (line) => log(`authenticator: ${line}`),
  });
  const webhook = startWebhook({
    host: "127.0.0.1",
    port: ports.webhook,
    tls: { certificate: pem("services.crt"), key: pem("services.key") },
    region,
    extraEnv: {
      AWS_ENDPOINT_URL: `http://${bridgeAddress}:${ports.frontDoor}`,
      AWS_ENDPOINT_URL_STS: `http://${bridgeAddress}:${ports.frontDoor}`,
    },
    serviceAccount: (...of) => kubernetes.serviceAccount(...of),
    associated: (namespace, name) =>
      isAssociated(namespace, name, {
        createdAt: (...serviceAccount) => account.associationCreatedAt(...serviceAccount),
      }),
    log,
  });
  const agent: Promise<{ fault?: string; close(): Promise<void> }> = startPodIdentityAgent({
    clusterName: async () => (await account.clusterNames())[0],
    assumeRole: (cluster, token) =>
      assumeRoleForPodIdentity(cluster, token, { endpoint: awsEndpoint(ports), region, credentials: admin }),
    log,
  }).catch(({ message: fault }: Error) => {
    // Another server may have the port, on every address. Who uses IRSA need not care.
    log(`agent: ${fault}`);
    return { fault, close: async () => undefined };
  });
  const registry = startImmutableTags({
    host: "127.0.0.1",
    port: ports.registry,
    registry: registryStorage,
    isImmutable: async (repository) => honoursImmutableTags && account.isImmutable(repository),
    log,
  });
  const providers = startProviders({
    host: "127.0.0.1",
    endpoint: awsEndpoint(ports),
    region,
    credentials: admin,
    dockerSocket: files.dockerSocket,
    workDir: project,
    log,
  });

  const testControl = startTestControl(
    {
      faults: {
        get: () => faults.counts,
        set: (plan) => faults.set(plan as FaultPlan | undefined),
      },
      sessions,
      clusters: others,
    },
    files.testSocket,
  );
  const languageHost = startLanguageHost({ host: "127.0.0.1", log: (line) => log(`nodejs: ${line}`) });

  const servers = await Promise.all([
    providers,
    languageHost,
    frontDoor,
    authenticator,
    webhook,
    registry,
    testControl,
    agent,
  ]);
  const [{ ports: providerPorts }, { port: languageHostPort }] = servers;
  const ready: Services = {
    providers: { ...providerPorts },
    languageHost: languageHostPort,
    agentFault: (await agent).fault,
  };
  writeFileSync(`${file}.ready.new`, JSON.stringify(ready));
  renameSync(`${file}.ready.new`, `${file}.ready`);
  log("all servers listen");

  const close = (): void => {
    void Promise.allSettled(servers.map((server) => server.close())).then(() => process.exit(0));
  };
  process.once("SIGTERM", close);
  process.once("SIGINT", close);
}

/** What is asked of Kubernetes. The kubeconfig is there only once the API server is, so it is read when the first is asked for. */
function kubernetesLookups(kubeconfig: string) {
  let config: KubeConfig | undefined;
  const client = (): KubeConfig => {
    config ??= administrator(kubeconfig);
    return config;
  };
  return {
    serviceAccount: async (namespace: string, name: string): Promise<V1ServiceAccount | undefined> =>
      client()
        .makeApiClient(CoreV1Api)
        .readNamespacedServiceAccount({ namespace, name })
        .catch((error: { code?: number }) => {
          if (error.code === 404) return undefined;
          throw error;
        }),
    /** Whether a pod's token is taken still: the API server looks whether what it is bound to is there. */
    isCurrent: async (token: string): Promise<boolean> => {
      const spec = { token, audiences: [podIdentityService] };
      const review = await client().makeApiClient(AuthenticationV1Api).createTokenReview({ body: { spec } });
      return review.status?.authenticated === true;
    },
  };
}

const [, , optionsFile] = process.argv;
if (optionsFile === undefined)
  throw new Error("services.ts is started with the name of its file of options.");
main(optionsFile).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

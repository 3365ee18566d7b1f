import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { AdmissionregistrationV1Api, CoreV1Api } from "@kubernetes/client-node";
import { Account } from "./aws/account.ts";
import { miniStack, pythonDataPackages, pythonPackages } from "./aws/ministack.ts";
import { clearLeftBehind } from "./cli/down.ts";
import { atOnce, doing, finding, inTurn, type Say, type Step } from "./cli/steps.ts";
import { webhookConfiguration } from "./eks/pod-identity-webhook.ts";
import { administrator } from "./kubernetes/client.ts";
import { startApiServer, startControllers, startEtcd } from "./kubernetes/control-plane.ts";
import { nodeName, startContainerd, startKubelet, startMountNamespace } from "./kubernetes/node.ts";
import { createPki, type Pki } from "./kubernetes/pki.ts";
import { type Bridge, createBridge } from "./machine/bridge.ts";
import { type BaseImage, baseImageDebianPackages, layOutGoImage } from "./machine/install/base-image.ts";
import { installDebianPackages } from "./machine/install/debian.ts";
import { buildGoProgram, installGo } from "./machine/install/go.ts";
import { layOutJavaImage } from "./machine/install/java-image.ts";
import {
  engineVersion,
  kubernetesProgram,
  kubernetesProvider,
  kubernetesProviderProgram,
  kubernetesVersion,
  pauseProgram,
  pulumiProgram,
  yamlProgram,
} from "./machine/install/programs.ts";
import { installPlugin, installRelease, isReleaseInReach, ownPlugin } from "./machine/install/pulumi.ts";
import { installPythonPackages, pythonDebianPackages } from "./machine/install/python.ts";
import { bin, cache, project, runFolder, venv } from "./machine/paths.ts";
import { type Daemon, exists, start } from "./machine/process.ts";
import { importBaseImage, publish, removeOldImages, startDockerd } from "./registry/dockerd.ts";
import { startRegistry } from "./registry/registry.ts";
import {
  awsEndpoint,
  files,
  folders,
  issuerOf,
  type JavaImages,
  type Parts,
  region,
  type Services,
  type StartingRun,
  type UpRun,
} from "./run.ts";
import type { ServicesOptions } from "./services.ts";
import { save } from "./state.ts";

// Everything that `up` does before there is an engine to ask: what is missing is installed, then every part is started.

/** Debian packages that local's programs come from. */
const debianPackages = [
  ...["containerd", "runc", "containernetworking-plugins", "etcd-server", "docker.io", "docker-registry"],
  ...["iproute2", "util-linux", "mount"],
  ...pythonDebianPackages,
  ...baseImageDebianPackages,
];

/** Buckets that are there from the start, so that there is something to list. */
const sampleBuckets = ["invoices-2026", "holiday-photos", "build-artifacts"];

/** Where Pulumi's programs come from. */
interface Sources {
  /** Whether Pulumi's releases can be had from here. */
  releases: boolean;
  /** The Kubernetes provider as the person's own Pulumi has it. */
  ownProvider: string | undefined;
}

/** What the installation finds out that the start needs. */
export interface Installed {
  image: BaseImage;
}

const engineAndKubernetes: [Step<Sources, unknown>, Step<Sources, unknown>] = [
  doing("Pulumi engine", installEngine),
  doing("Kubernetes", installKubernetes),
];

/** Gets every program that local runs; what is there already stays. */
export const install: Step<unknown, Installed> = inTurn(
  "install",
  doing("Debian packages", async (_, say) => describeAdded(await installDebianPackages(debianPackages, say))),
  finding(
    "Pulumi's releases",
    async (): Promise<Sources> => ({
      ownProvider: await ownPlugin(kubernetesProvider),
      releases: await isReleaseInReach(engineVersion),
    }),
    ({ releases }) =>
      releases
        ? "in reach: nothing of Pulumi's is built"
        : "out of reach: the engine and its Kubernetes provider are built from their Go modules",
  ),
  finding(
    "Go",
    async (_, say) => ({ goVersion: await installGo(say) }),
    ({ goVersion }) => goVersion,
  ),
  atOnce(
    "programs",
    doing("Python packages", async (_, say) =>
      describeAdded([
        ...(await installPythonPackages(pythonPackages, say)),
        ...(await installPythonPackages(pythonDataPackages, say, { dependencies: false })),
      ]),
    ),
    // On two cores one after the other: each build takes both anyway.
    availableParallelism() > 2
      ? atOnce("engine and Kubernetes", ...engineAndKubernetes)
      : inTurn("engine and Kubernetes", ...engineAndKubernetes),
    finding(
      "Go base image",
      async ({ goVersion }: { goVersion: string }, say) => ({ image: await layOutGoImage(goVersion, say) }),
      ({ image }) => image.name,
    ),
  ),
  doing("Pulumi's Kubernetes provider", installKubernetesProvider),
);

async function installEngine({ releases }: Sources, say: Say): Promise<string> {
  if (releases) {
    const names = [pulumiProgram.name, yamlProgram.name];
    return (await installRelease(engineVersion, names)) ? "downloaded" : "there already";
  }
  return buildGoProgram(pulumiProgram, say);
}

async function installKubernetes({ releases, ownProvider }: Sources, say: Say): Promise<string> {
  await buildGoProgram(pauseProgram, say);
  const kubernetes = await buildGoProgram(kubernetesProgram, say);
  if (!releases && ownProvider === undefined) await buildGoProgram(kubernetesProviderProgram, say);
  if (!releases) await buildGoProgram(yamlProgram, say);
  return kubernetes;
}

async function installKubernetesProvider({ releases, ownProvider }: Sources): Promise<string> {
  const built = !releases && ownProvider === undefined;
  const binary = join(bin, kubernetesProviderProgram.name);
  const source = built ? binary : ownProvider;
  const mark = built ? await readFile(`${binary}.stamp`, "utf8") : "";
  const { name, version } = kubernetesProvider;
  return `${name} ${version}, ${(await installPlugin(kubernetesProvider, source, { mark })) ? "installed" : "there already"}`;
}

const describeAdded = (added: readonly string[]): string =>
  added.length > 0 ? added.join(", ") : "there already";

/** What is known before any part is started. */
export interface BringUp extends Installed {
  starting: StartingRun;
}

/** The pods' network, and the keys of their Kubernetes. */
interface Ground {
  bridge: Bridge;
  pki: Pki;
}

/** What AWS's parts are known by. */
type AwsParts = Omit<Parts, "goImage">;

/** Starts every part, in the order in which they need one another. */
export const bringUp: Step<BringUp, Parts> = inTurn(
  "start",
  finding<BringUp, Ground>("network and keys", layGround, ({ bridge }) => `pods on ${bridge.subnet}`),
  atOnce(
    "servers",
    inTurn(
      "AWS, with something to list",
      finding<BringUp & Ground, AwsParts>("AWS", startAws, () => undefined),
      doing("sample buckets", makeBuckets),
    ),
    doing("Kubernetes control plane and node", startKubernetes),
    finding("registry and image builder", startBuilder, () => undefined),
  ),
  doing("pod identity webhook", registerWebhook),
);

async function layGround({ starting }: BringUp): Promise<Ground> {
  await clearLeftBehind();
  const bridge = await createBridge(runFolder);
  starting.bridge = bridge;
  save(starting);
  const pki = await createPki({
    folder: folders.pki,
    apiServerNames: ["127.0.0.1", "localhost", "kubernetes.default.svc", "10.96.0.1", bridge.address],
    nodeAddress: bridge.address,
    nodeName,
  });
  return { bridge, pki };
}

const recorder =
  (starting: StartingRun) =>
  (daemon: Daemon): void => {
    starting.daemons.push(daemon);
    save(starting);
  };

async function startAws({ starting, bridge }: BringUp & Ground): Promise<AwsParts> {
  const { ports } = starting;
  const { url, ...stack } = miniStack({ venv, port: ports.miniStack, folder: folders.miniStack, region });
  await mkdir(folders.miniStack, { recursive: true });
  await start({ name: "ministack", ...stack }, recorder(starting));
  const admin = await new Account({ endpoint: url, region }).administrator();

  const options: ServicesOptions = {
    region,
    ports,
    bridgeAddress: bridge.address,
    admin,
    kubernetesVersion: kubernetesVersion.slice(1).split(".").slice(0, 2).join("."),
  };
  const file = join(runFolder, "services.json");
  await writeFile(file, JSON.stringify(options), { mode: 0o600 });
  await start(
    {
      name: "services",
      command: process.execPath,
      // It holds little for long: a small young generation keeps it from growing by 100 MB.
      args: [
        "--max-semi-space-size=4",
        "--import",
        join(project, "preload.js"),
        join(project, "local", "services.ts"),
        file,
      ],
      cwd: project,
      ready: () => exists(`${file}.ready`),
    },
    recorder(starting),
  );
  return { admin, services: JSON.parse(await readFile(`${file}.ready`, "utf8")) as Services };
}

async function startKubernetes({ starting, bridge, pki }: BringUp & Ground, say: Say): Promise<string> {
  const { ports } = starting;
  const onStart = recorder(starting);
  const plane = {
    folder: folders.kubernetes,
    pki,
    issuer: issuerOf(region),
    advertiseAddress: bridge.address,
    ports,
    tokenAuthenticator: `http://127.0.0.1:${ports.tokenAuthenticator}/`,
    onStart,
  };
  say("etcd");
  await startEtcd(plane);
  say("API server");
  const { endpoint } = await startApiServer(plane);
  const node = { folder: folders.kubernetes, pki, bridge, endpoint, ports, onStart };
  say("controllers and node");
  await Promise.all([
    startControllers(plane),
    (async () => {
      const holder = await startMountNamespace(folders.kubernetes, onStart);
      await startContainerd(node, holder);
      await startKubelet(node, holder, nodeReady);
    })(),
  ]);
  return `${kubernetesVersion} at ${endpoint}`;
}

async function nodeReady(): Promise<boolean> {
  const node = await administrator(files.kubeconfig).makeApiClient(CoreV1Api).readNode({ name: nodeName });
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

async function startBuilder({ starting, image }: BringUp): Promise<Pick<Parts, "goImage">> {
  const onStart = recorder(starting);
  const [, socket] = await Promise.all([
    startRegistry({ folder: folders.registry, port: starting.ports.registryStorage, onStart }),
    startDockerd({ folder: folders.docker, cache: join(cache, "docker"), onStart }),
  ]);
  await removeOldImages(socket);
  await importBaseImage(socket, image);
  return { goImage: image.name };
}

/** Makes the image that stands for `maven:`, for builds and for the toolbox. */
export async function makeJavaImages({ ports }: Pick<UpRun, "ports">, say: Say): Promise<JavaImages> {
  const image = await layOutJavaImage(say);
  say("importing it");
  await importBaseImage(files.dockerSocket, image);
  const toolbox = await publish(files.dockerSocket, image, `127.0.0.1:${ports.registry}`);
  return { build: image.name, toolbox };
}

async function registerWebhook({ starting, pki }: BringUp & Ground): Promise<undefined> {
  const url = `https://127.0.0.1:${starting.ports.webhook}/mutate`;
  await administrator(files.kubeconfig)
    .makeApiClient(AdmissionregistrationV1Api)
    .createMutatingWebhookConfiguration({ body: webhookConfiguration(url, pki.ca.certificate) });
}

async function makeBuckets({ starting: { ports }, admin }: BringUp & AwsParts): Promise<string> {
  const endpoint = awsEndpoint(ports);
  const s3 = new S3Client({ endpoint, region, credentials: admin, forcePathStyle: true });
  const CreateBucketConfiguration = { LocationConstraint: region } as const;
  await Promise.all(
    sampleBuckets.map((Bucket) => s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }))),
  );
  return sampleBuckets.join(", ");
}

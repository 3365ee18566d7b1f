import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AdmissionregistrationV1Api, CoreV1Api } from "@kubernetes/client-node";
import { Account } from "./aws/account.ts";
import { miniStack, pythonDataPackages, pythonPackages } from "./aws/ministack.ts";
import type { Step } from "./cli/progress.ts";
import { webhookConfiguration } from "./eks/pod-identity-webhook.ts";
import { administrator } from "./kubernetes/client.ts";
import { startApiServer, startControllers, startEtcd } from "./kubernetes/control-plane.ts";
import { nodeName, startContainerd, startKubelet, startMountNamespace } from "./kubernetes/node.ts";
import { createPki, type Pki } from "./kubernetes/pki.ts";
import { command } from "./machine/command.ts";
import { type BaseImage, baseImageDebianPackages, layOutGoImage } from "./machine/install/base-image.ts";
import { installDebianPackages } from "./machine/install/debian.ts";
import { buildGoProgram, installGo } from "./machine/install/go.ts";
import { layOutJavaImage } from "./machine/install/java-image.ts";
import {
  engineVersion,
  kubernetesProgram,
  kubernetesProvider,
  kubernetesVersion,
  kubernetesWithProviderProgram,
  pauseProgram,
  pulumiProgram,
  yamlProgram,
} from "./machine/install/programs.ts";
import { installPlugin, installRelease, isReleaseInReach, ownPlugin } from "./machine/install/pulumi.ts";
import { installPythonPackages, pythonDebianPackages } from "./machine/install/python.ts";
import { createBridge } from "./machine/network.ts";
import { bin, cache, project, run, venv } from "./machine/paths.ts";
import { exists, start } from "./machine/process.ts";
import { importBaseImage, publish, removeOldImages, startDockerd } from "./registry/dockerd.ts";
import { startRegistry } from "./registry/registry.ts";
import {
  awsEndpoint,
  awsEnvironment,
  files,
  folders,
  issuerOf,
  type Run,
  region,
  type Services,
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

/** What the steps of the installation find out. */
interface Installed {
  goVersion?: string;
  /** Whether Pulumi's releases can be had from here. */
  releases?: boolean;
  /** The Kubernetes provider as the person's own Pulumi has it. */
  ownProvider?: string;
  image?: BaseImage;
}

/** What all steps pass on to each other. */
export interface BringUp extends Installed {
  state: Run;
  pki?: Pki;
}

/** Gets every program that local runs; what is there already stays. */
export const install: Step<Installed> = {
  title: "install",
  steps: [
    {
      title: "Debian packages",
      run: async (_, say) => news(await installDebianPackages(debianPackages, say)),
    },
    {
      title: "Pulumi's releases",
      run: async (context) => {
        context.ownProvider = await ownPlugin(kubernetesProvider);
        context.releases = await isReleaseInReach(engineVersion);
        return context.releases
          ? "in reach: nothing of Pulumi's is built"
          : "out of reach: the engine and its Kubernetes provider are built from their Go modules";
      },
    },
    {
      title: "Go",
      run: async (context, say) => {
        context.goVersion = await installGo(say);
        return context.goVersion;
      },
    },
    {
      title: "programs",
      concurrent: true,
      steps: [
        {
          title: "Python packages",
          run: async (_, say) =>
            news([
              ...(await installPythonPackages(pythonPackages, say)),
              ...(await installPythonPackages(pythonDataPackages, say, { dependencies: false })),
            ]),
        },
        {
          title: "engine and Kubernetes",
          // On two cores one after the other: each build takes both anyway.
          concurrent: availableParallelism() > 2,
          steps: [
            { title: "Pulumi engine", run: installEngine },
            { title: "Kubernetes", run: installKubernetes },
          ],
        },
        {
          title: "Go base image",
          run: async (context, say) => {
            context.image = await layOutGoImage(context.goVersion ?? "", say);
            return context.image.name;
          },
        },
      ],
    },
    { title: "Pulumi's Kubernetes provider", run: installKubernetesProvider },
  ],
};

async function installEngine({ releases }: Installed, say: (line: string) => void): Promise<string> {
  if (releases) {
    const names = [pulumiProgram.name, yamlProgram.name];
    return (await installRelease(engineVersion, names)) ? "downloaded" : "there already";
  }
  return buildGoProgram(pulumiProgram, say);
}

async function installKubernetes(
  { releases, ownProvider }: Installed,
  say: (line: string) => void,
): Promise<string> {
  await buildGoProgram(pauseProgram, say);
  const withProvider = !releases && ownProvider === undefined;
  const kubernetes = await buildGoProgram(
    withProvider ? kubernetesWithProviderProgram : kubernetesProgram,
    say,
  );
  if (!releases) await buildGoProgram(yamlProgram, say);
  return kubernetes;
}

async function installKubernetesProvider({ releases, ownProvider }: Installed): Promise<string> {
  const built = !releases && ownProvider === undefined;
  const source = built ? await asProvider(join(bin, kubernetesProgram.name)) : ownProvider;
  const mark = built ? await readFile(join(bin, `${kubernetesProgram.name}.stamp`), "utf8") : "";
  const { name, version } = kubernetesProvider;
  return `${name} ${version}, ${(await installPlugin(kubernetesProvider, source, { mark })) ? "installed" : "there already"}`;
}

/** The Kubernetes binary under the provider's name, apart from the search path: the engine warns of plugins that it finds there. */
async function asProvider(kubernetes: string): Promise<string> {
  const folder = join(cache, "provider");
  const provider = join(folder, "pulumi-resource-kubernetes");
  await mkdir(folder, { recursive: true });
  await rm(provider, { force: true });
  await symlink(kubernetes, provider);
  return provider;
}

const news = (added: readonly string[]): string => (added.length > 0 ? added.join(", ") : "there already");

/** Starts every part, in the order in which they need one another. */
export const bringUp: Step<BringUp> = {
  title: "start",
  steps: [
    {
      title: "network and keys",
      run: async (context) => {
        const { state } = context;
        state.bridge = await createBridge();
        save(state);
        context.pki = await createPki({
          folder: folders.pki,
          apiServerNames: [
            "127.0.0.1",
            "localhost",
            "kubernetes.default.svc",
            "10.96.0.1",
            state.bridge.address,
          ],
          nodeAddress: state.bridge.address,
          nodeName,
        });
        return `pods on ${state.bridge.subnet}`;
      },
    },
    {
      title: "servers",
      concurrent: true,
      steps: [
        { title: "AWS", run: startAws },
        { title: "Kubernetes control plane and node", run: startKubernetes },
        { title: "registry and image builder", run: startBuilder },
      ],
    },
    { title: "pod identity webhook", run: registerWebhook },
    { title: "sample buckets", run: makeBuckets },
  ],
};

function recorder(state: Run) {
  return (daemon: Run["daemons"][number]): void => {
    state.daemons.push(daemon);
    save(state);
  };
}

async function startAws({ state }: BringUp): Promise<string> {
  const { ports } = state;
  const { url, ...stack } = miniStack({ venv, port: ports.miniStack, folder: folders.miniStack, region });
  await mkdir(folders.miniStack, { recursive: true });
  await start({ name: "ministack", ...stack }, recorder(state));
  state.admin = await new Account({ endpoint: url, region }).administrator();
  save(state);

  const options: ServicesOptions = {
    region,
    ports,
    bridgeAddress: state.bridge?.address ?? "",
    admin: state.admin,
    kubernetesVersion: kubernetesVersion.slice(1).split(".").slice(0, 2).join("."),
  };
  const file = join(run, "services.json");
  await writeFile(file, JSON.stringify(options), { mode: 0o600 });
  await start(
    {
      name: "services",
      command: process.execPath,
      args: ["--import", join(project, "preload.js"), join(project, "local", "services.ts"), file],
      cwd: project,
      ready: () => exists(`${file}.ready`),
    },
    recorder(state),
  );
  state.services = JSON.parse(await readFile(`${file}.ready`, "utf8")) as Services;
  save(state);
  return awsEndpoint(ports);
}

async function startKubernetes(context: BringUp, say: (line: string) => void): Promise<string> {
  const { state, pki } = context;
  const { ports, bridge } = state;
  if (!pki || !bridge) throw new Error("Keys and network come first.");
  const onStart = recorder(state);
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
  const node = await administrator().makeApiClient(CoreV1Api).readNode({ name: nodeName });
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

async function startBuilder(context: BringUp): Promise<string> {
  const { state, image } = context;
  const onStart = recorder(state);
  const [registry, socket] = await Promise.all([
    startRegistry({ folder: folders.registry, port: state.ports.registry, onStart }),
    startDockerd({ folder: folders.docker, cache: join(cache, "docker"), onStart }),
  ]);
  await removeOldImages(socket);
  if (image) {
    await importBaseImage(socket, image);
    state.goImage = image.name;
    save(state);
  }
  return registry;
}

/** Makes the image that stands for `maven:`, for builds and for the toolbox. */
export async function javaImage(state: Run, say: (line: string) => void): Promise<string> {
  const image = await layOutJavaImage(say);
  say("importing it");
  await importBaseImage(files.dockerSocket, image);
  state.javaImage = image.name;
  state.toolboxImage = await publish(files.dockerSocket, image, `127.0.0.1:${state.ports.registry}`);
  save(state);
  return image.name;
}

async function registerWebhook({ state, pki }: BringUp): Promise<undefined> {
  await administrator()
    .makeApiClient(AdmissionregistrationV1Api)
    .createMutatingWebhookConfiguration({
      body: webhookConfiguration(
        `https://127.0.0.1:${state.ports.webhook}/mutate`,
        pki?.ca.certificate ?? "",
      ),
    });
}

async function makeBuckets({ state }: BringUp): Promise<string> {
  await Promise.all(
    sampleBuckets.map((name) =>
      command("aws", ["s3", "mb", `s3://${name}`], { log: "aws", env: awsEnvironment(state) }),
    ),
  );
  return sampleBuckets.join(", ");
}

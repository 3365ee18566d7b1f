import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { AdmissionregistrationV1Api, CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { OutputMap, Stack, UpResult } from "@pulumi/pulumi/automation";
import getPort from "get-port";
import { Account } from "../aws/account";
import { miniStack, pythonDataPackages, pythonPackages } from "../aws/ministack";
import { command } from "../command";
import { describe, openLocalStack, region, summary } from "../engine";
import { type BaseImage, baseImageDebianPackages, layOutGoImage } from "../install/base-image";
import { installDebianPackages } from "../install/debian";
import { buildGoProgram, installGo } from "../install/go";
import { kubernetesProgram, kubernetesVersion, pauseProgram, pulumiProgram } from "../install/programs";
import { installPythonPackages, pythonDebianPackages } from "../install/python";
import { createBridge } from "../kubernetes/bridge";
import { startApiServer, startControllers, startEtcd } from "../kubernetes/control-plane";
import { nodeName, startContainerd, startKubelet, startMountNamespace } from "../kubernetes/node";
import { createPki, type Pki } from "../kubernetes/pki";
import { webhookConfiguration } from "../kubernetes/webhook";
import { cache, logs, project, run, venv } from "../paths";
import { alive, exists, start } from "../process";
import { runSteps, type Seconds, type Step } from "../progress";
import { prove } from "../proofs";
import { importBaseImage, startDockerd } from "../registry/dockerd";
import { startRegistry } from "../registry/registry";
import { bucketsIn, proofTable, type Report } from "../report";
import { awsEndpoint, files, folders, issuerOf, type Ports, type Run, type Services } from "../run";
import type { ServicesOptions } from "../services";
import { load, lock, save } from "../state";
import { takeDown } from "./down";
import { podLog } from "./logs";

export interface UpOptions {
  config: string[];
  json?: boolean;
  yes?: boolean;
}

/** Debian packages that local's programs come from. */
const debianPackages = [
  ...["containerd", "runc", "containernetworking-plugins", "etcd-server", "docker.io", "docker-registry"],
  ...["iproute2", "util-linux", "mount"],
  ...pythonDebianPackages,
  ...baseImageDebianPackages,
];

/** Buckets that are there from the start, so that there is something to list. */
const sampleBuckets = ["invoices-2026", "holiday-photos", "build-artifacts"];

/** What the steps of one `up` pass on to each other. */
interface Context {
  options: UpOptions;
  state: Run;
  goVersion?: string;
  image?: BaseImage;
  pki?: Pki;
  stack?: Stack;
  result?: UpResult;
  report: Report;
}

/** Brings everything up, runs the program, proves it. */
export async function up(options: UpOptions): Promise<void> {
  needRootOnLinux();
  const unlock = lock("up", project);
  const found = load();
  if (found && isUp(found) && found.project !== project) {
    throw new Error(
      `local is up already, started from ${found.project} at ${found.since}. ` +
        "Only one can be up on a machine. Use it there, or end it with `npm run local -- down`.",
    );
  }
  const running = found?.complete === true && isUp(found);
  if (found && !running) {
    process.stderr.write("An earlier run did not end well; clearing it away first.\n");
    await takeDown(found);
  }
  if (!running) await askToInstall(options);

  const context: Context = {
    options,
    state: running ? found : await newRun(),
    report: { outputs: {}, log: [], buckets: [], proofs: [], seconds: {} },
  };
  const steps = running ? [theProgram] : [install, bringUp, theProgram, theProofs];
  const seconds: Seconds = await runSteps(steps, context);

  const changes = context.result?.summary.resourceChanges ?? {};
  const changed = Object.entries(changes).some(([kind, count]) => kind !== "same" && count > 0);
  if (running && (changed || options.json)) {
    Object.assign(seconds, await runSteps([theProofs], context));
  } else if (running) {
    await readLog(context);
  }
  context.state.complete = true;
  save(context.state);
  unlock();

  context.report.seconds = seconds;
  if (options.json) process.stdout.write(`${JSON.stringify(context.report, undefined, 2)}\n`);
  else process.stdout.write(await closing(context, running && !changed));
  const failed = context.report.proofs.filter((proof) => !proof.ok);
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${context.report.proofs.length} proofs do not hold.`);
}

function needRootOnLinux(): void {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new Error(
      "npm run local needs Linux (Debian) and root: it runs containers, mounts and a network bridge. " +
        "It keeps everything it makes in one folder, and `npm run local -- down` removes the rest.",
    );
  }
}

const isUp = (state: Run): boolean => state.daemons.length > 0 && state.daemons.every(alive);

/** The first run downloads and builds. Somebody at a terminal is asked; a script has said what it wants by calling. */
async function askToInstall(options: UpOptions): Promise<void> {
  if (await exists(join(cache, "bin", "pulumi"))) return;
  process.stderr.write(
    `The first run downloads Debian, Python and Go packages and builds the Pulumi engine and Kubernetes:
about 10 minutes on 2 cores. It all goes to ${cache} (9 GB); nothing is installed on the system.
To remove it later: npm run local -- down && rm -rf ${cache}\n`,
  );
  if (options.yes || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question("Go on? [Y/n] ");
  terminal.close();
  if (/^n/i.test(answer.trim())) throw new Error("Nothing was done.");
}

async function newRun(): Promise<Run> {
  const state: Run = {
    project,
    since: new Date().toISOString(),
    complete: false,
    daemons: [],
    ports: await choosePorts(),
  };
  save(state);
  return state;
}

async function choosePorts(): Promise<Ports> {
  const names = [
    ...["miniStack", "frontDoor", "tokenAuthenticator", "webhook", "registry", "etcd", "etcdPeer"],
    ...["apiServer", "controllerManager", "scheduler", "kubelet", "kubeletHealth"],
  ];
  const ports: number[] = [];
  for (const _ of names) ports.push(await getPort({ host: "127.0.0.1", exclude: ports }));
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as unknown as Ports;
}

const install: Step<Context> = {
  title: "install",
  steps: [
    {
      title: "Debian packages",
      run: async (_, say) => news(await installDebianPackages(debianPackages, say)),
    },
    {
      title: "packages and toolchain",
      concurrent: true,
      steps: [
        {
          title: "Python packages",
          run: async (_, say) => {
            const added = await installPythonPackages(pythonPackages, say);
            return news([
              ...added,
              ...(await installPythonPackages(pythonDataPackages, say, { dependencies: false })),
            ]);
          },
        },
      ],
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
        { title: "Pulumi engine", run: async (_, say) => builtNow(await buildGoProgram(pulumiProgram, say)) },
        {
          title: "Kubernetes",
          run: async (_, say) => {
            await buildGoProgram(pauseProgram, say);
            return builtNow(await buildGoProgram(kubernetesProgram, say));
          },
        },
        {
          title: "Go base image",
          run: async (context, say) => {
            context.image = await layOutGoImage(context.goVersion ?? "", say);
            context.state.goImage = context.image.name;
            return context.image.name;
          },
        },
      ],
    },
  ],
};

const news = (added: readonly string[]): string => (added.length > 0 ? added.join(", ") : "there already");
const builtNow = (built: boolean): string => (built ? "built" : "there already");

const bringUp: Step<Context> = {
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

async function startAws({ state }: Context): Promise<string> {
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
      args: ["--require", require.resolve("tsx/cjs"), join(project, "local", "services.ts"), file],
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
      cwd: project,
      ready: () => exists(`${file}.ready`),
    },
    recorder(state),
  );
  state.services = JSON.parse(await readFile(`${file}.ready`, "utf8")) as Services;
  save(state);
  return awsEndpoint(ports);
}

async function startKubernetes(context: Context, say: (line: string) => void): Promise<string> {
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
  const node = await kubernetes().makeApiClient(CoreV1Api).readNode({ name: nodeName });
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

async function startBuilder(context: Context): Promise<string> {
  const { state, image } = context;
  const onStart = recorder(state);
  const [registry, socket] = await Promise.all([
    startRegistry({ folder: folders.registry, port: state.ports.registry, onStart }),
    startDockerd({ folder: folders.docker, cache: join(cache, "docker"), onStart }),
  ]);
  if (image) await importBaseImage(socket, image);
  return registry;
}

async function registerWebhook({ state, pki }: Context): Promise<undefined> {
  await kubernetes()
    .makeApiClient(AdmissionregistrationV1Api)
    .createMutatingWebhookConfiguration({
      body: webhookConfiguration(
        `https://127.0.0.1:${state.ports.webhook}/mutate`,
        pki?.ca.certificate ?? "",
      ),
    });
}

async function makeBuckets({ state }: Context): Promise<string> {
  await Promise.all(
    sampleBuckets.map((name) =>
      command("aws", ["s3", "mb", `s3://${name}`], { log: "aws", env: awsEnvironment(state) }),
    ),
  );
  return sampleBuckets.join(", ");
}

/** What makes AWS's tools talk to local. */
export function awsEnvironment(state: Run): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: awsEndpoint(state.ports),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: state.admin?.accessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: state.admin?.secretAccessKey ?? "",
  };
}

/** What the engine needs to know of a run. */
export function engineTarget(state: Run) {
  return {
    providers: state.services?.providers ?? {},
    goImage: state.goImage ?? "",
    aws: awsEnvironment(state),
  };
}

/** A client configuration for the administrator of the run's Kubernetes. */
export function kubernetes(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(files.kubeconfig);
  return config;
}

const theProgram: Step<Context> = {
  title: "pulumi up",
  run: async (context, say) => {
    context.stack = await openLocalStack(engineTarget(context.state), context.options.config);
    const lines: string[] = [];
    try {
      context.result = await context.stack.up({
        onOutput: (chunk) => lines.push(chunk),
        onEvent: (event) => {
          const line = describe(event);
          if (line) say(line);
        },
      });
    } catch (error) {
      throw new Error(readable(error, lines), { cause: error });
    } finally {
      await writeFile(join(logs, "pulumi.log"), lines.join(""), { flag: "a" });
    }
    context.report.outputs = plain(context.result.outputs);
    return summary(context.result.summary.resourceChanges);
  },
};

/** The part of the engine's output that tells what went wrong. */
export function readable(error: unknown, lines: readonly string[]): string {
  const text = lines.join("");
  const start = text.indexOf("Diagnostics:");
  const diagnostics = start >= 0 ? text.slice(start) : text || (error as Error).message;
  return `${diagnostics.trim()}\n\nThe whole output is in ${join(logs, "pulumi.log")}.`;
}

function plain(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([, output]) => !output.secret)
      .map(([name, output]) => [name, output.value]),
  );
}

const theProofs: Step<Context> = {
  title: "proofs",
  run: async (context) => {
    const { state, report } = context;
    const { outputs } = report;
    report.proofs = await prove({
      endpoint: awsEndpoint(state.ports),
      region,
      admin: state.admin ?? { accessKeyId: "", secretAccessKey: "" },
      core: kubernetes().makeApiClient(CoreV1Api),
      signingKey: await readFile(files.signingKey, "utf8"),
      roleArn: String(outputs.roleArn),
      oidcProviderArn: String(outputs.oidcProviderArn),
      namespace: String(outputs.namespace),
      serviceAccount: String(outputs.serviceAccount),
      deployment: String(outputs.deployment),
    });
    await readLog(context);
    return `${report.proofs.filter((proof) => proof.ok).length} of ${report.proofs.length} hold`;
  },
};

async function readLog({ report }: Context): Promise<void> {
  report.log = (await podLog(String(report.outputs.namespace), String(report.outputs.deployment)))
    .trim()
    .split("\n");
  report.buckets = bucketsIn(report.log);
}

/** What a person reads when `up` has ended. */
async function closing({ state, report, options }: Context, nothing: boolean): Promise<string> {
  const shown = report.log.filter((line) => !line.startsWith("{"));
  const proofs =
    report.proofs.length > 0 ? `\nWho gets credentials, and what for:\n${proofTable(report.proofs)}\n` : "";
  const config = options.config.map((one) => ` --config ${one}`).join("");
  return `${nothing ? "\nEverything is up and as it should be: nothing to do.\n" : ""}
The log of the pod, ${report.outputs.namespace}/${report.outputs.deployment}:
${shown.map((line) => `  ${line}`).join("\n")}
${proofs}
  AWS         ${awsEndpoint(state.ports)}
  Kubernetes  https://127.0.0.1:${state.ports.apiServer}
  logs        ${logs}

What to try next:
  eval "$(npm run --silent local -- env)"      a shell in which aws, kubectl, docker and pulumi talk to it
  aws s3 mb s3://one-more                      then look at the log again
  npm run local -- logs --follow
  npm run local -- up --config namespace=team-a${config ? "" : " --config replicas=2"}
  npm run local -- down                        end it; the machine is as it was
`;
}

import { readFile } from "node:fs/promises";
import type { V1Pod } from "@kubernetes/client-node";
import { withoutSecrets } from "../../automation/outputs.ts";
import { type Changes, changed, summary } from "../../automation/progress.ts";
import { columnsOf, shortPath } from "../../terminal.ts";
import { freePort } from "../machine/free-port.ts";
import { logs, project } from "../machine/paths.ts";
import { alive } from "../machine/process.ts";
import type { Proof } from "../proofs.ts";
import { checkLocalConfig, needsAgent, needsJava, openLocalStack } from "../pulumi/engine.ts";
import {
  awsEndpoint,
  files,
  type JavaImages,
  type Ports,
  portNames,
  region,
  type StartingRun,
  type UpRun,
} from "../run.ts";
import { load, lock, save } from "../state.ts";
import { askToInstall, needRootOnLinux } from "./consent.ts";
import { refuseASecond, takeDown } from "./down.ts";
import { engineOperation, outputsOf } from "./engine-operations.ts";
import { podLog } from "./logs.ts";
import { finding, runSteps, type Seconds, type Step } from "./steps.ts";
import { bucketsIn, hints, podReport, proofTable, type Report, whyNotStarted } from "./up-report.ts";

export interface UpOptions {
  config: string[];
  json?: boolean;
  yes?: boolean;
}

/** What the program was run with. */
interface Context {
  options: UpOptions;
  state: UpRun;
}

/** What running it found out. */
interface Applied {
  changes: Changes;
  outputs: Record<string, unknown>;
}

/** Brings everything up, runs the program, proves it. */
export async function up(options: UpOptions): Promise<void> {
  checkLocalConfig(options.config);
  needRootOnLinux();
  const unlock = lock("up", project);
  const seconds: Seconds = {};
  const runTimed = async <In, Out>(step: Step<In, Out>, known: In): Promise<Out> => {
    const taken = await runSteps(step, known);
    Object.assign(seconds, taken.seconds);
    return taken.found;
  };

  const found = await theRun(options);
  const state = found ?? (await bringUp(runTimed));
  const { agentFault } = state.services;
  if (agentFault !== undefined && needsAgent(options.config)) {
    throw new Error(
      `There is no agent of EKS Pod Identity, without which no pod gets credentials: ${agentFault}. ` +
        "It needs port 80: end what listens there, then `npm run local -- down` and try again.",
    );
  }
  if (needsJava(options.config)) {
    state.java = await runTimed(theJavaImages, state);
    save(state);
  }
  const began = new Date();
  const { changes, outputs } = await runTimed(theProgram, { options, state }).catch(withWordsOfThePod(state));
  // The engine deletes last: what pods did before that was done with what is gone now.
  const since = changes.delete || changes.replace ? new Date() : began;
  const nothing =
    found !== undefined && state.proved && !changed(changes) && (await pods(outputs)) === "as they should be";
  let proofs: Proof[] = [];
  if (!nothing || options.json) {
    state.proved = false;
    save(state);
    ({ proofs } = await runTimed(theProofs, { state, outputs, since }));
    state.proved = proofs.every((proof) => proof.ok);
    save(state);
  }
  const log = await readLog(outputs);
  unlock();

  const report: Report = { outputs, log, buckets: bucketsIn(log), proofs, seconds };
  if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else process.stdout.write(closing(state, report, options, nothing));
  const failed = proofs.filter((proof) => !proof.ok);
  if (failed.length > 0) throw new Error(`${failed.length} of ${proofs.length} proofs do not hold.`);
}

/**
 * The run that is up, if it is this checkout's; one that did not end well is cleared away.
 *
 * @throws Error when another checkout's is up, or another cache's.
 */
async function theRun(options: UpOptions): Promise<UpRun | undefined> {
  refuseASecond();
  const found = load();
  const allAlive = found !== undefined && found.daemons.length > 0 && found.daemons.every(alive);
  if (allAlive && found.project !== project) {
    throw new Error(
      `local is up already, started from ${found.project} at ${found.since}. ` +
        "Only one can be up on a machine. Use it there, or end it with `npm run local -- down`.",
    );
  }
  if (allAlive && found.phase === "up") return found;
  if (found) {
    process.stderr.write("An earlier run did not end well; clearing it away first.\n");
    await takeDown();
  }
  await askToInstall(options);
  return undefined;
}

/** Installs and starts every part. What does that is loaded only then: a run that changes nothing need not wait for it. */
async function bringUp(runTimed: <In, Out>(step: Step<In, Out>, known: In) => Promise<Out>): Promise<UpRun> {
  const parts = await import("../bring-up.ts");
  const starting: StartingRun = {
    phase: "starting",
    project,
    since: new Date().toISOString(),
    daemons: [],
    ports: await choosePorts(),
  };
  save(starting);
  const installed = await runTimed(parts.install, undefined);
  const started = await runTimed(parts.bringUp, { ...installed, starting });
  const { admin, services, goImage } = started;
  const state: UpRun = { ...starting, admin, services, goImage, phase: "up", proved: false };
  save(state);
  return state;
}

async function choosePorts(): Promise<Ports> {
  const ports: Partial<Ports> = {};
  for (const name of portNames) ports[name] = await freePort(Object.values(ports));
  return ports as Ports; // each of its names has one now
}

/** Only for those who ask for it: 150 MB of packages. */
const theJavaImages: Step<UpRun, JavaImages> = finding(
  "Java base image",
  async (state, say) => (await import("../bring-up.ts")).makeJavaImages(state, say),
  ({ build }) => build,
);

const theProgram: Step<Context, Applied> = finding(
  "pulumi up",
  async ({ state, options }, say) => {
    const stack = await openLocalStack(state, options.config);
    // What looks at the pods afterwards is loaded while the engine works. Who needs it meets its error.
    void Promise.all([import("@kubernetes/client-node"), import("../proofs.ts")]).catch(() => {});
    const { changes, outputs } = await engineOperation(say, (common) => stack.up(common));
    return { changes, outputs: withoutSecrets(outputs) };
  },
  ({ changes }) => summary(changes),
);

/** What to look at in the cluster. */
async function inCluster(outputs: Record<string, unknown>) {
  const { administrator } = await import("../kubernetes/client.ts");
  const { AppsV1Api, CoreV1Api } = await import("@kubernetes/client-node");
  const client = administrator(files.kubeconfig);
  return {
    core: client.makeApiClient(CoreV1Api),
    apps: client.makeApiClient(AppsV1Api),
    roleArn: String(outputs.roleArn),
    namespace: String(outputs.namespace),
    deployment: String(outputs.deployment),
  };
}

/** How the lister's pods are, asked of the cluster: what was proved once need not hold any more. */
async function pods(outputs: Record<string, unknown>): Promise<string> {
  const { rolloutFault } = await import("../proofs.ts");
  return (await rolloutFault(await inCluster(outputs))) ?? "as they should be";
}

const theProofs: Step<
  Pick<Context, "state"> & Pick<Applied, "outputs"> & { since: Date },
  { proofs: Proof[] }
> = finding(
  "proofs",
  async ({ state, outputs, since }) => {
    const { prove } = await import("../proofs.ts");
    const proofs = await prove({
      ...(await inCluster(outputs)),
      since,
      endpoint: awsEndpoint(state.ports),
      region,
      admin: state.admin,
      signingKey: await readFile(files.signingKey, "utf8"),
      clusterName: String(outputs.clusterName),
      oidcProviderArn: String(outputs.oidcProviderArn),
      serviceAccount: String(outputs.serviceAccount),
    });
    return { proofs };
  },
  ({ proofs }) => `${proofs.filter((proof) => proof.ok).length} of ${proofs.length} hold`,
);

/** Adds to what the engine says of an `up` that failed what the newest pod says of itself. */
const withWordsOfThePod =
  (state: UpRun) =>
  async (error: Error): Promise<never> => {
    const outputs = await outputsOf(state).catch(() => ({}) as Record<string, unknown>);
    if (outputs.deployment === undefined) throw error;
    const lines = await wordsOf(outputs).catch(() => podReport([]));
    const words = lines.map((line) => `  ${line}`).join("\n");
    throw new Error(`${error.message}\n\nThe newest pod of ${outputs.deployment} says:\n${words}`, {
      cause: error,
    });
  };

/** What the lister's newest pod logs of its listings; where it has not come to that, why. */
async function wordsOf(outputs: Record<string, unknown>): Promise<string[]> {
  const log = await readLog(outputs);
  const why = log.length > 0 ? undefined : whyNotStarted((await newestPod(outputs)) ?? {});
  return why === undefined ? podReport(log) : [why];
}

/** The lister's newest pod: of two it is the one that a rollout waits for. */
async function newestPod(outputs: Record<string, unknown>): Promise<V1Pod | undefined> {
  const { listerPods } = await import("../proofs.ts");
  return (await listerPods(await inCluster(outputs)))[0];
}

/** The log of the lister's newest pod, by lines. None where there is no pod, or where its container never started. */
async function readLog(outputs: Record<string, unknown>): Promise<string[]> {
  const name = (await newestPod(outputs))?.metadata?.name;
  if (name === undefined) return [];
  const log = await podLog(String(outputs.namespace), `pod/${name}`).catch(() => "");
  return log.trim() === "" ? [] : log.trim().split("\n");
}

/** What a person reads when `up` has ended. */
function closing({ ports }: UpRun, report: Report, options: UpOptions, nothing: boolean): string {
  const width = columnsOf(process.stdout);
  const proofs =
    report.proofs.length > 0
      ? `\nWho gets credentials, and what for:\n${proofTable(report.proofs, width)}\n`
      : "";
  return `${nothing ? "\nEverything is up and as it should be: nothing to do.\n" : ""}
The log of the pod, ${report.outputs.namespace}/${report.outputs.deployment}:
${podReport(report.log)
  .map((line) => `  ${line}`)
  .join("\n")}
${proofs}
  AWS         ${awsEndpoint(ports)}
  Kubernetes  https://127.0.0.1:${ports.apiServer}
  logs        ${shortPath(logs)}

${hints(options.config.length > 0 ? "" : " --config replicas=2")}`;
}

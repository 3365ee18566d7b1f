import { readFile } from "node:fs/promises";
import getPort from "get-port";
import { type Changes, changed, summary } from "../../automation/progress.ts";
import type { Outputs } from "../../automation/stack.ts";
import type { BringUp } from "../bring-up.ts";
import { logs, project } from "../machine/paths.ts";
import { alive } from "../machine/process.ts";
import { checkLocalConfig, needsJava, openLocalStack } from "../pulumi/engine.ts";
import { awsEndpoint, files, type Ports, type Run, region } from "../run.ts";
import { load, lock, save } from "../state.ts";
import { askToInstall, needRootOnLinux } from "./consent.ts";
import { takeDown } from "./down.ts";
import { podLog } from "./logs.ts";
import { engineOperation } from "./operations.ts";
import { runSteps, type Seconds, type Step } from "./progress.ts";
import { bucketsIn, proofTable, type Report } from "./report.ts";

export interface UpOptions {
  config: string[];
  json?: boolean;
  yes?: boolean;
}

/** What the steps of one `up` pass on to each other. */
interface Context extends BringUp {
  options: UpOptions;
  changes?: Changes;
  report: Report;
}

/** Brings everything up, runs the program, proves it. */
export async function up(options: UpOptions): Promise<void> {
  needRootOnLinux();
  checkLocalConfig(options.config);
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
  const { state } = context;
  const seconds: Seconds = {};
  const take = async (...steps: Step<Context>[]): Promise<void> => {
    Object.assign(seconds, await runSteps(steps, context));
  };
  if (!running) {
    await take(...(await partsBelow()));
    state.complete = true;
    save(state);
  }
  if (needsJava(options.config)) await take(theJavaImage);
  await take(theProgram);
  const nothing = running && state.proved && !changed(context.changes);
  if (nothing && !options.json) {
    await readLog(context);
  } else {
    state.proved = false;
    save(state);
    await take(theProofs);
    state.proved = context.report.proofs.every((proof) => proof.ok);
    save(state);
  }
  unlock();

  context.report.seconds = seconds;
  if (options.json) process.stdout.write(`${JSON.stringify(context.report, undefined, 2)}\n`);
  else process.stdout.write(await closing(context, nothing));
  const failed = context.report.proofs.filter((proof) => !proof.ok);
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${context.report.proofs.length} proofs do not hold.`);
}

/** Loaded only when something is to be brought up: a run that changes nothing need not wait for it. */
async function partsBelow(): Promise<Step<Context>[]> {
  const { install, bringUp } = await import("../bring-up.ts");
  return [install, bringUp];
}

const isUp = (state: Run): boolean => state.daemons.length > 0 && state.daemons.every(alive);

async function newRun(): Promise<Run> {
  const state: Run = {
    project,
    since: new Date().toISOString(),
    complete: false,
    proved: false,
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

/** Only for those who ask for it: 150 MB of packages. */
const theJavaImage: Step<Context> = {
  title: "Java base image",
  run: async ({ state }, say) => {
    const { javaImage } = await import("../bring-up.ts");
    return javaImage(state, say);
  },
};

const theProgram: Step<Context> = {
  title: "pulumi up",
  run: async (context, say) => {
    const stack = await openLocalStack(context.state, context.options.config);
    const { changes, outputs } = await engineOperation(say, (common) => stack.up(common));
    context.changes = changes;
    context.report.outputs = plain(outputs);
    return summary(changes);
  },
};

/** The outputs but for the secrets. */
function plain(outputs: Outputs): Record<string, unknown> {
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
    const { prove } = await import("../proofs.ts");
    const { administrator } = await import("../kubernetes/client.ts");
    const { CoreV1Api } = await import("@kubernetes/client-node");
    report.proofs = await prove({
      endpoint: awsEndpoint(state.ports),
      region,
      admin: state.admin ?? { accessKeyId: "", secretAccessKey: "" },
      core: administrator().makeApiClient(CoreV1Api),
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

import { basename } from "node:path";
import { CoreV1Api } from "@kubernetes/client-node";
import { columnsOf, shortPath, table } from "../../terminal.ts";
import { administrator } from "../kubernetes/client.ts";
import { logs } from "../machine/paths.ts";
import { alive, residentBytes } from "../machine/process.ts";
import { processOf } from "../proofs.ts";
import { awsEndpoint, files } from "../run.ts";
import { load } from "../state.ts";
import { elsewhere } from "./down.ts";

/** Shows what runs. */
export async function status(options: { json?: boolean }): Promise<void> {
  const state = load();
  if (state === undefined) {
    process.stdout.write(
      options.json ? '{"up":false}\n' : `Nothing is up. Bring it up with \`npm run local\`.${elsewhere()}\n`,
    );
    return;
  }
  const processes = await Promise.all(
    state.daemons.map(async (daemon) => ({
      name: daemon.name,
      pid: daemon.pid,
      alive: alive(daemon),
      residentBytes: await residentBytes(daemon),
      log: daemon.log,
    })),
  );
  const pods = await listerPods().catch(() => []);
  const total = [...processes, ...pods].reduce((sum, one) => sum + one.residentBytes, 0);
  const overview = {
    up: state.phase === "up",
    since: state.since,
    aws: awsEndpoint(state.ports),
    residentBytes: total,
    processes,
    pods,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(overview, undefined, 2)}\n`);
    return;
  }
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const rows = [
    ...processes.map((one) => [
      one.name,
      one.alive ? String(one.pid) : "ENDED",
      mega(one.residentBytes),
      basename(one.log),
    ]),
    ...pods.map((one) => [`pod ${one.name}`, String(one.pid), mega(one.residentBytes), ""]),
    ["together", "", mega(total), ""],
  ];
  process.stdout.write(
    `${state.phase === "up" ? "Up" : "Half-way up"} since ${state.since}, from ${shortPath(state.project)}

${table(rows, columnsOf(process.stdout))}

Logs are in ${shortPath(logs)}.
`,
  );
}

/** Pods of the lister in every namespace, each with its process. */
async function listerPods(): Promise<{ name: string; pid: number; residentBytes: number }[]> {
  const pods = await administrator(files.kubeconfig)
    .makeApiClient(CoreV1Api)
    .listPodForAllNamespaces({ labelSelector: "app.kubernetes.io/name=s3-lister" });
  return Promise.all(
    pods.items.map(async ({ metadata: { name = "?", uid = "?" } = {} }) => {
      const pid = Number(await processOf(uid));
      return { name, pid, residentBytes: await residentBytes({ pid }) };
    }),
  );
}

import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shortPath } from "../../terminal.ts";
import { containerProcesses, removeCgroups } from "../kubernetes/node.ts";
import { bridgeOwner, removeBridge } from "../machine/bridge.ts";
import { project, runFolder } from "../machine/paths.ts";
import { alive, identify, stop } from "../machine/process.ts";
import { inUse, load, lock } from "../state.ts";
import { doing, runSteps } from "./steps.ts";

/** Ends everything that runs, and removes all but the caches. */
export async function down(): Promise<void> {
  const unlock = lock("down", project);
  if (load() === undefined) {
    await rm(runFolder, { recursive: true, force: true });
    process.stdout.write(`Nothing is up.${elsewhere()}\n`);
  } else {
    await runSteps(
      doing("down", async () => `${await takeDown()} processes ended`),
      undefined,
    );
    process.stdout.write("Everything is down. What was built stays for the next time.\n");
  }
  unlock();
}

/** A sentence of a run that another cache has, after a space; empty when there is none. */
export function elsewhere(): string {
  const folder = bridgeOwner();
  if (folder === undefined || folder === runFolder || !inUse(folder)) return "";
  const project = load(folder)?.project;
  return (
    ` One is up with its data in ${shortPath(folder)}${project ? `, started from ${shortPath(project)}` : ""}: ` +
    `\`EKS_IRSA_CACHE=${shortPath(dirname(folder))} npm run local -- down\` ends it.`
  );
}

/**
 * Clears away what a run left on the machine whose data another cache has, or had.
 *
 * @throws Error when that run is up.
 */
export async function clearLeftBehind(): Promise<void> {
  refuseASecond();
  const folder = bridgeOwner();
  if (folder !== undefined) await takeDown(folder);
}

/** @throws Error when a run is up whose data another cache has. */
export function refuseASecond(): void {
  const other = elsewhere();
  if (other !== "") throw new Error(`Only one local can be up on a machine.${other}`);
}

/**
 * Ends what is left of the run that is kept in a folder, by default this cache's, and removes the folder. What belongs to the
 * whole machine (pods, their cgroups, the bridge) is left alone where it is another run's.
 *
 * @returns how many processes it ended
 */
export async function takeDown(folder = runFolder): Promise<number> {
  const state = load(folder);
  const daemons = state?.daemons ?? [];
  const machine = [undefined, folder].includes(bridgeOwner());
  // First who would start containers anew, then the containers, then who keeps them.
  const starters = daemons.filter(({ name }) =>
    ["kubelet", "kube-controller-manager", "kube-scheduler"].includes(name),
  );
  await Promise.all(starters.map((one) => stop(one, 5)));
  const containers = machine ? await containerProcesses() : [];
  for (const pid of containers) kill(pid);
  await Promise.all([...daemons].reverse().map((daemon) => stop(daemon)));
  const left = await ownProcesses(folder);
  for (const pid of left) kill(pid);
  const gone = [...containers, ...left].map(identify);
  for (let waited = 0; gone.some((one) => one.startTime > 0 && alive(one)) && waited < 100; waited++)
    await sleep(50);

  if (bridgeOwner() === folder) await removeBridge();
  if (machine) await removeCgroups();
  if (state !== undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return daemons.length + containers.length + left.length;
}

/**
 * Processes that nobody has recorded. Those that keep containers containerd and dockerd leave behind on purpose: by their
 * sockets' folder. Providers outlive an engine that was killed: by the folder of the cache's plugins.
 */
async function ownProcesses(folder: string): Promise<number[]> {
  const found: number[] = [];
  const plugins = join(dirname(folder), "pulumi", "plugins", "/");
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const [program = "", ...arguments_] = (
      await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
    ).split("\0");
    const keeper =
      /(^|\/)containerd[^/]*$/.test(program) && arguments_.some((text) => text.startsWith(`${folder}/`));
    if (keeper || program.startsWith(plugins)) found.push(Number(pid));
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

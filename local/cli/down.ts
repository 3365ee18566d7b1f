import { readdir, readFile, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { containerProcesses, removeCgroups } from "../kubernetes/node.ts";
import { removeBridge } from "../machine/bridge.ts";
import { project, runFolder } from "../machine/paths.ts";
import { alive, type Daemon, identify, stop } from "../machine/process.ts";
import type { Run } from "../run.ts";
import { load, lock } from "../state.ts";
import { doing, runSteps } from "./steps.ts";

/** Ends everything that runs, and removes all but the caches. */
export async function down(): Promise<void> {
  const unlock = lock("down", project);
  const state = load();
  if (state === undefined) {
    await rm(runFolder, { recursive: true, force: true });
    process.stdout.write("Nothing is up.\n");
  } else {
    await runSteps(
      doing("down", async () => `${await takeDown(state)} processes ended`),
      undefined,
    );
    process.stdout.write("Everything is down. What was built stays for the next time.\n");
  }
  unlock();
}

/** Gives how many processes it ended. */
export async function takeDown(state: Run): Promise<number> {
  const named = (name: string): Daemon[] => state.daemons.filter((daemon) => daemon.name === name);
  // First who would start containers anew, then the containers, then who keeps them.
  await Promise.all(
    ["kubelet", "kube-controller-manager", "kube-scheduler"].flatMap(named).map((one) => stop(one, 5)),
  );
  const containers = await containerProcesses();
  for (const pid of containers) kill(pid);
  await Promise.all([...state.daemons].reverse().map((daemon) => stop(daemon)));
  const left = await ownProcesses();
  for (const pid of left) kill(pid);
  const gone = [...containers, ...left].map(identify);
  for (let waited = 0; gone.some((one) => one.startTime > 0 && alive(one)) && waited < 100; waited++)
    await sleep(50);

  if (state.bridge) await removeBridge(state.bridge);
  await removeCgroups();
  await rm(runFolder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return state.daemons.length + containers.length + left.length;
}

/** Processes that containerd and dockerd leave behind on purpose: those that keep containers, by their sockets' folder. */
async function ownProcesses(): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const [program = "", ...arguments_] = (
      await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
    ).split("\0");
    if (/(^|\/)containerd[^/]*$/.test(program) && arguments_.some((text) => text.startsWith(`${runFolder}/`)))
      found.push(Number(pid));
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

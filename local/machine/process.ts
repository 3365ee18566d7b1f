import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { shortPath } from "../../terminal.ts";
import { logs } from "./paths.ts";

/** A process that local started and that outlives the command that started it. */
export interface Daemon {
  /** What it is called in logs and in `status`. */
  name: string;
  pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat): tells the process from a later one with its id. */
  startTime: number;
  /** The file that holds its standard output and standard error. */
  log: string;
}

export interface DaemonSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment; default: that of this process. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Asked until it answers true; a rejection counts as "not yet". */
  ready: () => Promise<boolean>;
  /** How long it may take to get ready, in seconds. Default 60. */
  timeoutSeconds?: number;
}

/** A process that ended, or did not get ready: the message names its log and shows the end of it. */
export class DaemonError extends Error {
  constructor(name: string, what: string, log: string) {
    super(`${name} ${what}. The end of ${shortPath(log)}:\n${tail(log, 15)}`);
    this.name = "DaemonError";
  }
}

/** Go collects garbage more often than by default: for the few objects of local that costs little, and saves memory. */
const frugal = { GOGC: "40" };

/**
 * Starts a process in a session of its own, with its output in `logs/NAME.log`, and waits until it is ready.
 * `onStart` is called as soon as it has an id, so that it can be stopped even if it never gets ready.
 *
 * @throws DaemonError when it ends early or is not ready in time; it is then left running for its owner to stop.
 */
export async function start(spec: DaemonSpec, onStart: (daemon: Daemon) => void): Promise<Daemon> {
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `${spec.name}.log`);
  const output = openSync(log, "a");
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: { ...frugal, ...(spec.env ?? process.env) },
    detached: true,
    stdio: ["ignore", output, output],
  });
  let ended: string | undefined;
  child.once("error", (error) => {
    ended = `could not be started (${error.message})`;
  });
  child.once("exit", (code, signal) => {
    ended ??= `ended with ${signal ?? `exit code ${code}`} before it was ready`;
  });
  child.unref();
  if (child.pid === undefined) {
    await sleep(10); // the error event comes in a later turn
    throw new DaemonError(spec.name, ended ?? "could not be started", log);
  }
  const daemon = { name: spec.name, ...identify(child.pid), log };
  onStart(daemon);
  const deadline = Date.now() + (spec.timeoutSeconds ?? 60) * 1000;
  while (!(await spec.ready().catch(() => false))) {
    if (ended) throw new DaemonError(spec.name, ended, log);
    if (Date.now() > deadline) {
      throw new DaemonError(spec.name, `was not ready after ${spec.timeoutSeconds ?? 60} s`, log);
    }
    await sleep(100);
  }
  return daemon;
}

/** What tells a process from every other one, also from a later one with the same id. */
export function identify(pid: number): Pick<Daemon, "pid" | "startTime"> {
  return { pid, startTime: startTime(pid) ?? 0 };
}

/** Whether that very process still runs. */
export function alive(daemon: Pick<Daemon, "pid" | "startTime">): boolean {
  return startTime(daemon.pid) === daemon.startTime;
}

/** Asks the process to end, and makes it after `graceSeconds`. Does nothing if it is gone already. */
export async function stop(daemon: Daemon, graceSeconds = 10): Promise<void> {
  for (const [signal, seconds] of [
    ["SIGTERM", graceSeconds],
    ["SIGKILL", 5],
  ] as const) {
    if (!alive(daemon)) return;
    process.kill(daemon.pid, signal);
    const deadline = Date.now() + seconds * 1000;
    while (alive(daemon) && Date.now() < deadline) await sleep(50);
  }
}

/** Resident memory of the process in bytes; 0 when it is gone. */
export async function residentBytes(daemon: Pick<Daemon, "pid">): Promise<number> {
  const status = await readFile(`/proc/${daemon.pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** The last lines of a file; an empty or absent file gives a line that says so. */
function tail(file: string, lines: number): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trimEnd();
  } catch {
    return "  (no such file)";
  }
  if (text === "") return "  (empty)";
  return text
    .split("\n")
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join("\n");
}

/** Whether a path exists. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function startTime(pid: number): number | undefined {
  try {
    // The second field is the command in parentheses and may hold spaces; count from behind it. A zombie has ended.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

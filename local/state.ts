import { mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { shortPath } from "../terminal.ts";
import { cache, runFolder } from "./machine/paths.ts";
import { alive, type Daemon, identify } from "./machine/process.ts";
import type { Run, UpRun } from "./run.ts";

const fileIn = (folder: string): string => join(folder, "state.json");
const lockOf = (folder: string): string => join(dirname(folder), "lock");

/** The recorded run, kept in `run/state.json`; undefined when nothing is up, and nothing was left half-way. */
export const load = (folder = runFolder): Run | undefined => readJson<Run>(fileIn(folder));

/** Whether a process of the run that is kept there is left, or a command of local is at work on it. */
export function inUse(folder: string): boolean {
  const holder = readJson<Holder>(lockOf(folder));
  return load(folder)?.daemons.some(alive) === true || (holder !== undefined && alive(holder));
}

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/**
 * The run that is up.
 *
 * @throws Error when there is none, or a part of it has ended.
 */
export function running(): UpRun {
  const found = load();
  if (found?.phase !== "up") throw new Error("local is not up. Bring it up with `npm run local`.");
  const ended = found.daemons.find((daemon) => !alive(daemon));
  if (ended) {
    throw new Error(
      `${ended.name} has ended; its log is ${shortPath(ended.log)}. Start anew with \`npm run local\`.`,
    );
  }
  return found;
}

/** Records the run. The file is whole at every moment, whatever happens to this process. */
export function save(state: Run): void {
  mkdirSync(runFolder, { recursive: true });
  // It holds the administrator's key.
  const file = fileIn(runFolder);
  writeFileSync(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Two commands that change the run cannot work side by side. */
export class BusyError extends Error {
  constructor(holder: Holder) {
    super(
      `Another command of local is at work: \`npm run local -- ${holder.command}\` (process ${holder.pid}, from ${holder.project}). ` +
        "Wait until it has ended, or end it with Ctrl-C.",
    );
    this.name = "BusyError";
  }
}

interface Holder extends Pick<Daemon, "pid" | "startTime"> {
  command: string;
  project: string;
}

/**
 * Makes this process the only one that changes the run, until it ends or calls what it gets back.
 *
 * @throws BusyError when another process is that already.
 */
export function lock(command: string, project: string): () => void {
  mkdirSync(cache, { recursive: true });
  const path = lockOf(runFolder);
  const self: Holder = { ...identify(process.pid), command, project };
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(path, "wx");
      writeSync(descriptor, JSON.stringify(self));
      const unlock = (): void => rmSync(path, { force: true });
      process.once("exit", unlock);
      return unlock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    // None when it is being written, or being removed, at this very moment.
    const holder = readJson<Holder>(path);
    if (holder !== undefined && alive(holder)) throw new BusyError(holder);
    if (attempt > 20)
      throw new Error(
        `The lock ${shortPath(path)} cannot be read. Remove it if no command of local is running.`,
      );
    if (holder !== undefined || attempt > 10) rmSync(path, { force: true }); // its owner was killed
  }
}

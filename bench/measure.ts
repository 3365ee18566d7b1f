import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface Measured {
  /** From the start to the end of the process. */
  readonly seconds: number;
  /**
   * Most resident memory of each program that ran, the process and its descendants, by the program's name, in MB
   * (1,000,000 bytes): the kernel's own high-water mark (`VmHWM`), looked at every 50 ms.
   */
  readonly peakMegabytes: Readonly<Record<string, number>>;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MeasureOptions {
  readonly cwd?: string;
  /** The whole environment. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called with what it prints on standard output so far, and the seconds since its start; when it gives true, the process is ended. */
  readonly endWhen?: (stdout: string, seconds: number) => boolean;
  /** Whether what this process itself has started meanwhile counts as well: a language host runs programs here. Default false. */
  readonly withOwnChildren?: boolean;
  /** How long it may take. Default 600. */
  readonly timeoutSeconds?: number;
}

/**
 * Runs a command to its end and measures it from outside.
 *
 * @throws Error with its last lines when it cannot be started, takes too long, or fails.
 */
export function measure(
  command: string,
  args: readonly string[],
  options: MeasureOptions = {},
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const since = performance.now();
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // so that it can be ended with all that it started
    });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    let ended = false;
    const timeoutSeconds = options.timeoutSeconds ?? 600;
    const timer = setTimeout(end, timeoutSeconds * 1000);
    const peak = new Map<string, number>();
    const sampler = setInterval(() => {
      const root = options.withOwnChildren ? process.pid : child.pid;
      if (root !== undefined) notePeaks(root, peak);
    }, 50);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      if (!ended && options.endWhen?.(stdout, (performance.now() - since) / 1000)) {
        ended = true;
        end();
      }
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    const settle = (): void => {
      clearTimeout(timer);
      clearInterval(sampler);
    };
    child.once("error", (error) => {
      settle();
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      const seconds = (performance.now() - since) / 1000;
      settle();
      if (code === 0 || ended) resolve({ seconds, peakMegabytes: Object.fromEntries(peak), stdout, stderr });
      else {
        const how = signal
          ? `was ended by ${signal} after ${Math.round(seconds)} s`
          : `failed with exit code ${code}`;
        const last = `${stdout}\n${stderr}`.trim().split("\n").slice(-20).join("\n");
        reject(new Error(`${[command, ...args].join(" ")} ${how}:\n${last}`));
      }
    });
  });
}

/** Notes the most memory of a process and its descendants. */
function notePeaks(root: number, peak: Map<string, number>): void {
  for (const pid of descendants(root)) {
    if (pid === process.pid) continue;
    const status = read(`/proc/${pid}/status`);
    const name = /^Name:\s+(.*)$/m.exec(status)?.[1];
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
    if (name === undefined || !(kilobytes > 0)) continue;
    const megabytes = (kilobytes * 1024) / 1e6;
    peak.set(name, Math.max(peak.get(name) ?? 0, megabytes));
  }
}

/** A process and all below it. */
export function descendants(root: number): number[] {
  const found = [root];
  for (const pid of found) {
    for (const thread of list(`/proc/${pid}/task`)) {
      found.push(...read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number));
    }
  }
  return found;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has ended
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

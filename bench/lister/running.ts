import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { descendants } from "../measure.ts";

export interface Command {
  readonly program: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A program that has printed its first line of interest. */
export interface Running {
  /** From its start to that line. */
  readonly seconds: number;
  /** What it has printed so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Resident memory of it and all below it now, in MB. */
  readonly residentMegabytes: () => number;
  /** Seconds of processors that it has used so far. */
  readonly cpuSeconds: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a program and waits for the first line that begins with `* `, which is how a bucket is printed.
 *
 * @throws Error with what it printed when it ends before, or does not print one in time.
 */
export function startToFirstBucket({ program, env, cwd }: Command, withinSeconds = 60): Promise<Running> {
  return new Promise((resolve, reject) => {
    const [name = "", ...args] = program;
    const since = performance.now();
    const child = spawn(name, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
    const output = { stdout: "", stderr: "" };
    const closed = new Promise<void>((done) => child.once("close", () => done()));
    const pid = child.pid ?? 0;
    const stop = async (): Promise<void> => {
      try {
        if (pid > 0) process.kill(-pid, "SIGKILL"); // with all that it started
      } catch {
        // It has ended by itself.
      }
      await closed;
    };
    const fail = (how: string): void => {
      clearTimeout(timer);
      void stop();
      reject(new Error(`${program.join(" ")} ${how}:\n${`${output.stdout}\n${output.stderr}`.slice(-3000)}`));
    };
    const timer = setTimeout(
      () => fail(`has listed no bucket within ${withinSeconds} s`),
      withinSeconds * 1000,
    );
    const ended = (code: number | null): void => fail(`ended with ${code} before it listed a bucket`);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("close", ended);
    child.stderr.on("data", (part: Buffer) => {
      output.stderr += part;
    });
    let there = false;
    child.stdout.on("data", (part: Buffer) => {
      output.stdout += part;
      if (there || !/^\* /m.test(output.stdout)) return;
      there = true;
      const seconds = (performance.now() - since) / 1000;
      clearTimeout(timer);
      child.off("close", ended);
      resolve({
        seconds,
        output,
        residentMegabytes: () => sum(descendants(pid).map(residentMegabytes)),
        cpuSeconds: () => sum(descendants(pid).map(cpuSeconds)),
        stop,
      });
    });
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

export function residentMegabytes(pid: number): number {
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  if (!(kilobytes > 0)) throw new Error(`The process ${pid} has ended: there is no memory to measure.`);
  return (kilobytes * 1024) / 1e6;
}

/** A tick of /proc/PID/stat: 10 ms on every Linux that Node.js runs on. */
const tick = 0.01;

function cpuSeconds(pid: number): number {
  // The second field is the command in parentheses and may hold spaces; count from behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tick;
}

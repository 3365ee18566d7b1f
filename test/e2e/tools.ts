import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { project } from "../../local/machine/paths.ts";

// What the end-to-end tests share: commands as a person gives them.

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
  seconds: number;
}

/** Runs a command to its end, whatever its exit code. */
export function command(
  name: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Result> {
  const since = performance.now();
  return new Promise((resolve) => {
    execFile(
      name,
      args,
      { cwd: options.cwd ?? project, env: options.env ?? process.env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
        resolve({ code, stdout, stderr, seconds: (performance.now() - since) / 1000 });
      },
    );
  });
}

/** Whether local is up as it is without `--config`, as far as this process knows: nobody else has it change meanwhile. */
let plain = false;
/** The environment of a shell in which `aws`, `kubectl` and `pulumi` talk to that run. */
let shell: Promise<NodeJS.ProcessEnv> | undefined;

export async function local(...args: string[]): Promise<Result> {
  const [verb] = args;
  if (verb === "down") shell = undefined;
  if (verb === "down" || verb === "destroy" || verb === "refresh" || verb === "up") plain = false;
  const done = await command("npm", ["run", "--silent", "local", "--", ...args]);
  if (verb === "up" && done.code === 0) plain = !args.includes("--config");
  return done;
}

/** For what changes local's stack otherwise than by its commands. Where it is left so, the next suite brings it up again. */
export function localIs(state: "plain" | "changed"): void {
  plain = state === "plain";
}

/** Has local up as it is without `--config`, and gives a shell's environment: suites that leave it so need not look again. */
export async function localUp(): Promise<NodeJS.ProcessEnv> {
  if (!plain) await works(local("up", "--json"));
  shell ??= works(local("env")).then(({ stdout }) => shellOf(stdout));
  return { ...(await shell) };
}

/** The same, for a command that must work: its error is the test's. */
export async function works(result: Promise<Result>): Promise<Result> {
  const done = await result;
  if (done.code !== 0) throw new Error(`exit code ${done.code}\n${done.stdout}\n${done.stderr}`);
  return done;
}

/** The environment that a program sees in a shell which has read these `export` lines. */
export async function shellOf(exports: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await works(command("sh", ["-c", `${exports}\nenv -0`]));
  return Object.fromEntries(
    stdout
      .split("\0")
      .filter((entry) => entry !== "")
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

/** Asks until the answer is there. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(200);
  }
}

/** What the engine's smallest command takes on the two idle cores that the goals are for, in seconds. Measured there. */
const yardstick = 0.2;

/**
 * How many times as long as there the same command takes here and now: goals in seconds are for that machine, and CI's is
 * another, with other work beside it.
 */
export async function slowness(env: NodeJS.ProcessEnv): Promise<number> {
  const seconds: number[] = [];
  for (let turn = 0; turn < 7; turn++) {
    seconds.push((await works(command("pulumi", ["version"], { env }))).seconds);
  }
  return (seconds.sort((a, b) => a - b)[3] ?? Number.NaN) / yardstick;
}

import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { shortPath } from "../../terminal.ts";
import { logs } from "./paths.ts";

export interface CommandOptions {
  /** Name of the log file that gets everything the command prints: `logs/NAME.log`. */
  log: string;
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Written to its standard input. Default: none is open. */
  input?: string;
  /** Called with each line that it prints, on either stream. */
  onLine?: (line: string) => void;
}

/** There is no such command on this machine. */
class CommandMissingError extends Error {
  constructor(command: string) {
    super(
      `There is no \`${command}\` on the search path. Local runs on Debian and what is made of it, as root: docs/local.md.`,
    );
    this.name = "CommandMissingError";
  }
}

/** A command that failed; the message has its last lines and names its log. */
export class CommandError extends Error {
  constructor(command: string, how: string, log: string, last: readonly string[]) {
    const end = last.map((line) => `  ${line}`).join("\n");
    super(`${command} ${how}. The end of ${shortPath(log)}:\n${end || "  (it printed nothing)"}`);
    this.name = "CommandError";
  }
}

/**
 * Runs a command to its end and gives what it printed on standard output.
 *
 * @throws CommandMissingError when there is none; CommandError when it cannot be started or exits with another code than 0.
 */
export function command(name: string, args: readonly string[], options: CommandOptions): Promise<string> {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, `${options.log}.log`);
  const log = createWriteStream(path, { flags: "a" });
  log.write(`$ ${[name, ...args].join(" ")}\n`);
  const last: string[] = [];
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        log.write(`${line}\n`);
        last.push(line);
        if (last.length > 15) last.shift();
        options.onLine?.(line);
      });
    }
    child.stdin?.end(options.input);
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new CommandMissingError(name)
          : new CommandError(name, `could not be started (${error.message})`, path, last),
      ),
    );
    child.once("close", (code, signal) => {
      log.end();
      if (code === 0) resolve(stdout);
      else reject(new CommandError(name, `failed with ${signal ?? `exit code ${code}`}`, path, last));
    });
  });
}

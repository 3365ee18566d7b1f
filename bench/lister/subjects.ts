import { execFileSync } from "node:child_process";
import { searchPath } from "../../local/machine/paths.ts";
import type { Command } from "./running.ts";
import type { Size } from "./size.ts";

/** The listers of one language, and what they are measured against, built and ready to start. */
export interface Subjects {
  readonly language: string;
  /** What a figure's `original` is. */
  readonly original: string;
  /** What a figure's `floor` is. */
  readonly floor: string;
  /** Everything that is started, by the name that figures show. */
  readonly started: Readonly<Record<string, Command>>;
  readonly sizes: Readonly<Record<string, Size>>;
  readonly sizeNote: string;
  /** The lister as a server on a port of its choice. */
  readonly server: Command;
  /** A bare server that answers everything with so many bytes, and prints its URL as if it were a bucket. */
  readonly bareServer: (bytes: number) => Command;
  /** The most that lister over original may be. */
  readonly atMost: { readonly size?: number; readonly memory?: number; readonly start?: number };
}

export const lister = "eks-irsa";

/** Arguments with which a lister serves on a free port. It lists once in the time that is measured. */
export const serving = ["--listen=127.0.0.1:0", "--interval=60s"] as const;

/** What a tool prints. @throws Error that names what is missing on this machine. */
export function ask(what: string, tool: string, ...args: string[]): string {
  try {
    return execFileSync(tool, args, {
      encoding: "utf8",
      env: { ...process.env, PATH: searchPath },
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(
      `The lister cannot be measured without ${what}, which this machine does not have (${tool}: ${why}).`,
    );
  }
}

/** Runs a compiler. */
export function compile(tool: string, args: readonly string[], options: { cwd: string; env?: object }): void {
  execFileSync(tool, args, {
    cwd: options.cwd,
    env: { ...process.env, PATH: searchPath, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Options, Result } from "autocannon";

/** What can be asked of the load generator: options that survive JSON. */
export type Load = Pick<Options, "url" | "connections" | "duration" | "timeout" | "overallRate"> & {
  /** One after the other on each connection. Default: the URL's own. */
  readonly paths?: readonly string[];
};

/** Puts load on a server for a while, from a process of its own, so that this one's event loop is free. */
export async function load(options: Load): Promise<Result> {
  const child = join(import.meta.dirname, "load-process.ts");
  const seconds = Number(options.duration ?? 10);
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(options)], {
    cwd: join(import.meta.dirname, "..", ".."),
    timeout: (seconds + 60) * 1000,
    maxBuffer: 1e8,
  });
  return JSON.parse(stdout) as Result;
}

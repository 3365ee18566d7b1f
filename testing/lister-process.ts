import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { project, searchPath } from "../local/machine/paths.ts";
import type { FakeAws } from "./fake-aws.ts";

// How the listers are built and started outside of their images, with what a pod has.

const path = { PATH: searchPath };
export const apps = { go: join(project, "app", "go"), java: join(project, "app", "java") };

/** Whether a program is on this machine, on the search path of local. */
const has = (name: string, ...args: string[]): boolean =>
  spawnSync(name, args, { env: { ...process.env, ...path } }).status === 0;

/** Builds the lister in Go. Undefined where there is no Go. */
export function goLister(folder: string): string[] | undefined {
  if (!has("go", "version")) return undefined;
  const binary = join(folder, "s3-lister");
  execFileSync("go", ["build", "-o", binary, "."], { cwd: apps.go, env: { ...process.env, ...path } });
  return [binary];
}

/** The JVM's flags in the lister's image. */
const javaFlags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx64m"];

/**
 * The lister in Java, which `npm test` builds where there is Maven. Undefined where it has not, or there is no Java.
 *
 * @param flags Further ones of the JVM.
 */
export function javaLister(flags: readonly string[] = []): string[] | undefined {
  const jar = join(apps.java, "target", "s3-lister.jar");
  if (!existsSync(jar) || !has("java", "-version")) return undefined;
  return ["java", ...javaFlags, ...flags, "-jar", jar];
}

export const role = "arn:aws:iam::111122223333:role/reader";

/** A token that the fake STS takes. */
export const token = (subject: string): string =>
  ["{}", JSON.stringify({ sub: subject, aud: ["sts.amazonaws.com"], exp: 4_000_000_000 }), "x"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");

/** Only what a pod has: nothing of this machine's own AWS configuration. */
export const environment = (
  aws: FakeAws,
  home: string,
  more: Readonly<Record<string, string>>,
): Record<string, string> => ({
  ...path,
  HOME: home,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_REGION: "eu-central-1",
  AWS_ENDPOINT_URL: aws.url,
  ...more,
});

export interface Started {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly output: { stdout: string; stderr: string };
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
}

export function start(program: readonly string[], env: Readonly<Record<string, string>>): Started {
  const [name = "", ...args] = program;
  const child = spawn(name, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (part: Buffer) => {
    output.stdout += part;
  });
  child.stderr.on("data", (part: Buffer) => {
    output.stderr += part;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output, ended };
}

/** The port that a lister logs when it starts; undefined before that. */
export const portOf = (stderr: string): number | undefined => {
  const port = /"address":"[^"]*:(\d+)"/.exec(stderr)?.[1];
  return port === undefined ? undefined : Number(port);
};

/** Asks ten times a second until there is an answer that is not undefined, false or empty. */
export async function until<T>(ask: () => T | undefined | Promise<T | undefined>, seconds = 20): Promise<T> {
  for (let tries = 0; tries < seconds * 10; tries++) {
    const answer = await ask();
    if (answer) return answer;
    await sleep(100);
  }
  throw new Error(`not within ${seconds} s`);
}

import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";

/** The files of a Docker build context that reach the builder, sorted, relative, with `/`: all but what `.dockerignore` names. */
export function contextFiles(context: string): string[] {
  const ignoreFile = join(context, ".dockerignore");
  const ignore = dockerignore.default();
  if (existsSync(ignoreFile)) ignore.add(readFileSync(ignoreFile, "utf8"));
  return readdirSync(context, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !lstatSync(join(context, path)).isDirectory() && !ignore.ignores(path))
    .sort();
}

/**
 * A digest of everything that decides what an image becomes: the context's files with their modes, the build
 * arguments, the platform. The same inputs give the same text, on any machine and at any time, so it serves as an
 * image tag that never has to move: twelve hexadecimal digits of a SHA-256.
 *
 * @throws Error when the context is no folder or has no Dockerfile.
 */
export function contextTag(
  context: string,
  settings: {
    readonly dockerfile: string;
    readonly args: Readonly<Record<string, string>>;
    readonly platform: string;
  },
): string {
  if (!existsSync(join(context, settings.dockerfile))) {
    throw new Error(`There is no ${settings.dockerfile} in the build context ${context}.`);
  }
  const hash = createHash("sha256");
  const add = (part: string | Buffer): void => {
    // The length in front keeps "ab","c" apart from "a","bc".
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  add(JSON.stringify([settings.dockerfile, settings.platform, Object.entries(settings.args).sort()]));
  for (const path of new Set([...contextFiles(context), settings.dockerfile])) {
    const file = join(context, path);
    const stat = lstatSync(file);
    add(path);
    add(stat.mode & 0o111 ? "x" : "-");
    add(stat.isSymbolicLink() ? readlinkSync(file) : readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

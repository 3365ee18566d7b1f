import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import dockerignore from "@balena/dockerignore";

/**
 * The file that says what does not reach the builder: the Dockerfile's own (`Dockerfile.dockerignore` beside it) before
 * the context's. Source: "Build context", Docker's documentation.
 *
 * @returns its path; undefined when there is none.
 */
export function ignoreFileOf(context: string, dockerfile: string): string | undefined {
  return [`${dockerfile}.dockerignore`, join(context, ".dockerignore")].find((file) => existsSync(file));
}

/**
 * The entries of a Docker build context that reach the builder, but for its folders: sorted, relative, with `/`. As
 * BuildKit has them: a symbolic link is an entry, wherever it leads, and is not followed; sockets stay behind.
 *
 * @param dockerfile Its path. Default `Dockerfile` in the context.
 */
export function contextFiles(context: string, dockerfile: string = join(context, "Dockerfile")): string[] {
  const ignoreFile = ignoreFileOf(context, dockerfile);
  const patterns = ignoreFile === undefined ? "" : readFileSync(ignoreFile, "utf8");
  const ignore = dockerignore.default().add(patterns);
  // What is below an ignored folder can come back by an exception only.
  const hasExceptions = /^\s*!/m.test(patterns);
  const below = (folder: string): string[] =>
    readdirSync(join(context, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return ignore.ignores(path) && !hasExceptions ? [] : below(path);
      return entry.isSocket() || ignore.ignores(path) ? [] : [path];
    });
  return below("").sort();
}

/**
 * A digest of what an image is made of: the context's files and which of them can be executed, the build arguments, the
 * platform. The same inputs give the same text, on any machine and at any time: twelve hexadecimal digits of a SHA-256.
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
  const dockerfile = join(context, settings.dockerfile);
  if (!existsSync(dockerfile)) {
    throw new Error(`There is no ${settings.dockerfile} in the build context ${context}.`);
  }
  const hash = createHash("sha256");
  const add = (part: string | Buffer): void => {
    // The length in front keeps "ab","c" apart from "a","bc".
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  };
  add(JSON.stringify([settings.dockerfile, settings.platform, Object.entries(settings.args).sort()]));
  for (const path of new Set([...contextFiles(context, dockerfile), settings.dockerfile])) {
    const file = join(context, path);
    const stat = lstatSync(file);
    add(path);
    add(stat.mode & 0o111 ? "x" : "-");
    if (stat.isSymbolicLink()) add(readlinkSync(file));
    else if (stat.isFile()) add(readFileSync(file)); // a FIFO would never end
  }
  return hash.digest("hex").slice(0, 12);
}

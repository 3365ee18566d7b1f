import { createHash } from "node:crypto";
import { lstatSync, readFileSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import * as tar from "tar-fs";
import { contextFiles, ignoreFileOf } from "../../../../components/build-context.ts";

/** What an image is built from. Paths are absolute. */
export interface BuildContext {
  readonly folder: string;
  readonly dockerfile: string;
}

/** Paths as the program gave them, relative to its working directory, made absolute. */
export function buildContext(
  workDir: string,
  build: { context?: string; dockerfile?: string } | undefined,
): BuildContext {
  const folder = resolve(workDir, build?.context ?? ".");
  return { folder, dockerfile: resolve(workDir, build?.dockerfile ?? join(folder, "Dockerfile")) };
}

/** The Dockerfile's path inside the context; undefined when it lies outside. */
function inside({ folder, dockerfile }: BuildContext): string | undefined {
  const path = relative(folder, dockerfile);
  return path.startsWith("..") || isAbsolute(path) ? undefined : path;
}

/**
 * A digest of what the real provider hashes: the Dockerfile, and of each entry its path, its whole mode and its content,
 * which of a symbolic link is the path that it leads to. Source: `hashContext`, pulumi-docker 5.1. So another umask is
 * another context.
 *
 * @throws Error when there is no such folder or no such Dockerfile, or a link leads nowhere.
 */
export function contextDigest(context: BuildContext): string {
  const hash = createHash("sha256");
  // The length in front keeps "ab","c" apart from "a","bc".
  const add = (part: string | Buffer) => hash.update(`${Buffer.byteLength(part)}:`).update(part);
  add(readDockerfile(context));
  for (const path of filesOf(context)) {
    const file = join(context.folder, path);
    const stat = lstatSync(file);
    add(path);
    add(stat.mode.toString(8));
    if (stat.isSymbolicLink()) add(relative(context.folder, targetOf(file)));
    else if (stat.isFile()) add(readFileSync(file));
  }
  return hash.digest("hex");
}

function targetOf(link: string): string {
  try {
    return realpathSync(link);
  } catch (error) {
    throw new Error(`could not evaluate symlink at ${link}: ${(error as Error).message}`);
  }
}

function readDockerfile({ dockerfile }: BuildContext): Buffer {
  try {
    return readFileSync(dockerfile);
  } catch {
    throw new Error(`there is no Dockerfile at ${dockerfile}`);
  }
}

function filesOf(context: BuildContext): string[] {
  try {
    return contextFiles(context.folder, context.dockerfile);
  } catch (error) {
    throw new Error(`the build context ${context.folder} cannot be read: ${(error as Error).message}`);
  }
}

/** The context as the builder takes it, and where in it the Dockerfile is. */
export function contextArchive(context: BuildContext): {
  archive: NodeJS.ReadableStream;
  dockerfile: string;
} {
  const dockerfile = inside(context);
  // The classic builder knows no ignore file but `.dockerignore`, and would follow it where it does not count.
  const ignoreFile = join(context.folder, ".dockerignore");
  const files = filesOf(context).filter(
    (path) => path !== ".dockerignore" || ignoreFileOf(context.folder, context.dockerfile) === ignoreFile,
  );
  // An ignore file may name the Dockerfile, which the builder needs all the same.
  const entries = [...new Set([...files, ...(dockerfile ? [dockerfile] : [])])];
  const name = dockerfile ?? ".Dockerfile.outside-of-the-context";
  const archive = tar.pack(context.folder, {
    entries,
    // Whose files they are on this machine makes no difference to the image.
    map: (header) => ({ ...header, uid: 0, gid: 0, uname: "root", gname: "root" }),
    finalize: dockerfile !== undefined,
    finish: (pack) => {
      if (dockerfile !== undefined) return;
      pack.entry({ name }, readDockerfile(context));
      pack.finalize();
    },
  });
  return { archive, dockerfile: name };
}

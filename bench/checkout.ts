import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { addedSearchPath, cache, project } from "../local/machine/paths.ts";
import { UsageError } from "../terminal.ts";
import { measure } from "./measure.ts";

// What local took before can only be told by running it again: on this machine, in the same run.

/** Files of one commit, whose `npm run` commands are measured. */
export interface Checkout {
  /** What it is called in figures. */
  readonly subject: string;
  readonly folder: string;
  /** The whole environment of a command in it. */
  readonly env: NodeJS.ProcessEnv;
  /** What a reader of its figures must know. */
  readonly note?: string;
}

export const thisCheckout: Checkout = { subject: "local", folder: project, env: process.env };

const git = (repository: string, ...args: string[]): string =>
  execFileSync("git", args, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/**
 * The short name of a commit, by any name that Git knows it by.
 *
 * @throws UsageError when there is no such commit.
 */
export function commitOf(revision: string, repository = project): string {
  const args = ["--verify", "--quiet", "--short", "--end-of-options", `${revision}^{commit}`];
  try {
    return git(repository, "rev-parse", ...args);
  } catch (error) {
    throw new UsageError(
      `--before ${revision} names no commit of ${repository}. It may be any that \`git log\` shows there, such as HEAD~1.`,
      { cause: error },
    );
  }
}

/**
 * Does something with an earlier commit, checked out for as long as that takes, with packages of its own. What its local builds
 * is kept in a cache of its own for the next time.
 *
 * @param commit its short name, from `commitOf`
 */
export async function withCheckoutOf<T>(
  commit: string,
  act: (earlier: Checkout) => Promise<T>,
  repository = project,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `eks-irsa-${commit}-`));
  git(repository, "worktree", "add", "--detach", folder, commit);
  try {
    const env = {
      ...process.env,
      PATH: [join(folder, "node_modules", ".bin"), machineSearchPath(process.env.PATH)].join(delimiter),
      EKS_IRSA_CACHE: join(cache, "bench", `before-${commit}`),
    };
    await measure("npm", ["ci"], { cwd: folder, env });
    const node = execFileSync("node", ["--version"], { cwd: folder, env, encoding: "utf8" }).trim();
    const date = git(folder, "show", "--no-patch", "--format=%cs", "HEAD");
    return await act({
      subject: `at ${commit}`,
      folder,
      env,
      note: `At ${commit}: the commit of ${date}, with its own packages and builds, in the Node.js that it runs in here, ${node}.`,
    });
  } finally {
    git(repository, "worktree", "remove", "--force", folder);
  }
}

/** A search path without what `npm run` and this checkout's local have put on it: another commit brings its own. */
export function machineSearchPath(searchPath = ""): string {
  const added = new Set(addedSearchPath.split(delimiter));
  return searchPath
    .split(delimiter)
    .filter((folder) => !added.has(folder) && !folder.endsWith(join("node_modules", ".bin")))
    .join(delimiter);
}

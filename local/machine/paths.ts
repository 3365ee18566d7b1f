import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where `npm run local` keeps things. Everything it makes lies below one folder: what is worth keeping
 * between runs (built binaries, package caches, image layers) directly in it, and what belongs to the run
 * that is up now in `run/`, which `down` removes.
 *
 * The folder is `$EKS_IRSA_CACHE`, or `~/.cache/eks-irsa`.
 */
export const cache = process.env.EKS_IRSA_CACHE ?? join(homedir(), ".cache", "eks-irsa");

/** Executables that local built or linked; first in the PATH that `local env` prints. */
export const bin = join(cache, "bin");

/** Debian packages, unpacked here and not installed: the machine's own packages stay as they are. */
export const debian = join(cache, "debian");

/** Python packages. */
export const venv = join(cache, "venv");

/** Go's module cache and build cache. */
export const go = join(cache, "go");

/** The engine's plugins, and its own settings. */
export const pulumiHome = join(cache, "pulumi");

/** Data of the run that is up. */
export const runFolder = join(cache, "run");

/** One log file for each process of the run, named as the process: `logs/kubelet.log`. */
export const logs = join(runFolder, "logs");

/** The project's own root folder. */
export const project = join(import.meta.dirname, "..", "..");

const under = (folder: string, ...paths: string[]): string[] => paths.map((path) => join(folder, path));

/** Where local's own programs are. */
export const addedSearchPath = [
  bin,
  join(venv, "bin"),
  ...under(debian, "usr/sbin", "usr/bin", "sbin", "bin"),
].join(":");

/** The search path on which everything that local installed comes before what the machine has. */
export const searchPath = [
  addedSearchPath,
  process.env.PATH ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
].join(":");

const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";

/** Where the dynamic linker finds the libraries of the unpacked packages. */
export const addedLibraryPath = under(debian, `usr/lib/${triplet}`, `lib/${triplet}`).join(":");

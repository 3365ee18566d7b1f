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

/** Data of the run that is up. */
export const run = join(cache, "run");

/** One log file for each process of the run, named as the process: `logs/kubelet.log`. */
export const logs = join(run, "logs");

/** The project's own root folder. */
export const project = join(__dirname, "..");

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { State } from "./recovery.ts";

// What a `destroy` that did not end well waited for. Kubernetes deletes a namespace once everything in it is gone, and says
// on the namespace what is not; the engine tells of a timeout, or of nothing but that it was cancelled.

/** A Namespace, as far as it is looked at. */
interface Namespace {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly status: string; readonly message?: string }[];
  };
}

/** Names of the namespaces that a stack made. */
export const namespacesOf = ({ resources = [] }: State): string[] =>
  resources
    .filter(({ type }) => type === "kubernetes:core/v1:Namespace")
    .flatMap(({ id }) => (id === undefined ? [] : [id]));

/**
 * What holds those of the namespaces that are being deleted, a sentence each, in Kubernetes' own words. Empty where nothing
 * does, and where it cannot be asked: without `kubectl`, or without a way to the cluster.
 */
export async function whatHolds(
  namespaces: readonly string[],
  kubeconfig: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  if (namespaces.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), "eks-irsa-kubeconfig-"));
  try {
    const file = join(folder, "kubeconfig");
    await writeFile(file, kubeconfig, { mode: 0o600 });
    const asked = ["--kubeconfig", file, "--request-timeout=10s", "--ignore-not-found", "--output=json"];
    // One that is named is answered as itself, and several as a list.
    const { stdout } = await promisify(execFile)("kubectl", ["get", "namespaces", ...namespaces, ...asked], {
      env: { ...process.env, ...env },
      timeout: 20_000,
    });
    if (stdout.trim() === "") return [];
    const answer = JSON.parse(stdout) as Namespace | { readonly items: readonly Namespace[] };
    return ("items" in answer ? answer.items : [answer]).flatMap(holding);
  } catch {
    return [];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function holding({ metadata, status }: Namespace): string[] {
  if (metadata.deletionTimestamp === undefined) return [];
  const reasons = (status?.conditions ?? []).flatMap((one) =>
    one.status === "True" && one.message ? [one.message] : [],
  );
  return reasons.length === 0
    ? []
    : [
        `The namespace ${metadata.name} is being deleted, but not gone: ${reasons.join("; ")}. ` +
          "What has a finalizer goes once its controller has taken that off: bring the controller back, or take it off by hand.",
      ];
}

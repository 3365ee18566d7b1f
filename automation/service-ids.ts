import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { State } from "./recovery.ts";

// Ids that only the service knows, of what an engine that was killed may have made. Most of what a stack has is found by what was
// written down of it; an association of EKS Pod Identity is not, and EKS takes one a ServiceAccount: where it is there and
// nobody knows, no `up` gets past it.

/** By URN: the id, as `pulumi import` takes it, or undefined where the service says that there is none. */
export type ServiceIds = ReadonlyMap<string, string | undefined>;

export const associationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation";

interface Association {
  readonly associationId: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * Asks EKS, by `aws`, which the kubeconfig of a cluster needs too, for the associations that were being created. What cannot be
 * asked (there is no `aws`, or no rights) is left out.
 */
export async function serviceIds(
  { pending_operations = [] }: State,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceIds> {
  const pending = pending_operations.flatMap(({ type, resource }) =>
    type === "creating" && resource.type === associationType ? [resource] : [],
  );
  const clusters = new Set(pending.map(({ inputs }) => String(inputs?.clusterName)));
  const listed = new Map(
    await Promise.all([...clusters].map(async (name) => [name, await associationsOf(name, env)] as const)),
  );
  return new Map(
    pending.flatMap(({ urn, inputs }): [string, string | undefined][] => {
      const clusterName = String(inputs?.clusterName);
      const associations = listed.get(clusterName);
      if (associations === undefined) return [];
      const own = associations.find(
        ({ namespace, serviceAccount }) =>
          namespace === inputs?.namespace && serviceAccount === inputs.serviceAccount,
      );
      return [[urn, own && `${clusterName},${own.associationId}`]];
    }),
  );
}

async function associationsOf(
  clusterName: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly Association[] | undefined> {
  const asked = ["eks", "list-pod-identity-associations", "--cluster-name", clusterName, "--output", "json"];
  try {
    const { stdout } = await promisify(execFile)("aws", asked, {
      env: { ...process.env, ...env },
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return (JSON.parse(stdout) as { readonly associations: readonly Association[] }).associations;
  } catch {
    return undefined;
  }
}

import { dump } from "js-yaml";
import { type ConfigInput, project } from "../config.ts";
import type { Adoption } from "./adoption.ts";

/** The stack's configuration: the cluster that is there, and a binding for each ServiceAccount. */
export function configOf({ estate, described }: Adoption): ConfigInput {
  const { cluster, oidcProviderArn } = estate;
  return {
    app: "none",
    cluster: {
      name: cluster.name,
      existing: true,
      // Without one the program has nothing to go by; the next `up` makes it.
      ...(oidcProviderArn === undefined && { createOidcProvider: true }),
    },
    bindings: described.map(({ binding }) => binding),
  };
}

/** The same as `Pulumi.STACK.yaml` has it. */
export function stackFile(adoption: Adoption): string {
  const keys = Object.entries(configOf(adoption)).map(([key, value]) => [`${project}:${key}`, value]);
  const config = { "aws:region": adoption.estate.cluster.region, ...Object.fromEntries(keys) };
  return dump({ config }, { lineWidth: 110, noRefs: true });
}

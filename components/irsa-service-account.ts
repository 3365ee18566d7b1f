import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { ServiceAccountPatch } from "@pulumi/kubernetes/core/v1/serviceAccountPatch.js";
import * as pulumi from "@pulumi/pulumi";
import { annotationsOf } from "./irsa-annotations.ts";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";
import { goesFirst } from "./replacement.ts";

/** Makes the ServiceAccount of a role, or annotates the one that is there. */
export function annotatedServiceAccount(
  name: string,
  args: CheckedIrsaArguments,
  roleArn: pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): ServiceAccount | ServiceAccountPatch {
  const metadata = {
    name: args.serviceAccount,
    namespace: args.namespace,
    labels: args.labels,
    annotations: annotationsOf(args, roleArn),
  };
  if (args.adopt) return adopted(name, metadata, opts);
  return new ServiceAccount(
    `${name}-service-account`,
    {
      metadata,
      automountServiceAccountToken: args.automountToken === "unset" ? undefined : args.automountToken,
    },
    // Others add these to a ServiceAccount that was imported with them: Kubernetes before 1.24, an administrator.
    { ...opts, ...goesFirst, ignoreChanges: ["secrets", "imagePullSecrets"] },
  );
}

/**
 * Annotates a ServiceAccount that is there. It is looked up first, which fails, in a preview too, where it is not: to patch
 * what is missing would make it, and nobody would ever delete it.
 */
function adopted(
  name: string,
  metadata: { readonly name: pulumi.Input<string>; readonly namespace: pulumi.Input<string> },
  opts: pulumi.CustomResourceOptions,
): ServiceAccountPatch {
  const id = pulumi.interpolate`${metadata.namespace}/${metadata.name}`;
  const found = ServiceAccount.get(`${name}-to-adopt`, id, opts);
  // Without it the patch could come first, and make the ServiceAccount that is then found.
  return new ServiceAccountPatch(`${name}-service-account`, { metadata }, { ...opts, dependsOn: found });
}

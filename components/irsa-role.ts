import { Role } from "@pulumi/aws/iam/role.js";
import * as pulumi from "@pulumi/pulumi";
import { partitionOfArn } from "../iam/partition.ts";
import type { TrustPolicy } from "../iam/policy-document.ts";
import { automaticName } from "../iam/role.ts";
import type { Subject } from "../iam/trust-policy.ts";
import { ArgumentError } from "../iam/validation.ts";
import { inPartition } from "./home-partition.ts";
import type { CheckedIrsaArguments, NewRoleArgs } from "./irsa-arguments.ts";
import { placementFaults, trustPolicyFor } from "./irsa-rules.ts";

/** Makes the role, which trusts the ServiceAccounts that the arguments name and nobody else. */
export function newRole(
  name: string,
  args: CheckedIrsaArguments,
  role: NewRoleArgs | undefined,
  { partition, policies }: { partition: pulumi.Output<string>; policies: readonly pulumi.Resource[] },
  parent: pulumi.CustomResourceOptions,
): Role {
  const boundary = role?.permissionsBoundary;
  return new Role(
    // By its own name, where it has one, so that of two names each is a resource: a change that failed can be taken back.
    typeof role?.name === "string" ? `${name}-role-${role.name}` : `${name}-role`,
    {
      ...(role?.name === undefined && role?.namePrefix === undefined ? automaticName(`${name}-role`) : {}),
      description:
        args.description ??
        pulumi.interpolate`Assumed by the Kubernetes ServiceAccount ${args.namespace}/${args.serviceAccount}`,
      // All policies of the role are ours: they go with it.
      forceDetachPolicies: true,
      ...role,
      permissionsBoundary:
        typeof boundary === "object"
          ? inPartition(partition, ["role", "permissionsBoundary"], boundary)
          : boundary,
      assumeRolePolicy: pulumi.jsonStringify(newTrustPolicy(args)),
      tags: args.tags,
    },
    // On destroy the role lets go of them, and IAM deletes none that is attached.
    { ...parent, dependsOn: [...policies] },
  );
}

/** The trust policy of a role that is made here. */
export const newTrustPolicy = (args: CheckedIrsaArguments): pulumi.Output<TrustPolicy> =>
  pulumi
    .all([
      pulumi.all(args.oidcProviderArns),
      pulumi.all(args.clusterNames),
      pulumi.output(
        [args, ...args.otherSubjects].map(({ namespace, serviceAccount }) => ({ namespace, serviceAccount })),
      ),
    ])
    .apply(([oidcProviderArns, clusterNames, subjects]) => {
      const clusters = { oidcProviderArns, clusterNames };
      // A provider that was not known before tells the partition now.
      const faults = placementFaults(args, {
        partition: partitionOfArn(oidcProviderArns[0] ?? ""),
        ...clusters,
      });
      if (faults.length > 0) throw new ArgumentError(faults);
      return trustPolicyFor(args, { ...clusters, subjects: subjects as Subject[] });
    });

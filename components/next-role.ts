import type { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation.js";
import type { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import * as pulumi from "@pulumi/pulumi";
import { assumeRolePolicy, targetTrustPolicy } from "../iam/role-chaining.ts";
import { inPartition } from "./home-partition.ts";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";
import { assumeRolePolicyName } from "./irsa-rules.ts";
import { awsConfig } from "./pod-additions.ts";
import { goesFirst } from "./replacement.ts";

// The role that pods go on to from their own: `targetRole` or `chain`; on the way from one mechanism to the other there may be
// both.

export interface NextRoles {
  /** ARN of the role that EKS itself goes on to, under Pod Identity. */
  readonly target: pulumi.Output<string> | undefined;
  /** The role that the pod's SDK goes on to, under IRSA. */
  readonly chained: ChainedRole | undefined;
}

interface ChainedRole {
  /** Its ARN. */
  readonly target: pulumi.Output<string>;
  readonly externalId: string | undefined;
}

export const nextRoles = (
  { targetRole, chain }: Pick<CheckedIrsaArguments, "targetRole" | "chain">,
  partition: pulumi.Output<string>,
): NextRoles => ({
  target: targetRole && inPartition(partition, ["targetRole", "arn"], targetRole.arn),
  chained: chain && {
    target: inPartition(partition, ["chain", "role"], chain.role),
    externalId: chain.externalId,
  },
});

/** Lets a role that is made here assume the next one. */
export function allowNextRoles(
  name: string,
  role: Role,
  { session }: Pick<CheckedIrsaArguments, "session">,
  { target, chained }: NextRoles,
  parent: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const hops = [
    ...(target ? [{ arn: target, sessionTags: session === undefined }] : []),
    // An SDK has no tags to pass on.
    ...(chained ? [{ arn: chained.target, sessionTags: false }] : []),
  ];
  if (hops.length === 0) return [];
  const document = pulumi.all(hops).apply((hops) => JSON.stringify(assumeRolePolicy(hops)));
  return [
    new RolePolicy(
      `${name}-${assumeRolePolicyName}`,
      { role: role.name, name: assumeRolePolicyName, policy: document },
      parent,
    ),
  ];
}

/** The AWS configuration that leads a pod's SDKs on to the second role. */
export function chainConfig(
  name: string,
  chain: ChainedRole & { readonly roleArn: pulumi.Output<string> },
  namespace: pulumi.Output<string>,
  parent: pulumi.CustomResourceOptions,
): ConfigMap {
  const config = pulumi.output(chain).apply(awsConfig);
  return new ConfigMap(
    `${name}-aws-config`,
    { metadata: { name: config.name, namespace }, data: config.data, immutable: true },
    { ...parent, ...goesFirst },
  );
}

/** What the trust policy of a role that pods go on to by themselves must hold, as JSON. */
export const chainedTrustPolicy = (
  roleArn: pulumi.Output<string>,
  { externalId }: ChainedRole,
): pulumi.Output<string> =>
  roleArn.apply((roleArn) => JSON.stringify(targetTrustPolicy({ roleArn, externalId })));

/** What the trust policy of a role that EKS goes on to for an association must hold, as JSON. */
export function associatedTrustPolicy(
  roleArn: pulumi.Output<string>,
  { externalId, clusterName, namespace, serviceAccount }: PodIdentityAssociation,
  { session }: Pick<CheckedIrsaArguments, "session">,
): pulumi.Output<string> {
  // The tags say what EKS's external id says, each by its name.
  const caller = session ? { externalId } : { session: { clusterName, namespace, serviceAccount } };
  return pulumi.output({ roleArn, ...caller }).apply((caller) => JSON.stringify(targetTrustPolicy(caller)));
}

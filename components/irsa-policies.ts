import { Policy } from "@pulumi/aws/iam/policy.js";
import type { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachmentsExclusive } from "@pulumi/aws/iam/rolePolicyAttachmentsExclusive.js";
import type * as pulumi from "@pulumi/pulumi";
import { awsManagedPolicyArn } from "../iam/policies.ts";
import { automaticName } from "../iam/role.ts";
import { inPartition } from "./home-partition.ts";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";
import { policyResource } from "./irsa-rules.ts";

/** Characters that IAM takes in the name of a managed policy. */
const longestPolicyName = 128;

/** What `policies` come to. With a role that is there already all are empty: it keeps its own. */
export interface RolePolicies {
  /** ARNs of the managed policies that are there already. */
  readonly managed: readonly pulumi.Input<string>[];
  /** The managed policies that are made for this role. */
  readonly own: readonly Policy[];
  readonly inline: readonly { readonly name: string; readonly policy: pulumi.Output<string> }[];
  /** The documents of the two above, in the order of `policies`. */
  readonly documents: readonly pulumi.Output<string>[];
}

/** Reads `policies` in the cluster's partition, and makes the managed ones among them. */
export function rolePolicies(
  name: string,
  { policies, tags }: Pick<CheckedIrsaArguments, "policies" | "tags">,
  partition: pulumi.Output<string>,
  parent: pulumi.CustomResourceOptions,
): RolePolicies {
  const managed: pulumi.Input<string>[] = [];
  const own: Policy[] = [];
  const inline: { readonly name: string; readonly policy: pulumi.Output<string> }[] = [];
  const documents: pulumi.Output<string>[] = [];
  for (const policy of policies) {
    switch (policy.kind) {
      case "aws-managed":
        managed.push(partition.apply((partition) => awsManagedPolicyArn(partition, policy.path)));
        break;
      case "managed":
        // A plain one stays known in a preview, which else would show a change where the provider is not.
        managed.push(
          typeof policy.arn === "string"
            ? policy.arn
            : inPartition(partition, ["policies", policy.reference ?? 0, "arn"], policy.arn),
        );
        break;
      default: {
        const document = partition.apply((partition) => JSON.stringify(policy.document(partition)));
        documents.push(document);
        if (policy.kind === "inline") {
          inline.push({ name: policy.name, policy: document });
        } else {
          const resource = policyResource(name, policy);
          const unique = automaticName(resource, longestPolicyName);
          own.push(new Policy(resource, { ...unique, policy: document, tags }, parent));
        }
      }
    }
  }
  return { managed, own, inline, documents };
}

/**
 * Gives a role that is made here its policies, and no other managed ones.
 *
 * The managed ones are one list and not a resource each: an `up` deletes last, and so would detach after it has proved the
 * workload. Each inline one is a resource, and goes only then, since every other shape is worse. `RolePoliciesExclusive`
 * takes it away in time and cannot put it back: it knows names and no documents, and for the engine the `RolePolicy` is
 * still there, so after an `up` that was red every later one fails until a refresh (`syncAttachments` in the real provider's
 * role_policies_exclusive.go). A role's own `inlinePolicies`, which are deprecated, delete and make anew whatever policy has
 * another document, and running pods are refused meanwhile. One policy of all documents would lose the names by which people
 * find them and adopt takes them over, cannot join documents of two versions or with one Sid, must not be empty, and while
 * it takes the place of those that are there, both count against the role's 10,240 characters. Whoever wants the proof says
 * `attach: "managed"`.
 */
export const givePolicies = (
  name: string,
  role: Role,
  { managed, own, inline }: RolePolicies,
  parent: pulumi.CustomResourceOptions,
): pulumi.Resource[] => [
  ...inline.map(
    (policy) => new RolePolicy(policyResource(name, policy), { role: role.name, ...policy }, parent),
  ),
  new RolePolicyAttachmentsExclusive(
    `${name}-managed-policies`,
    { roleName: role.name, policyArns: [...managed, ...own.map(({ arn }) => arn)] },
    parent,
  ),
];

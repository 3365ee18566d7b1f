import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";
import type { RolePolicies } from "./irsa-policies.ts";
import { newTrustPolicy } from "./irsa-role.ts";

/**
 * Annotations for a pod's template that change with all that a pod is admitted with.
 *
 * @param settled By their URNs, what takes the annotations waits for all that they are about.
 */
export function podAnnotations(
  args: CheckedIrsaArguments,
  { managed, documents }: RolePolicies,
  roleArn: pulumi.Output<string>,
  settled: readonly pulumi.Resource[],
): pulumi.Output<Record<string, string>> {
  const { role } = args;
  const made = role === undefined || !("arn" in role);
  // As given, not as AWS tells it back: the same program makes the same digest, whatever had drifted.
  const decisive = {
    policies: [managed, documents],
    permissionsBoundary: made ? role?.permissionsBoundary : undefined,
    trust: made ? newTrustPolicy(args) : undefined,
    serviceAccount: args.serviceAccount,
    audience: args.audience,
    tokenExpirationSeconds: args.tokenExpirationSeconds,
    stsRegionalEndpoints: args.stsRegionalEndpoints,
    targetRole: args.targetRole,
    session: args.session,
    chain: args.chain,
  };
  const urns = settled.map(({ urn }) => urn);
  return pulumi.all([roleArn, pulumi.jsonStringify(decisive), urns]).apply(
    ([arn, all]): Record<string, string> => ({
      "eks-irsa/role-arn": arn,
      "eks-irsa/identity": args.phase.mechanism,
      "eks-irsa/digest": createHash("sha256").update(all).digest("hex").slice(0, 12),
    }),
  );
}

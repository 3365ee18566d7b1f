import type { PolicyDocument, TrustPolicy } from "./policy-document.ts";

// Role chaining: a pod's role assumes another, often of another account. Both sides have to allow it: the pod's role by a
// policy of its own, the other by its trust policy.

const actions = (sessionTags: boolean): readonly string[] =>
  sessionTags ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"];

/** A role that is to be assumed, and whether the session's tags are passed on to it, as EKS Pod Identity does. */
export interface NextRole {
  readonly arn: string;
  readonly sessionTags: boolean;
}

/** What the pod's role needs. */
export const assumeRolePolicy = (targets: readonly NextRole[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: targets.map(({ arn, sessionTags }) => ({
    Effect: "Allow",
    Action: actions(sessionTags),
    Resource: arn,
  })),
});

export interface TargetTrustArgs {
  /** ARN of the pod's role: the one that may assume the target. */
  readonly roleArn: string;
  /** What the caller has to say. EKS Pod Identity says it for each association: its `externalId`. Default nothing. */
  readonly externalId?: string | undefined;
  /** The tags that EKS Pod Identity passes on; absent where there are none, as with IRSA. */
  readonly session?:
    | { readonly clusterName: string; readonly namespace: string; readonly serviceAccount: string }
    | undefined;
}

/**
 * The trust policy that the target needs, for the one who owns it: it admits this one role, in this one use of it.
 *
 * The principal is the role's account and the role a condition, as in "Access AWS Resources using EKS Pod Identity Target
 * IAM Roles" (EKS User Guide): a role as principal becomes an id that admits nobody once the role was made anew.
 */
export function targetTrustPolicy({ roleArn, externalId, session }: TargetTrustArgs): TrustPolicy {
  const [, partition, , , account] = roleArn.split(":");
  const equals = {
    ...(externalId !== undefined && { "sts:ExternalId": externalId }),
    ...(session && {
      "aws:RequestTag/eks-cluster-name": session.clusterName,
      "aws:RequestTag/kubernetes-namespace": session.namespace,
      "aws:RequestTag/kubernetes-service-account": session.serviceAccount,
    }),
  };
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: actions(session !== undefined),
        Condition: {
          ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
          ArnEquals: { "aws:PrincipalArn": roleArn },
        },
      },
    ],
  };
}

import { stsAudience } from "../iam/trust-policy.ts";
import { type IdentityArgs, phaseOf } from "./irsa-identity.ts";

/** The annotations that come by keys of their own. Source: README of github.com/aws/amazon-eks-pod-identity-webhook. */
export const annotationKeys: Readonly<Record<string, string>> = {
  "eks.amazonaws.com/role-arn": "role.arn",
  "eks.amazonaws.com/audience": "audience",
  "eks.amazonaws.com/token-expiration": "tokenExpirationSeconds",
  "eks.amazonaws.com/sts-regional-endpoints": "stsRegionalEndpoints",
};

/**
 * The annotations of the ServiceAccount; undefined where there are none, and none are asked for. Source: README of
 * github.com/aws/amazon-eks-pod-identity-webhook.
 */
export function annotationsOf<T, R>(
  args: {
    readonly identity: IdentityArgs;
    readonly audience?: string | undefined;
    readonly annotations?: Readonly<Record<string, T>> | undefined;
    readonly tokenExpirationSeconds?: number | undefined;
    readonly stsRegionalEndpoints?: boolean | undefined;
  },
  roleArn: R,
): Record<string, T | R | string> | undefined {
  const { identity, audience, annotations, tokenExpirationSeconds, stsRegionalEndpoints } = args;
  // Under Pod Identity the association says it all.
  if (!phaseOf(identity).webIdentity) return annotations && { ...annotations };
  return {
    ...annotations,
    "eks.amazonaws.com/role-arn": roleArn,
    ...(audience !== undefined && audience !== stsAudience ? { "eks.amazonaws.com/audience": audience } : {}),
    ...(tokenExpirationSeconds !== undefined
      ? { "eks.amazonaws.com/token-expiration": String(tokenExpirationSeconds) }
      : {}),
    ...(stsRegionalEndpoints !== undefined
      ? { "eks.amazonaws.com/sts-regional-endpoints": String(stsRegionalEndpoints) }
      : {}),
  };
}

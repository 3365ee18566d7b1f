import type { TrustPolicy } from "./policy-document";

/** The audience that EKS gives its tokens and STS expects, in every partition, China included. */
export const stsAudience = "sts.amazonaws.com";

export interface TrustPolicyArgs {
  /** ARN of the cluster's IAM OIDC provider: `arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123…`. */
  oidcProviderArn: string;
  /** Kubernetes namespace of the ServiceAccount. */
  namespace: string;
  /** Name of the ServiceAccount. */
  serviceAccount: string;
  /** Audience that the token must be for. Default `sts.amazonaws.com`. */
  audience?: string;
}

/**
 * The trust policy that lets exactly one ServiceAccount of one cluster assume a role.
 *
 * Both claims are always checked, and with `StringEquals`. Without `sub` every pod of the cluster could assume the
 * role; without `aud` a token made for another service could. The condition keys carry the issuer without its
 * scheme: with `https://`, or with the provider's ARN, they would match nothing and STS would refuse everybody.
 *
 * @throws Error when `oidcProviderArn` is not the ARN of an OIDC provider, or a name is not one of Kubernetes: a `*`
 *   would be taken literally by `StringEquals` and never match.
 */
export function trustPolicy(args: TrustPolicyArgs): TrustPolicy {
  const issuer = issuerHost(args.oidcProviderArn);
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: args.oidcProviderArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${issuer}:sub`]: subject(args.namespace, args.serviceAccount),
            [`${issuer}:aud`]: args.audience ?? stsAudience,
          },
        },
      },
    ],
  };
}

/**
 * The `sub` claim of a ServiceAccount's tokens: `system:serviceaccount:<namespace>:<name>`.
 *
 * @throws Error when a name is not valid in Kubernetes.
 */
export function subject(namespace: string, serviceAccount: string): string {
  if (!isNamespaceName(namespace)) {
    throw new Error(`${JSON.stringify(namespace)} is not the name of a namespace: ${namespaceNameRule}.`);
  }
  if (!isServiceAccountName(serviceAccount)) {
    throw new Error(
      `${JSON.stringify(serviceAccount)} is not the name of a ServiceAccount: ${serviceAccountNameRule}.`,
    );
  }
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}

/** The issuer as IAM writes it in ARNs and condition keys: host and path, no scheme. */
export function issuerHost(oidcProviderArn: string): string {
  const issuer = /^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/(\S+)$/.exec(oidcProviderArn)?.[1];
  if (issuer === undefined) {
    throw new Error(
      `${JSON.stringify(oidcProviderArn)} is not the ARN of an IAM OIDC provider (arn:aws:iam::<account>:oidc-provider/<issuer>).`,
    );
  }
  return issuer;
}

/** RFC 1123 label, which Kubernetes asks of a namespace's name. */
export const namespaceNameRule =
  "lower-case letters, digits and '-', starting and ending with a letter or digit, at most 63";
export const isNamespaceName = (name: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name);

/** RFC 1123 subdomain, which Kubernetes asks of a ServiceAccount's name. */
export const serviceAccountNameRule =
  "lower-case letters, digits, '-' and '.', each part between dots starting and ending with a letter or digit, at most 253";
export const isServiceAccountName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name);

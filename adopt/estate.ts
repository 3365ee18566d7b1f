// What is there before anybody adopts it: a cluster's ServiceAccounts, and the roles of its account. As it was read,
// whatever made it.

export interface Estate {
  readonly cluster: ClusterFacts;
  /** The account's OIDC provider of the cluster's issuer; undefined where nobody made one. */
  readonly oidcProviderArn?: string | undefined;
  readonly serviceAccounts: readonly ServiceAccountFacts[];
  readonly associations: readonly AssociationFacts[];
  readonly roles: readonly RoleFacts[];
}

export interface ClusterFacts {
  readonly name: string;
  readonly region: string;
  readonly arn: string;
  readonly endpoint: string;
  /** PEM in base64. */
  readonly certificateAuthority: string;
  readonly issuer: string;
}

/** A ServiceAccount, as far as a binding could say it. */
export interface ServiceAccountFacts {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly automountToken?: boolean | undefined;
  /** What Kubernetes deletes it with, as `Kind name`. */
  readonly owners: readonly string[];
  /** Other fields of its metadata that somebody set: `finalizers`, `generateName`. */
  readonly otherMetadata: readonly string[];
}

/** A Pod Identity association. */
export interface AssociationFacts {
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly targetRoleArn?: string | undefined;
  readonly disableSessionTags?: boolean | undefined;
  /** The session policy, as JSON. */
  readonly policy?: string | undefined;
  /** The EKS add-on that made it, and goes on keeping it. */
  readonly ownerArn?: string | undefined;
}

export interface RoleFacts {
  readonly name: string;
  readonly arn: string;
  readonly path: string;
  readonly description: string;
  readonly maxSessionDuration: number;
  readonly permissionsBoundary?: string | undefined;
  readonly trustPolicy: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly inlinePolicies: readonly { readonly name: string; readonly document: string }[];
  /** ARNs of the managed policies that are attached. */
  readonly attachedPolicies: readonly string[];
}

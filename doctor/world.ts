import type { Pod, Role } from "./chain.ts";

/** What the doctor looks at. Every method only reads; each throws when it could not look, and says why. */
export interface World {
  readonly eks: {
    /** Undefined when there is no cluster of that name. */
    cluster(name: string): Promise<EksCluster | undefined>;
    clusterNames(): Promise<string[]>;
  };
  readonly iam: {
    /** ARN of the account that the credentials belong to. */
    accountId(): Promise<string>;
    oidcProviders(): Promise<OidcProvider[]>;
    role(name: string): Promise<Role | undefined>;
    /** Every policy of a role, by name. A document that cannot be read is undefined. */
    policies(role: Role): Promise<NamedPolicy[]>;
    policyDocument(arn: string): Promise<string | undefined>;
  };
  readonly sts: {
    /** What STS answers to a token. */
    assume(roleArn: string, token: string, seconds?: number): Promise<StsAnswer>;
  };
  readonly kubernetes: {
    /** URL of the API server that the kubeconfig leads to. */
    readonly server: string;
    version(): Promise<string>;
    /** The issuer that the API server itself says it is; undefined where it does not tell. */
    issuer(): Promise<string | undefined>;
    serviceAccount(namespace: string, name: string): Promise<ServiceAccountFacts | undefined>;
    pods(namespace: string): Promise<Pod[]>;
    /** Whether a webhook is registered that gives pods their roles; undefined when it may not be asked. */
    podIdentityWebhook(): Promise<boolean | undefined>;
    /** A token like the pod's; undefined when it may not be asked for. */
    token(namespace: string, serviceAccount: string, audience: string): Promise<string | undefined>;
  };
  readonly images: {
    /** Paths of the files in an image that match; undefined when it cannot be read. */
    files(reference: string, wanted: RegExp): Promise<string[] | undefined>;
  };
}

export interface EksCluster {
  readonly arn: string;
  readonly status: string;
  readonly endpoint: string;
  readonly issuer?: string;
}

export interface OidcProvider {
  readonly arn: string;
  /** Without `https://`, as IAM holds it. */
  readonly url: string;
  readonly audiences: readonly string[];
}

export interface NamedPolicy {
  readonly name: string;
  readonly document?: string;
}

export interface ServiceAccountFacts {
  readonly annotations: Readonly<Record<string, string>>;
  /** When the role's annotation was last written; undefined where the API server does not tell. */
  readonly annotated?: Date;
}

export type StsAnswer =
  | { readonly admitted: true; readonly arn: string }
  | { readonly admitted: false; readonly code: string; readonly message: string };

/**
 * What the doctor looks at. Every method only reads. Each throws when it could not look, and says why; a method whose
 * question may be refused without harm says so by an answer of its own.
 */
export interface World {
  readonly eks: {
    /** Undefined when there is no cluster of that name. */
    cluster(name: string): Promise<EksCluster | undefined>;
    clusterNames(): Promise<string[]>;
    /** The Pod Identity association of a ServiceAccount; undefined when it has none. */
    association(
      cluster: string,
      namespace: string,
      serviceAccount: string,
    ): Promise<PodIdentityAssociation | undefined>;
    /** An add-on; undefined when the cluster does not have it. */
    addon(cluster: string, name: string): Promise<Addon | undefined>;
  };
  /** IAM of the account that the pod's role is in. */
  readonly iam: Iam;
  /** IAM of the account that the role is in which the pod's role goes on to assume. */
  readonly targetIam: Iam;
  readonly sts: {
    /** What STS answers to a token. */
    assume(roleArn: string, token: string, seconds?: number): Promise<StsAnswer>;
  };
  readonly kubernetes: {
    /** URL of the API server that the kubeconfig leads to. */
    readonly server: string;
    /** The kubeconfig's CA: PEM in base64. Undefined where it trusts the system's. */
    readonly certificateAuthority?: string;
    version(): Promise<string>;
    /** The issuer that the API server itself says it is; undefined where it does not tell. */
    issuer(): Promise<string | undefined>;
    /** Whether there is such a namespace; undefined when it may not be asked. */
    hasNamespace(name: string): Promise<boolean | undefined>;
    serviceAccount(namespace: string, name: string): Promise<ServiceAccountFacts | undefined>;
    pods(namespace: string): Promise<Pod[]>;
    /** Whatever makes pods: Deployments, CronJobs and their like. */
    workloads(namespace: string): Promise<Workload[]>;
    /** Labels of a node; undefined when it may not be asked. */
    nodeLabels(name: string): Promise<Readonly<Record<string, string>> | undefined>;
    /** Names of the keys in a Secret or ConfigMap, never what they hold; undefined when it may not be asked. */
    keysOf(
      kind: KeySource["kind"],
      namespace: string,
      name: string,
    ): Promise<readonly string[] | "absent" | undefined>;
    /** An entry of a ConfigMap; undefined when it may not be asked. */
    configMapEntry(namespace: string, name: string, key: string): Promise<{ text?: string } | undefined>;
    /** Whether a webhook is registered that gives pods their roles; undefined when it may not be asked. */
    podIdentityWebhook(): Promise<boolean | undefined>;
    /** A token like the pod's; undefined when it may not be asked for. */
    token(namespace: string, serviceAccount: string, audience: string): Promise<string | undefined>;
  };
  readonly images: {
    /** Files of an image that are wanted; undefined when it cannot be read. */
    files(reference: string, wanted: Wanted): Promise<ImageFile[] | undefined>;
  };
}

export interface Iam {
  /** Account that the credentials belong to. */
  accountId(): Promise<string>;
  oidcProviders(): Promise<OidcProvider[]>;
  role(name: string): Promise<Role | undefined>;
  /** Every policy of a role. A document that cannot be read is undefined. */
  policies(role: Role): Promise<NamedPolicy[]>;
  policyDocument(arn: string): Promise<string | undefined>;
}

export interface EksCluster {
  readonly arn: string;
  readonly status: string;
  /** Undefined while it is being made. */
  readonly endpoint?: string;
  /** The API server's CA: PEM in base64. */
  readonly certificateAuthority?: string;
  readonly issuer?: string;
}

export interface PodIdentityAssociation {
  readonly id: string;
  readonly roleArn: string;
  readonly created?: Date;
  /** The role that EKS assumes next, with the credentials of the first. */
  readonly targetRoleArn?: string;
  readonly externalId?: string;
  /** Whether sessions carry the tags that name cluster, namespace, ServiceAccount and pod. */
  readonly sessionTags: boolean;
  /** A policy that narrows the session further. */
  readonly sessionPolicy?: string;
}

export interface Addon {
  /** `ACTIVE`, `DEGRADED`, `CREATE_FAILED`, … */
  readonly status: string;
  readonly issues: readonly string[];
}

export interface OidcProvider {
  readonly arn: string;
  /** Without `https://`, as IAM holds it. */
  readonly url: string;
  readonly audiences: readonly string[];
}

/** An IAM role, as far as the chain needs it. */
export interface Role {
  readonly name: string;
  readonly arn: string;
  readonly trustPolicy: string;
  readonly maxSessionSeconds: number;
  readonly boundaryArn?: string;
}

export interface NamedPolicy {
  readonly name: string;
  /** Of a managed policy. */
  readonly arn?: string;
  readonly document?: string;
}

export interface ServiceAccountFacts {
  readonly annotations: Readonly<Record<string, string>>;
  /** When the role's annotation was last written; undefined where the API server does not tell. */
  readonly annotated?: Date;
}

/** A pod, as far as the chain needs it. */
export interface Pod {
  readonly name: string;
  readonly phase: string;
  readonly created: Date;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What makes such pods; undefined for a pod that somebody made by hand. */
  readonly owner?: Workload;
  /** Undefined before it is scheduled. */
  readonly node?: string;
  readonly windows: boolean;
  readonly fsGroup?: number;
  /** Init containers first, as they run. */
  readonly containers: readonly Container[];
  /** Tokens that are projected into files. */
  readonly tokens: readonly ProjectedToken[];
  /** Files that are a ConfigMap's entries. */
  readonly configMaps: readonly ConfigMapVolume[];
}

export interface Workload {
  /** As kubectl names it: `deployment`, `cronjob`. */
  readonly kind: string;
  readonly name: string;
  /** The ServiceAccount of the pods that it makes. */
  readonly serviceAccount: string;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  /** Image by digest, once the node has it. */
  readonly imageId?: string;
  /** Undefined where the image decides. */
  readonly user?: number;
  /** Undefined where the image decides: root's, but for an image that says otherwise. */
  readonly group?: number;
  /** Variables whose values stand in the pod. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that come from elsewhere. */
  readonly envSources: readonly EnvSource[];
  readonly mounts: readonly { readonly volume: string; readonly path: string }[];
}

export interface KeySource {
  readonly kind: "Secret" | "ConfigMap";
  readonly name: string;
  /** Whether the container starts without it. */
  readonly optional: boolean;
}

/** `valueFrom` of one variable, or `envFrom` of all keys, each with a prefix. */
export type EnvSource =
  | (KeySource & { readonly variable: string; readonly key: string })
  | (KeySource & { readonly prefix: string });

export interface ProjectedToken {
  readonly volume: string;
  /** Below the mount. */
  readonly path: string;
  readonly audience: string;
  readonly mode: number;
}

export interface ConfigMapVolume {
  readonly volume: string;
  readonly name: string;
  /** The entries that are in it, by their path below the mount. Undefined: all, each by its key. */
  readonly keys?: Readonly<Record<string, string>>;
}

export type StsAnswer =
  | { readonly admitted: true; readonly session: Session }
  | { readonly admitted: false; readonly code: string; readonly message: string };

/** A session that STS gave. Its credentials never leave it; it ends with the process. */
export interface Session {
  readonly arn: string;
  /** What STS answers to it when it asks for another role. */
  assume(roleArn: string, externalId?: string): Promise<StsAnswer>;
}

/** What is wanted of a file: nothing, that it is there, or the texts in it that match. */
export type Wanted = (path: string, executable: boolean) => "name" | RegExp | undefined;

export interface ImageFile {
  readonly path: string;
  /** What matched in it; empty where only the name was wanted. */
  readonly texts: readonly string[];
}

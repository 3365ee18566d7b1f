import type { OidcProvider, Workload } from "../doctor/world.ts";

/**
 * What an audit judges: the account's IAM, the cluster's associations and nodes, and what runs in it, all as of one moment.
 * Plain data, and no secret is in it: of stored keys it has the places only.
 */
export interface Snapshot {
  readonly taken: Date;
  readonly region: string;
  /** Account of the cluster, and of the credentials that looked. */
  readonly accountId: string;
  readonly cluster: { readonly name: string; readonly arn: string; readonly issuer?: string };
  /** The namespaces that were looked at; undefined for all. */
  readonly namespaces?: readonly string[];
  readonly roles: readonly RoleDetail[];
  /** Documents of managed policies, by ARN. One that could not be read is not here. */
  readonly documents: Readonly<Record<string, string>>;
  readonly providers: readonly OidcProvider[];
  /** Issuers of the account's clusters in the region; undefined where they could not be asked for. */
  readonly issuers?: readonly string[];
  readonly associations: readonly Association[];
  /** Whether anything gives pods the credentials of associations: add-on, agent or EKS Auto Mode. */
  readonly podIdentityAgent: boolean;
  readonly nodeGroups: readonly NodeGroup[];
  readonly serviceAccounts: readonly ServiceAccount[];
  readonly pods: readonly AuditedPod[];
  readonly workloads: readonly AuditedWorkload[];
  readonly storedKeys: readonly StoredKeys[];
  /** What could not be looked at: without it the audit is not a whole one. */
  readonly unseen: readonly Unseen[];
  /** What was not to be looked at. */
  readonly skipped: readonly Part[];
}

/** Parts that an audit can go without, where its credentials may not see them: Secrets and ConfigMaps, nodes, roles of other accounts. */
export const parts = ["stored-keys", "nodes", "other-accounts"] as const;
export type Part = (typeof parts)[number];

export interface Unseen {
  readonly what: string;
  readonly why: string;
  /** What it would take, in a sentence. */
  readonly takes: string;
}

/** A role with all that decides what it may do and who may assume it. */
export interface RoleDetail {
  readonly name: string;
  readonly arn: string;
  readonly trustPolicy: string;
  readonly created: Date;
  /** Undefined where IAM has seen no use of it, for as long as it keeps that (400 days). */
  readonly lastUsed?: Date;
  readonly boundaryArn?: string;
  readonly inline: readonly { readonly name: string; readonly document: string }[];
  /** ARNs of its managed policies. */
  readonly attached: readonly string[];
  /** ARNs of the instance profiles that carry it. */
  readonly profiles: readonly string[];
}

/** An association of EKS Pod Identity. */
export interface Association {
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  readonly created?: Date;
  readonly targetRoleArn?: string;
  readonly externalId?: string;
  readonly sessionTags: boolean;
  readonly sessionPolicy?: string;
}

/** Nodes of one kind, and how far their metadata service answers. */
export interface NodeGroup {
  /** A managed node group's name, or an instance's id. */
  readonly name: string;
  readonly kind: "node group" | "instance";
  /** Undefined where an instance has none. */
  readonly roleArn?: string;
  /** Network hops that an answer may take: a pod's network is one more. Undefined where nothing says so. */
  readonly hopLimit?: number;
  /** Whether a session's token must be asked for first (IMDSv2). Undefined where nothing says so. */
  readonly tokens?: "required" | "optional";
  /** Launch template, where it has one. */
  readonly template?: string;
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** When the role's annotation was last written; undefined where the API server does not tell. */
  readonly annotated?: Date;
}

/** What a pod reaches, by its specification; a workload's template says the same of pods to come. */
export interface PodReach {
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  /** Names of its privileged containers. */
  readonly privileged: readonly string[];
  /** Folders of the node that its containers mount. */
  readonly hostPaths: readonly string[];
  /** The role that is named where nobody looks for it: on the pod instead of its ServiceAccount. */
  readonly roleAnnotation?: string;
}

export interface AuditedPod extends PodReach {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly phase: string;
  readonly created: Date;
  /** What makes such pods anew; undefined for one that somebody made by hand. */
  readonly owner?: Workload;
  readonly node?: string;
  readonly containers: readonly AuditedContainer[];
  /** Containers that the pod identity webhook is told to leave alone. */
  readonly skipped: readonly string[];
}

export interface AuditedContainer {
  readonly name: string;
  /** `AWS_ROLE_ARN`. */
  readonly roleArn?: string;
  /** By which mechanism it was given a token. */
  readonly tokens: readonly ("irsa" | "pod-identity")[];
}

/** What makes pods, whether any runs or none. */
export interface AuditedWorkload extends PodReach {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/** Where long-lived keys of AWS lie. What they are stays there. */
export interface StoredKeys {
  /** `Secret`, `ConfigMap`, or what makes the pods: `deployment`, `pod`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Names of the entries, variables or containers that hold them. */
  readonly places: readonly string[];
}

// What AWS, Kubernetes and Pulumi allow, each with where it was read. Nothing else in this folder holds such a figure.

/**
 * How sure a figure is: `documented` by its owner; `observed` by somebody who wrote it down; `assumed`, where nobody
 * publishes it, so that the model takes it as a parameter.
 */
export type Standing = "documented" | "observed" | "assumed";

/** What a quota is counted over. A role, a cluster and a process are each one of many. */
export type Scope = "account" | "region" | "cluster" | "role" | "process";

export interface Source {
  /** Title of the page or thread. */
  readonly title: string;
  readonly url?: string;
  /** Where it was read, when that was not the page itself, and how old that copy is. */
  readonly read?: string;
}

export interface Quota {
  readonly name: string;
  readonly value: number;
  /** What AWS raises it to when asked. Absent: it stays as it is, or AWS does not say how far it goes. */
  readonly raisedTo?: number;
  /** Whether AWS says that it can be raised, where it does not say how far. */
  readonly adjustable?: boolean;
  readonly unit: "" | "characters" | "per second" | "s" | "min";
  readonly scope: Scope;
  readonly standing: Standing;
  readonly source: Source;
  readonly note?: string;
}

const iam: Source = {
  title: "IAM and AWS STS quotas",
  url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
  read: "a copy of the page of 6 March 2026",
};
const eks: Source = {
  title: "Amazon Elastic Kubernetes Service endpoints and quotas",
  url: "https://docs.aws.amazon.com/general/latest/gr/eks.html",
  read: "a copy of the page, of no known date",
};
const ecr: Source = {
  title: "Amazon ECR service quotas",
  url: "https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html",
  read: "a copy of the page, of no known date",
};
const kubernetes: Source = {
  title: "Kubernetes Scalability thresholds",
  url: "https://github.com/kubernetes/community/blob/master/sig-scalability/configs-and-limits/thresholds.md",
};
const goRetries: Source = {
  title: "aws-sdk-go-v2 v1.43.0, aws/retry",
  url: "https://github.com/aws/aws-sdk-go-v2/tree/main/aws/retry",
  read: "its source",
};
const podLifecycle: Source = {
  title: "Pod Lifecycle, Kubernetes documentation",
  url: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",
  read: "a quotation of 23 August 2026",
};

const table = {
  rolesPerAccount: {
    name: "IAM roles",
    value: 1000,
    raisedTo: 5000,
    unit: "",
    scope: "account",
    standing: "documented",
    source: iam,
  },
  oidcProvidersPerAccount: {
    name: "IAM OIDC providers",
    value: 100,
    raisedTo: 700,
    unit: "",
    scope: "account",
    standing: "documented",
    source: iam,
    note: "Older copies of the page say that it cannot be raised.",
  },
  trustPolicyCharacters: {
    name: "Length of a role's trust policy",
    value: 2048,
    raisedTo: 4096,
    unit: "characters",
    scope: "role",
    standing: "documented",
    source: iam,
  },
  managedPoliciesPerRole: {
    name: "Managed policies attached to a role",
    value: 10,
    raisedTo: 25,
    unit: "",
    scope: "role",
    standing: "documented",
    source: iam,
    note: "Older copies of the page say at most 20.",
  },
  inlinePolicyCharacters: {
    name: "Inline policies of a role, together",
    value: 10_240,
    unit: "characters",
    scope: "role",
    standing: "documented",
    source: iam,
  },
  managedPolicyCharacters: {
    name: "Length of a managed policy",
    value: 6144,
    unit: "characters",
    scope: "account",
    standing: "documented",
    source: { ...iam, read: "an older copy of the page" },
  },
  customerManagedPolicies: {
    name: "Customer managed policies",
    value: 1500,
    raisedTo: 5000,
    unit: "",
    scope: "account",
    standing: "documented",
    source: iam,
  },
  clustersPerRegion: {
    name: "EKS clusters",
    value: 100,
    adjustable: true,
    unit: "",
    scope: "region",
    standing: "documented",
    source: eks,
  },
  nodeGroupsPerCluster: {
    name: "Managed node groups",
    value: 30,
    adjustable: true,
    unit: "",
    scope: "cluster",
    standing: "documented",
    source: eks,
  },
  accessEntriesPerCluster: {
    name: "Access entries",
    value: 3000,
    unit: "",
    scope: "cluster",
    standing: "documented",
    source: eks,
  },
  podIdentityAssociations: {
    name: "Pod Identity associations",
    value: 5000,
    unit: "",
    scope: "cluster",
    standing: "documented",
    source: {
      title: "Learn how EKS Pod Identity grants pods access to AWS services",
      url: "https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html",
      read: "a copy of the page, of no known date",
    },
    note: '"View and manage Amazon EKS and Fargate service quotas" says that it is not adjusted.',
  },
  namespacesPerCluster: {
    name: "Namespaces",
    value: 10_000,
    unit: "",
    scope: "cluster",
    standing: "documented",
    source: kubernetes,
    note: "A threshold for the largest cluster, not a wall; lower in proportion for smaller ones.",
  },
  podsPerCluster: {
    name: "Pods",
    value: 150_000,
    unit: "",
    scope: "cluster",
    standing: "documented",
    source: kubernetes,
    note: "As above.",
  },
  stsSigned: {
    name: "STS calls made with AWS credentials",
    value: 600,
    adjustable: true,
    unit: "per second",
    scope: "region",
    standing: "documented",
    source: iam,
    note: "Shared by AssumeRole, GetCallerIdentity and four more. AssumeRoleWithWebIdentity, which IRSA uses, is made without AWS credentials and is not among them.",
  },
  stsWebIdentityLow: {
    name: "AssumeRoleWithWebIdentity, where somebody was throttled",
    value: 5,
    unit: "per second",
    scope: "region",
    standing: "observed",
    source: {
      title: "fluxcd/source-controller#938",
      url: "https://github.com/fluxcd/source-controller/issues/938",
    },
    note: 'The thread says "around 4-5 tps", of one controller. AWS publishes no figure.',
  },
  iamWrites: {
    name: "IAM calls that create or attach",
    value: 5,
    unit: "per second",
    scope: "account",
    standing: "assumed",
    source: {
      title: "How to monitor and query IAM resources at scale – Part 2, AWS Security Blog",
      url: "https://aws.amazon.com/blogs/security/how-to-monitor-and-query-iam-resources-at-scale-part-2/",
    },
    note: 'The blog says that each call has a token bucket, and not how large. "AWS IAM API Rate Limit Handling", a note in a public repository, warns from 5 to 10 on.',
  },
  ecrTokens: {
    name: "ECR GetAuthorizationToken",
    value: 500,
    adjustable: true,
    unit: "per second",
    scope: "region",
    standing: "documented",
    source: ecr,
  },
  ecrPutImage: {
    name: "ECR PutImage",
    value: 10,
    adjustable: true,
    unit: "per second",
    scope: "region",
    standing: "documented",
    source: { ...ecr, read: "a listing of Service Quotas, of no known date" },
  },
  clusterCreation: {
    name: "Creation of an EKS control plane",
    value: 9,
    unit: "min",
    scope: "cluster",
    standing: "documented",
    source: {
      title: "Amazon EKS reduces cluster creation time by 40 percent, What's New, 19 March 2021",
      url: "https://aws.amazon.com/about-aws/whats-new/2021/03/amazon-eks-reduces-cluster-creation-time-40-percent/",
      read: "a quotation in aws-samples/eks-workshop#1101",
    },
    note: '"9 minutes or less, on average". aws/containers-roadmap#1227 has people who waited 10 to 14, and 21 with a node.',
  },
  sessionSeconds: {
    name: "Session of a role, unless asked for longer",
    value: 3600,
    raisedTo: 43_200,
    unit: "s",
    scope: "role",
    standing: "documented",
    source: iam,
    note: "The role's maximum goes from 1 to 12 hours; SDKs ask for the default.",
  },
  refreshWindow: {
    name: "How long before its end an SDK renews a session",
    value: 300,
    unit: "s",
    scope: "process",
    standing: "documented",
    source: {
      title: "@smithy/core, the AWS SDK for JavaScript v3",
      url: "https://github.com/smithy-lang/smithy-typescript",
      read: "its source, EXPIRATION_MS",
    },
    note: "Each SDK has its own.",
  },
  tokenSeconds: {
    name: "Life of the pod's token",
    value: 86_400,
    unit: "s",
    scope: "process",
    standing: "documented",
    source: {
      title: "amazon-eks-pod-identity-webhook, README",
      url: "https://github.com/aws/amazon-eks-pod-identity-webhook",
    },
  },
  tokenRotation: {
    name: "Part of its life after which the kubelet renews the token",
    value: 0.8,
    unit: "",
    scope: "process",
    standing: "documented",
    source: {
      title: "ServiceAccountTokenProjection, Kubernetes API reference",
      url: "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/",
      read: "copies of the type's description",
    },
  },
  sdkAttempts: {
    name: "Attempts of an SDK for one call",
    value: 3,
    unit: "",
    scope: "process",
    standing: "documented",
    source: goRetries,
  },
  sdkLongestBackoff: {
    name: "Longest wait between two attempts",
    value: 20,
    unit: "s",
    scope: "process",
    standing: "documented",
    source: goRetries,
    note: "Before the n-th retry a random part of 2^n s, and at most this.",
  },
  restartFirst: {
    name: "Wait before a container that ended is started again, the first time",
    value: 10,
    unit: "s",
    scope: "process",
    standing: "documented",
    source: podLifecycle,
    note: "Doubles each time.",
  },
  restartLongest: {
    name: "The same, at most",
    value: 300,
    unit: "s",
    scope: "process",
    standing: "documented",
    source: podLifecycle,
  },
} as const satisfies Record<string, Quota>;

export type QuotaKey = keyof typeof table;

export const quotas: Readonly<Record<QuotaKey, Quota>> = table;

/** A value for every quota: what an account has. */
export type Limits = Readonly<Record<QuotaKey, number>>;

const values = (of: (quota: Quota) => number): Limits =>
  Object.fromEntries(Object.entries(quotas).map(([key, quota]) => [key, of(quota)])) as Record<
    QuotaKey,
    number
  >;

/** A new account. */
export const defaults: Limits = values(({ value }) => value);

/** An account whose quotas were all raised as far as AWS says that it raises them. */
export const raised: Limits = values(({ value, raisedTo }) => raisedTo ?? value);

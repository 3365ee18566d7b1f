// Every kind of finding: what it is called, how bad it is, and what it means where no single case is at hand.

export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  severities.indexOf(severity) >= severities.indexOf(least);

export interface Kind {
  readonly severity: Severity;
  /** What is wrong, in a few words. */
  readonly title: string;
  /** What follows from it. */
  readonly danger: string;
}

const kind = (severity: Severity, title: string, danger: string): Kind => ({ severity, title, danger });

/** Stable names, for programs: a name that was released stays. */
export const kinds = {
  // Whom a role admits.
  "trust-anyone": kind(
    "critical",
    "Anybody may assume the role",
    "every AWS account in the world can use it",
  ),
  "trust-no-subject": kind(
    "critical",
    "The trust policy does not check sub",
    "every pod of the cluster may assume the role",
  ),
  "trust-any-subject": kind(
    "critical",
    "The trust policy admits any sub",
    "every pod of the cluster may assume the role",
  ),
  "trust-no-audience": kind(
    "high",
    "The trust policy does not check aud",
    "a token made for another service will do",
  ),
  "trust-any-namespace": kind(
    "high",
    "The subject matches every namespace",
    "whoever may make a namespace and a ServiceAccount in it gets the role",
  ),
  "trust-pattern-others": kind(
    "high",
    "The subject's pattern admits ServiceAccounts that do not ask for the role",
    "their pods may assume it",
  ),
  "trust-pattern-open": kind(
    "low",
    "The subject is a pattern",
    "ServiceAccounts that come later get the role without anybody deciding it",
  ),
  "trust-pattern-literal": kind(
    "medium",
    "A * under an operator that takes it literally",
    "the condition admits nobody",
  ),
  "trust-foreign-account": kind(
    "high",
    "Another account may assume the role, with no external id",
    "whoever is an administrator there can use it",
  ),
  "trust-whole-account": kind(
    "low",
    "The whole account may assume the role",
    "every principal of the account with sts:AssumeRole on it can use what is meant for a pod",
  ),
  "trust-other-service": kind(
    "low",
    "A service beside EKS may assume the role",
    "what runs there can use what is meant for a pod",
  ),
  "trust-deleted-principal": kind(
    "low",
    "The trust policy names a principal that was deleted",
    "nobody uses it, and it hides who may",
  ),
  "trust-issuer-gone": kind(
    "medium",
    "The role trusts an OIDC provider that does not exist",
    "nobody can assume it so; a provider of that name made later would be trusted at once",
  ),
  // Why a ServiceAccount does not get its role.
  "trust-no-statement": kind(
    "medium",
    "The role's trust policy has no Allow",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-action": kind(
    "medium",
    "The trust policy allows another action",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-principal": kind(
    "medium",
    "The trust policy names another principal",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-key-scheme": kind(
    "medium",
    "The condition key has the URL's scheme",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-key-slash": kind(
    "medium",
    "The condition key has a slash after the issuer",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-key-arn": kind(
    "medium",
    "The condition key holds the provider's ARN",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-key-issuer": kind(
    "medium",
    "The condition key is of another issuer",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-operator": kind(
    "medium",
    "The operator does not match what it should",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-subject": kind(
    "medium",
    "The role admits another ServiceAccount",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-audience": kind(
    "medium",
    "The role wants another audience",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-condition": kind(
    "medium",
    "A condition does not fit the session",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "trust-tag-session": kind(
    "medium",
    "The trust policy does not allow the session to be tagged",
    "EKS Pod Identity cannot assume the role",
  ),
  "trust-deny": kind(
    "medium",
    "A Deny of the trust policy refuses it",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "annotation-malformed": kind(
    "medium",
    "The annotation is no role's ARN",
    "the ServiceAccount's pods get no credentials",
  ),
  "annotation-misspelt": kind(
    "medium",
    "The annotation's key is nearly right",
    "nobody reads it, so pods get no role, and may take the node's",
  ),
  "annotation-on-pod": kind(
    "medium",
    "The role's annotation stands on pods",
    "nobody reads it there, so they get no role, and may take the node's",
  ),
  "role-missing": kind(
    "medium",
    "The role is not there",
    "pods get AccessDenied; whoever makes a role of that name decides what they may do",
  ),
  "role-path": kind(
    "medium",
    "The ARN leaves out or changes the role's path",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "role-partition": kind(
    "medium",
    "The ARN is of another partition",
    "the ServiceAccount's pods get AccessDenied",
  ),
  "provider-missing": kind(
    "medium",
    "The cluster's issuer has no OIDC provider",
    "no pod of the cluster gets a role by IRSA",
  ),
  "provider-audience": kind(
    "medium",
    "The OIDC provider does not list the audience",
    "pods whose tokens are for it get no credentials",
  ),
  // What nothing uses, or several things do.
  "provider-unused": kind(
    "low",
    "No role trusts the cluster's OIDC provider",
    "what is not used is not watched",
  ),
  "provider-cluster-gone": kind(
    "medium",
    "An OIDC provider is of a cluster that is not there",
    "roles go on trusting an issuer that nobody here runs",
  ),
  "role-unused": kind(
    "medium",
    "Nothing uses the role",
    "whoever makes a ServiceAccount of that name gets its permissions",
  ),
  "role-not-asked-for": kind(
    "low",
    "The role admits a ServiceAccount that does not ask for it",
    "its pods may assume the role all the same",
  ),
  "trust-subject-gone": kind(
    "low",
    "The role admits a ServiceAccount that is not there",
    "whoever makes one of that name gets the role",
  ),
  "role-stale": kind(
    "low",
    "The role has not been used for long",
    "permissions that nobody needs are only of use to a thief",
  ),
  "role-shared": kind(
    "medium",
    "Several ServiceAccounts share a role with sensitive actions",
    "each has what any of them needs, and AWS's log does not tell them apart",
  ),
  "role-powerless": kind(
    "low",
    "The role may do nothing",
    "its pods get AccessDenied for whatever they call",
  ),
  "association-unused": kind(
    "medium",
    "An association is for a ServiceAccount that is not there",
    "whoever makes one of that name gets the role",
  ),
  "association-target-missing": kind(
    "medium",
    "The association's target role is not there",
    "its pods get no credentials",
  ),
  "association-target-trust": kind(
    "medium",
    "The association's target role does not trust the first",
    "its pods get no credentials",
  ),
  "association-beside-annotation": kind(
    "medium",
    "The ServiceAccount has an annotation and an association",
    "pods get the association's role; the annotation misleads, and comes back when the association goes",
  ),
  "agent-missing": kind(
    "medium",
    "Associations, and no EKS Pod Identity agent",
    "their pods get no credentials",
  ),
  "default-service-account": kind(
    "medium",
    "The namespace's default ServiceAccount has a role",
    "every pod that names no ServiceAccount gets it",
  ),
  "service-account-unused": kind(
    "low",
    "Nothing runs under the ServiceAccount",
    "its role waits for whoever may make a pod there",
  ),
  // What runs.
  "pod-older": kind(
    "medium",
    "The pod is older than its ServiceAccount's role",
    "it runs without the role, or with another, until it is made anew",
  ),
  "pod-other-role": kind(
    "medium",
    "The pod has another role than its ServiceAccount names now",
    "it goes on with permissions that were meant to end",
  ),
  "pod-not-injected": kind(
    "medium",
    "The pod was given no token",
    "it runs without the role, and may take the node's",
  ),
  // The node's role, and what lies on the node.
  "node-hop-limit": kind(
    "high",
    "Pods reach the node's metadata service",
    "every pod on it can take the node's role",
  ),
  "node-imdsv1": kind(
    "high",
    "The metadata service answers without a session token",
    "a server-side request that is forged is enough to take the node's role",
  ),
  "host-network": kind(
    "high",
    "The pod is in the node's network",
    "it can take the node's role, whatever the hop limit",
  ),
  "host-pid": kind(
    "high",
    "The pod sees the node's processes",
    "it can read their environments, and tokens under /proc",
  ),
  "host-path": kind(
    "high",
    "The pod mounts what the kubelet keeps for other pods",
    "it can read the tokens of every pod on the node",
  ),
  privileged: kind(
    "high",
    "A container is privileged",
    "it can become root on the node, and with it every role there",
  ),
  // Keys.
  "key-in-secret": kind("high", "Long-lived AWS keys in a Secret", "whoever reads it has them for good"),
  "key-in-config-map": kind(
    "critical",
    "Long-lived AWS keys in a ConfigMap",
    "hardly anything keeps people from reading it",
  ),
  "key-in-environment": kind(
    "high",
    "Long-lived AWS keys in a pod's environment or arguments",
    "whoever may look at pods has them, and SDKs take them before the role",
  ),
  // What a role may do.
  "full-access": kind(
    "critical",
    "The role may do everything",
    "whoever is in the pod is the account's administrator",
  ),
  "all-but-actions": kind(
    "high",
    "The role may do all but some actions",
    "each new action of AWS's is allowed from its first day",
  ),
  "whole-service": kind(
    "medium",
    "The role may do all that a service knows, on everything",
    "far more than a workload needs",
  ),
  "escalation-grant": kind(
    "critical",
    "The role may give itself permissions",
    "whoever is in the pod becomes an administrator",
  ),
  "escalation-pass-role": kind(
    "high",
    "The role may pass any role to a service that runs code",
    "whoever is in the pod gets whatever role trusts that service",
  ),
  "escalation-assume-role": kind(
    "high",
    "The role may assume any role",
    "it gets every role that trusts the account",
  ),
  "escalation-code": kind(
    "high",
    "The role may run code where other roles are",
    "whoever is in the pod gets their credentials",
  ),
  "escalation-cluster": kind(
    "high",
    "The role may open clusters to itself",
    "whoever is in the pod becomes administrator of a cluster",
  ),
  "reads-all-secrets": kind(
    "medium",
    "The role may read every secret",
    "one workload's hole opens the secrets of all",
  ),
} as const satisfies Readonly<Record<string, Kind>>;

export type KindId = keyof typeof kinds;

/** What follows from a finding of a kind, as a sentence. */
export const consequenceOf = (id: KindId): string => {
  const { danger } = kinds[id];
  return `${danger.charAt(0).toUpperCase()}${danger.slice(1)}.`;
};

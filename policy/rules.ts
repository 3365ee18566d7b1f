import { isWideManagedPolicy } from "../iam/policies.ts";
import { allActions, type Condition, conditions, statementsOf, texts } from "../iam/policy-reader.ts";
import { admissions, admitsPodIdentity, onClaim, restricts, tokenTrusts } from "../iam/trust-reader.ts";

// The guard rails as plain functions of a resource's type and inputs: the policy pack runs them in the engine, and the
// tests without one.

/** A resource as the engine is about to make it. */
export interface Resource {
  /** Such as `aws:iam/role:Role`. */
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
}

export interface Settings {
  /** Whether every role must have a permissions boundary. Default false. */
  readonly requireBoundary?: boolean;
  /** Subjects with wildcards that are meant: `system:serviceaccount:team-*:reader`. Default none. */
  readonly allowedSubjects?: readonly string[];
}

export interface Rule {
  readonly name: string;
  readonly description: string;
  /** The settings that it looks at. Default none. */
  readonly settings?: readonly (keyof Settings)[];
  /** One sentence for each thing that is wrong with a resource. */
  readonly check: (resource: Resource, settings: Settings) => string[];
}

/** The trust policy that a resource gives to a role; of any other resource, none. */
const trustPolicyOf = ({ type, props }: Resource): unknown =>
  type === "aws:iam/role:Role" ? props.assumeRolePolicy : undefined;

/** Subjects with wildcards that a role admits, in the words of a token. */
function wildcardSubjects(resource: Resource): string[] {
  const byToken = tokenTrusts(trustPolicyOf(resource))
    .flatMap((trust) => onClaim(trust, "sub"))
    .filter(({ operator }) => operator.startsWith("stringlike"))
    .flatMap(({ values }) => values);
  const byPodIdentity = admissions(trustPolicyOf(resource))
    .filter(admitsPodIdentity)
    .flatMap((statement) => {
      const tags = (name: string) =>
        conditions(statement).filter(({ key }) => key === `aws:requesttag/kubernetes-${name}`);
      const [namespaces, accounts] = [tags("namespace"), tags("service-account")];
      if (![...namespaces, ...accounts].some(({ operator }) => operator.startsWith("stringlike"))) return [];
      const values = (some: Condition[]) => (some.length === 0 ? ["*"] : some.flatMap((one) => one.values));
      return values(namespaces).flatMap((namespace) =>
        values(accounts).map((account) => `system:serviceaccount:${namespace}:${account}`),
      );
    });
  return [...byToken, ...byPodIdentity].filter((subject) => /[*?]/.test(subject));
}

/** The managed policies that a resource gives to somebody, by ARN. */
function managedPolicies({ type, props }: Resource): string[] {
  switch (type) {
    case "aws:iam/rolePolicyAttachment:RolePolicyAttachment":
    case "aws:iam/policyAttachment:PolicyAttachment":
      return texts(props.policyArn);
    case "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive":
      return texts(props.policyArns);
    case "aws:iam/role:Role":
      return texts(props.managedPolicyArns);
    default:
      return [];
  }
}

/** The documents that say what a role may do. */
function policyDocuments({ type, props }: Resource): unknown[] {
  switch (type) {
    case "aws:iam/rolePolicy:RolePolicy":
    case "aws:iam/policy:Policy":
      return [props.policy];
    case "aws:iam/role:Role":
      return ((props.inlinePolicies ?? []) as { policy?: unknown }[]).map(({ policy }) => policy);
    default:
      return [];
  }
}

const podSpecPath: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  PodTemplate: ["template", "spec"],
  Deployment: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  ReplicationController: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};

interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
}

interface Container {
  name: string;
  image?: string;
  securityContext?: SecurityContext;
}

interface PodSpec {
  securityContext?: SecurityContext;
  initContainers?: Container[];
  containers?: Container[];
}

function podSpecOf({ type, props }: Resource): PodSpec | undefined {
  const path = type.startsWith("kubernetes:") ? podSpecPath[type.split(":")[2] ?? ""] : undefined;
  return path?.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
    props,
  ) as PodSpec | undefined;
}

function containersOf(resource: Resource): Container[] {
  const pod = podSpecOf(resource);
  return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
}

/** An image in a private registry of ECR, whose owner can push another under its tag. */
const ecrImage = /^\d{12}\.dkr[.-]ecr(-fips)?\./;

export const rules: readonly Rule[] = [
  {
    name: "trust-policy-claims",
    description: "A role that web identities assume checks both whom the token is of and whom it is for.",
    check: (resource) =>
      tokenTrusts(trustPolicyOf(resource)).flatMap((trust) =>
        (
          [
            ["sub", "every pod of the cluster may assume the role"],
            ["aud", "a token made for another service will do"],
          ] as const
        ).flatMap(([claim, danger]) => {
          if (onClaim(trust, claim).some(restricts)) return [];
          const other = trust.conditions.find(({ key }) => key.endsWith(`:${claim}`));
          return other !== undefined && onClaim(trust, claim).length === 0
            ? [
                `The trust policy asks for ${other.key}, which no token has, so nobody can assume the role; ask for ${trust.issuers[0]}:${claim}.`,
              ]
            : [`The trust policy does not check ${claim}: ${danger}.`];
        }),
      ),
  },
  {
    name: "no-wildcard-subject",
    description: "A role is for named ServiceAccounts, or for patterns that somebody has allowed.",
    settings: ["allowedSubjects"],
    check: (resource, { allowedSubjects = [] }) =>
      wildcardSubjects(resource)
        .filter((subject) => !allowedSubjects.includes(subject))
        .map(
          (subject) => `The trust policy admits ${subject}; name the ServiceAccounts, or allow this subject.`,
        ),
  },
  {
    name: "no-full-access",
    description: "A role may do what its workload does, and not all there is.",
    check: (resource) => [
      ...managedPolicies(resource)
        .filter((arn) => isWideManagedPolicy(arn.replace(/^.*\//, "")))
        .map((arn) => `${arn} allows far more than a workload needs.`),
      ...policyDocuments(resource)
        .flatMap(statementsOf)
        .flatMap(allActions)
        .map((actions) => `The policy allows ${actions}; name the actions.`),
    ],
  },
  {
    name: "permissions-boundary",
    description: "Where the stack asks for it, no role is without a permissions boundary.",
    settings: ["requireBoundary"],
    check: ({ type, props }, { requireBoundary }) =>
      requireBoundary && type === "aws:iam/role:Role" && !props.permissionsBoundary
        ? ["The role has no permissions boundary; set role.permissionsBoundary."]
        : [],
  },
  {
    name: "images-by-digest",
    description: "What a container runs cannot come to mean another image of the account.",
    check: (resource) =>
      containersOf(resource)
        .filter(({ image }) => image !== undefined && ecrImage.test(image) && !image.includes("@sha256:"))
        .map(
          ({ name, image }) =>
            `The container ${name} runs ${image} by a tag, which can be moved; name it by its digest, <repository>@sha256:<digest>.`,
        ),
  },
  {
    name: "no-root",
    description: "No container runs as root.",
    check(resource) {
      const pod = podSpecOf(resource);
      return containersOf(resource)
        .filter(({ securityContext }) => {
          // A container's own setting wins over its pod's. Source: SecurityContext, Kubernetes API reference.
          const { runAsNonRoot, runAsUser } = { ...pod?.securityContext, ...securityContext };
          return runAsUser === 0 || (runAsNonRoot !== true && runAsUser === undefined);
        })
        .map(({ name }) => `The container ${name} may run as root; set runAsNonRoot.`);
    },
  },
];

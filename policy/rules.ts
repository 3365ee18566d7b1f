import { actionsThatAllowAll, isWideManagedPolicy } from "../components/policies";

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
  /** One sentence for each thing that is wrong with a resource. */
  readonly check: (resource: Resource, settings: Settings) => string[];
}

interface Statement {
  Effect?: string;
  Action?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

const texts = (value: string | readonly string[] | undefined): string[] =>
  value === undefined ? [] : ([value].flat() as string[]);

/** The statements of a policy document, whether it is text or an object; none where it is not known yet. */
function statementsOf(document: unknown): Statement[] {
  let parsed: unknown = document;
  if (typeof document === "string") {
    try {
      parsed = JSON.parse(document);
    } catch {
      return [];
    }
  }
  const statements = (parsed as { Statement?: Statement | Statement[] } | undefined)?.Statement;
  return statements === undefined ? [] : [statements].flat();
}

/** Statements by which somebody with a web identity token may assume the role. */
const webIdentity = ({ type, props }: Resource): Statement[] =>
  type !== "aws:iam/role:Role"
    ? []
    : statementsOf(props.assumeRolePolicy).filter(
        ({ Effect, Action }) =>
          Effect === "Allow" &&
          texts(Action).some((action) =>
            ["sts:assumerolewithwebidentity", "sts:*", "*"].includes(action.toLowerCase()),
          ),
      );

/** What a statement asks of a claim: operator and values. IAM does not care about the case of operators and keys. */
const conditionsOn = ({ Condition = {} }: Statement, claim: string) =>
  Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys)
      .filter(([key]) => key.toLowerCase().endsWith(`:${claim}`))
      .map(([, values]) => ({ operator: operator.toLowerCase(), values: texts(values) })),
  );

const podSpecPath: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  Deployment: ["spec", "template", "spec"],
  StatefulSet: ["spec", "template", "spec"],
  DaemonSet: ["spec", "template", "spec"],
  ReplicaSet: ["spec", "template", "spec"],
  Job: ["spec", "template", "spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};

interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
}

interface PodSpec {
  securityContext?: SecurityContext;
  initContainers?: { name: string; securityContext?: SecurityContext }[];
  containers?: { name: string; securityContext?: SecurityContext }[];
}

function podSpecOf({ type, props }: Resource): PodSpec | undefined {
  const path = type.startsWith("kubernetes:") ? podSpecPath[type.split(":")[2] ?? ""] : undefined;
  return path?.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
    props,
  ) as PodSpec | undefined;
}

export const rules: readonly Rule[] = [
  {
    name: "trust-policy-claims",
    description: "A role that web identities assume checks both whom the token is of and whom it is for.",
    check: (resource) =>
      webIdentity(resource).flatMap((statement) =>
        (
          [
            ["sub", "every pod of the cluster may assume the role"],
            ["aud", "a token made for another service will do"],
          ] as const
        )
          .filter(([claim]) => {
            const positive = conditionsOn(statement, claim).filter(
              ({ operator }) => operator === "stringequals" || operator === "stringlike",
            );
            return positive.length === 0;
          })
          .map(([claim, why]) => `The trust policy does not check ${claim}: ${why}.`),
      ),
  },
  {
    name: "no-wildcard-subject",
    description: "A role is for named ServiceAccounts, or for patterns that somebody has allowed.",
    check: (resource, { allowedSubjects = [] }) =>
      webIdentity(resource)
        .flatMap((statement) => conditionsOn(statement, "sub"))
        .filter(({ operator }) => operator.startsWith("stringlike"))
        .flatMap(({ values }) => values)
        .filter((value) => /[*?]/.test(value) && !allowedSubjects.includes(value))
        .map((value) => `The trust policy admits ${value}; name the ServiceAccounts, or allow this subject.`),
  },
  {
    name: "no-full-access",
    description: "A role may do what its workload does, and not all there is.",
    check({ type, props }) {
      const arns =
        type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
          ? texts(props.policyArn as string | undefined)
          : type === "aws:iam/role:Role"
            ? texts(props.managedPolicyArns as string[] | undefined)
            : [];
      const wide = arns.filter((arn) => isWideManagedPolicy(String(arn).replace(/^.*\//, "")));
      const documents = ["aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"].includes(type)
        ? statementsOf(props.policy)
        : [];
      return [
        ...wide.map((arn) => `${arn} allows far more than a workload needs.`),
        ...documents.flatMap((statement) =>
          actionsThatAllowAll(statement).map((action) => `The policy allows ${action}; name the actions.`),
        ),
      ];
    },
  },
  {
    name: "permissions-boundary",
    description: "Where the stack asks for it, no role is without a permissions boundary.",
    check: ({ type, props }, { requireBoundary }) =>
      requireBoundary && type === "aws:iam/role:Role" && !props.permissionsBoundary
        ? ["The role has no permissions boundary; set role.permissionsBoundary."]
        : [],
  },
  {
    name: "immutable-image-tags",
    description: "A tag that a pod runs cannot come to mean another image.",
    check: ({ type, props }) =>
      type === "aws:ecr/repository:Repository" && props.imageTagMutability !== "IMMUTABLE"
        ? ['Tags of the repository can be moved; set imageTagMutability to "IMMUTABLE".']
        : [],
  },
  {
    name: "no-root",
    description: "No container runs as root.",
    check(resource) {
      const pod = podSpecOf(resource);
      return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]
        .filter(({ securityContext }) => {
          // A container's own setting wins over its pod's. Source: SecurityContext, Kubernetes API reference.
          const { runAsNonRoot, runAsUser } = { ...pod?.securityContext, ...securityContext };
          return runAsUser === 0 || (runAsNonRoot !== true && runAsUser === undefined);
        })
        .map(({ name }) => `The container ${name} may run as root; set runAsNonRoot.`);
    },
  },
];

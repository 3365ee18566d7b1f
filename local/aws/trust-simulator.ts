import { randomUUID } from "node:crypto";
import { runSimulation } from "@cloud-copilot/iam-simulate";

/** What STS knows of a caller with a verified token when it reads the role's trust policy. */
export interface TrustRequest {
  /** As JSON. */
  trustPolicy: string;
  roleArn: string;
  roleSessionName: string;
  accountId: string;
  /** ARN of the OIDC provider: the federated principal. */
  providerArn: string;
  /** The issuer without `https://`: the prefix of its condition keys. */
  issuer: string;
  /** The verified claims that are condition keys: `<issuer>:sub` and `<issuer>:aud`. */
  claims: { sub: string; aud: string };
}

/**
 * The simulator takes only condition keys of its own list, in which an EKS issuer's are not, and evaluates the others
 * as absent (so that `StringEqualsIfExists` would hold for any subject). The issuer's keys are therefore given to it
 * as request tags under a name that no policy can know; a web identity session of Kubernetes has no tags of its own.
 */
const alias = `aws:RequestTag/${randomUUID()}`;

/**
 * Whether a role's trust policy allows `sts:AssumeRoleWithWebIdentity` to the token's bearer. A policy that cannot
 * be read allows nothing.
 */
export async function trustAllows(request: TrustRequest): Promise<boolean> {
  const { claims, issuer, roleArn, accountId } = request;
  let trustPolicy: unknown;
  try {
    trustPolicy = withAliases(JSON.parse(request.trustPolicy), issuer);
  } catch {
    return false;
  }
  return allows(trustPolicy, {
    principal: request.providerArn,
    action: "sts:AssumeRoleWithWebIdentity",
    role: { arn: roleArn, accountId },
    keys: {
      [`${alias}/sub`]: claims.sub,
      [`${alias}/aud`]: claims.aud,
      "sts:RoleSessionName": request.roleSessionName,
    },
  });
}

/** What STS knows when EKS Auth assumes a role for a pod. */
export interface PodTrustRequest {
  /** As JSON. */
  trustPolicy: string;
  roleArn: string;
  roleSessionName: string;
  accountId: string;
  /** The cluster that EKS Auth acts for. */
  clusterArn: string;
  /** Session tags; all of them are transitive. None where the association turns them off. */
  tags: Readonly<Record<string, string>>;
}

/** The service principal as which EKS Auth assumes roles. */
export const podIdentityService = "pods.eks.amazonaws.com";

/** Whether a role's trust policy lets EKS Auth assume it for a pod, with these session tags. */
export async function podTrustAllows(request: PodTrustRequest): Promise<boolean> {
  const { tags, clusterArn, accountId, roleArn } = request;
  let trustPolicy: unknown;
  try {
    trustPolicy = JSON.parse(request.trustPolicy);
  } catch {
    return false;
  }
  const names = Object.keys(tags);
  const keys = {
    "sts:RoleSessionName": request.roleSessionName,
    "aws:SourceAccount": accountId,
    "aws:SourceArn": clusterArn,
    ...Object.fromEntries(names.map((name) => [`aws:RequestTag/${name}`, tags[name] ?? ""])),
    ...(names.length > 0 ? { "aws:TagKeys": names, "sts:TransitiveTagKeys": names } : {}),
  };
  const actions = names.length > 0 ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"];
  for (const action of actions) {
    const role = { arn: roleArn, accountId };
    if (!(await allows(trustPolicy, { principal: podIdentityService, action, role, keys }))) return false;
  }
  return true;
}

/**
 * Whether a role's trust policy names EKS Auth with its actions, whatever its conditions: what EKS asks of a role before it
 * makes an association. Whether it asks for sts:TagSession also where sessions get no tags is not known; here it does, as the
 * one trust policy that AWS documents has it.
 */
export async function namesPodIdentity({
  arn,
  trustPolicy,
}: {
  arn: string;
  trustPolicy: string;
}): Promise<boolean> {
  let policy: { Statement?: unknown };
  try {
    policy = JSON.parse(trustPolicy) as typeof policy;
  } catch {
    return false;
  }
  const statements = [policy.Statement].flat().filter(isObject);
  const allowing = statements.filter(({ Effect }) => Effect === "Allow");
  return podTrustAllows({
    trustPolicy: JSON.stringify({ ...policy, Statement: allowing.map(({ Condition: _, ...rest }) => rest) }),
    roleArn: arn,
    roleSessionName: "eks",
    accountId: arn.split(":")[4] ?? "",
    clusterArn: "",
    tags: { "eks-cluster-name": "" },
  });
}

async function allows(
  trustPolicy: unknown,
  request: {
    principal: string;
    action: string;
    role: { arn: string; accountId: string };
    keys: Record<string, string | string[]>;
  },
): Promise<boolean> {
  const { principal, action, role, keys } = request;
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource: role.arn, accountId: role.accountId },
        contextVariables: keys,
      },
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: trustPolicy,
    },
    {},
  ).catch(() => undefined);
  return result !== undefined && result.resultType !== "error" && result.overallResult === "Allowed";
}

/** The policy with the issuer's condition keys replaced; IAM does not care about the case of condition keys. */
function withAliases(policy: unknown, issuer: string): unknown {
  const prefix = `${issuer}:`.toLowerCase();
  const key = (name: string) =>
    name.toLowerCase().startsWith(prefix) ? `${alias}/${name.slice(prefix.length).toLowerCase()}` : name;
  const mapObject = (value: unknown, map: (name: string, value: unknown) => [string, unknown]): unknown =>
    isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => map(name, inner)))
      : value;
  const statement = (value: unknown) =>
    mapObject(value, (name, inner) =>
      name === "Condition"
        ? [name, mapObject(inner, (operator, keys) => [operator, mapObject(keys, (k, v) => [key(k), v])])]
        : [name, inner],
    );
  return mapObject(policy, (name, value) =>
    name === "Statement"
      ? [name, Array.isArray(value) ? value.map(statement) : statement(value)]
      : [name, value],
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

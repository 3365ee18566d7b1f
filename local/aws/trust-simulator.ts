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
  const result = await runSimulation(
    {
      request: {
        principal: request.providerArn,
        action: "sts:AssumeRoleWithWebIdentity",
        resource: { resource: roleArn, accountId },
        contextVariables: {
          [`${alias}/sub`]: claims.sub,
          [`${alias}/aud`]: claims.aud,
          "sts:RoleSessionName": request.roleSessionName,
        },
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

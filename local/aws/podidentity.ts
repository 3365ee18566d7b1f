import { randomUUID } from "node:crypto";
import type { JSONWebKeySet } from "jose";
import { type Claims, readToken, type Token, TokenError, verifySignature } from "./jwt.ts";
import { AwsError } from "./reply.ts";
import { podIdentityService, podTrustAllows } from "./trust-simulator.ts";
import type { TrustedRole } from "./webidentity.ts";

/** A Pod Identity association, as far as its effect goes. */
export interface PodIdentityAssociation {
  id: string;
  arn: string;
  roleArn: string;
  /** A second role, which the first assumes. */
  targetRoleArn?: string;
  /** Whether the session gets no tags. */
  disableSessionTags: boolean;
  /** Session policy, as JSON. */
  policy?: string;
}

/** What EKS Auth looks up while it decides on a pod's token. */
export interface PodIdentityEnvironment {
  /** Twelve digits. */
  accountId: string;
  region: string;
  /** `https://…` of the cluster's OIDC issuer; undefined when there is no cluster of that name. */
  issuer(cluster: string): Promise<string | undefined>;
  /** The issuer's public keys now; see `jwks.ts`. */
  keys(issuer: string, keyId: string): Promise<JSONWebKeySet>;
  /** Whether Kubernetes takes the token still: what it is bound to may be gone. */
  isCurrent(token: string): Promise<boolean>;
  /** The association of a ServiceAccount, once it has taken effect. */
  association(
    cluster: string,
    namespace: string,
    serviceAccount: string,
  ): Promise<PodIdentityAssociation | undefined>;
  role(name: string): Promise<TrustedRole | undefined>;
  /** Default: the machine's clock. */
  now?(): Date;
}

/** The pod that a token speaks for. */
interface Pod {
  namespace: string;
  serviceAccount: string;
  name: string;
  uid: string;
}

/** A role to be assumed, and how. */
export interface Assumption {
  roleArn: string;
  roleSessionName: string;
  durationSeconds: number;
  /** All transitive. */
  tags: Readonly<Record<string, string>>;
  /** Session policy, as JSON. */
  policy?: string;
  externalId?: string;
}

/** A call of AssumeRoleForPodIdentity that EKS Auth may answer with credentials: those of the last of the hops. */
export interface PodIdentity {
  pod: Pod;
  association: PodIdentityAssociation;
  hops: readonly [Assumption] | readonly [Assumption, Assumption];
}

const hour = 3600;

/** How long a pod's credentials live. Source: "Access AWS Resources using EKS Pod Identity Target IAM Roles", EKS User Guide. */
const sessionSeconds = { direct: 6 * hour, chained: hour };

const invalidToken = (message: string) => new AwsError("InvalidTokenException", message);
const expired = (message: string) => new AwsError("ExpiredTokenException", message);

/** Of a token that proves nothing. AWS's own words are not published: the codes are, and SDKs and the agent go by them. */
const faults: Readonly<Record<TokenError["fault"], string>> = {
  unreadable: "The token is not the JWT of a Kubernetes ServiceAccount.",
  "key not found": "The token is signed by no key of the cluster's OIDC issuer.",
  "bad signature": "The token's signature does not verify.",
};

/**
 * Decides on a call of AssumeRoleForPodIdentity as EKS Auth does: cluster, token, issuer, signature, times, audience, the
 * pod that it is bound to, association, the role with its trust policy.
 *
 * @throws AwsError with EKS Auth's code for the first thing that is wrong.
 */
export async function verifyPodIdentity(
  cluster: string,
  token: string,
  environment: PodIdentityEnvironment,
): Promise<PodIdentity> {
  const { accountId, region } = environment;
  const issuer = await environment.issuer(cluster);
  if (issuer === undefined)
    throw new AwsError("ResourceNotFoundException", `No cluster found for name: ${cluster}.`, 404);

  const { claims } = await verified(token, issuer, environment);
  checkTimes(claims, environment.now?.() ?? new Date());
  if (!claims.aud.includes(podIdentityService))
    throw invalidToken(`The token is for ${claims.aud.join(", ")}, not for ${podIdentityService}.`);
  const pod = podOf(claims);
  if (!(await environment.isCurrent(token)))
    throw invalidToken("Kubernetes takes the token no more: its pod or its ServiceAccount is gone.");

  const { namespace, serviceAccount } = pod;
  const association = await environment.association(cluster, namespace, serviceAccount);
  if (association === undefined) {
    throw new AwsError(
      "ResourceNotFoundException",
      `No Pod Identity association found for the ServiceAccount ${namespace}/${serviceAccount} in the cluster ${cluster}.`,
      404,
    );
  }

  const clusterArn = `arn:aws:eks:${region}:${accountId}:cluster/${cluster}`;
  const hops = hopsOf(association, pod, { name: cluster, arn: clusterArn, region, accountId });
  const { roleArn, roleSessionName, tags } = hops[0];
  const role = await environment.role(roleArn.slice(roleArn.lastIndexOf("/") + 1));
  const trusted =
    role?.arn === roleArn &&
    (await podTrustAllows({
      trustPolicy: role.trustPolicy,
      roleArn,
      roleSessionName,
      accountId,
      clusterArn,
      tags,
    }));
  if (!trusted) throw notAssumable();
  return { pod, association, hops };
}

/** EKS Auth's words where STS refuses it a role, whatever the reason; with it names neither. */
export const notAssumable = () =>
  new AwsError(
    "AccessDeniedException",
    "Unauthorized Exception! EKS does not have permissions to assume the associated role.",
  );

/** @throws AwsError unless the token is the cluster's own. */
async function verified(token: string, issuer: string, environment: PodIdentityEnvironment): Promise<Token> {
  try {
    const read = readToken(token);
    if (read.claims.iss !== issuer)
      throw invalidToken(`The token's issuer is ${read.claims.iss}, which is not the cluster's.`);
    await verifySignature(token, read.header, (keyId) => environment.keys(issuer, keyId));
    return read;
  } catch (error) {
    throw error instanceof TokenError ? invalidToken(faults[error.fault]) : error;
  }
}

function checkTimes({ exp, nbf }: Claims, at: Date): void {
  const now = Math.floor(at.getTime() / 1000);
  if (now >= exp) throw expired(`The token has expired: it is ${now}, and was good before ${exp}.`);
  if (nbf !== undefined && now < nbf)
    throw invalidToken(`The token is not valid yet: it is ${now}, and the token begins at ${nbf}.`);
}

/** @throws AwsError for a token that is no ServiceAccount's, or is bound to no pod. */
function podOf({ sub, "kubernetes.io": bound }: Claims): Pod {
  const { namespace, pod, serviceaccount } = (bound ?? {}) as {
    namespace?: unknown;
    pod?: { name?: unknown; uid?: unknown };
    serviceaccount?: { name?: unknown };
  };
  const named = [namespace, serviceaccount?.name, pod?.name, pod?.uid];
  if (!named.every((text): text is string => typeof text === "string" && text !== ""))
    throw invalidToken("The token is bound to no pod.");
  const [inNamespace = "", serviceAccount = "", name = "", uid = ""] = named;
  if (sub !== `system:serviceaccount:${inNamespace}:${serviceAccount}`)
    throw invalidToken("The token's subject is not the ServiceAccount that it is bound to.");
  return { namespace: inNamespace, serviceAccount, name, uid };
}

/**
 * The roles that are assumed one after the other. A session policy bounds the last of them. Session tags are transitive, so
 * that they come along to a target role; where they are turned off, the target role is told the same by `sts:ExternalId`.
 * Source: "Access AWS Resources using EKS Pod Identity Target IAM Roles" and "Grant Pods access to AWS resources based on
 * tags", EKS User Guide.
 */
function hopsOf(
  association: PodIdentityAssociation,
  pod: Pod,
  cluster: { name: string; arn: string; region: string; accountId: string },
): PodIdentity["hops"] {
  const { roleArn, targetRoleArn, disableSessionTags, policy } = association;
  const tags: Record<string, string> = disableSessionTags
    ? {}
    : {
        "eks-cluster-arn": cluster.arn,
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": pod.namespace,
        "kubernetes-service-account": pod.serviceAccount,
        "kubernetes-pod-name": pod.name,
        "kubernetes-pod-uid": pod.uid,
      };
  // STS takes 64 characters, of which the UUID is 36.
  const roleSessionName = `eks-${cluster.name.slice(0, 10)}-${pod.name.slice(0, 10)}-${randomUUID()}`;
  const hop = { roleSessionName, tags };
  if (targetRoleArn === undefined)
    return [{ ...hop, roleArn, policy, durationSeconds: sessionSeconds.direct }];
  const durationSeconds = sessionSeconds.chained;
  const { region, accountId, name } = cluster;
  const externalId = disableSessionTags
    ? externalIdOf({ region, accountId, cluster: name, ...pod })
    : undefined;
  return [
    { ...hop, roleArn, durationSeconds },
    { ...hop, roleArn: targetRoleArn, durationSeconds, policy, externalId },
  ];
}

/** By what a target role's trust policy may tell an association, as `sts:ExternalId`. */
export const externalIdOf = (of: {
  region: string;
  accountId: string;
  cluster: string;
  namespace: string;
  serviceAccount: string;
}): string => [of.region, of.accountId, of.cluster, of.namespace, of.serviceAccount].join("/");

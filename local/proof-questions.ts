import type { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import type { JWTPayload } from "jose";

// What the proofs of both mechanisms ask with.

/** One thing that must hold, and what was seen. */
export interface Proof {
  name: string;
  /** What AWS would answer. */
  expected: string;
  /** What the live parts answered. */
  got: string;
  ok: boolean;
}

/** The live parts that the proofs ask. */
export interface ProofTarget {
  /** URL of the AWS front door. */
  endpoint: string;
  region: string;
  /** Credentials of the account's administrator. */
  admin: { accessKeyId: string; secretAccessKey: string };
  core: CoreV1Api;
  apps: AppsV1Api;
  /** What the pods did before this moment proves nothing. */
  since: Date;
  /** The cluster's own key for ServiceAccount tokens, PKCS #8 PEM: to forge what only its owner could. */
  signingKey: string;
  clusterName: string;
  roleArn: string;
  oidcProviderArn: string;
  namespace: string;
  serviceAccount: string;
  /** Name of the lister's Deployment. */
  deployment: string;
}

/** A question to the live parts; an error of AWS is its code. */
export async function check(name: string, expected: string, ask: () => Promise<string>): Promise<Proof> {
  const got = await ask().catch((error: Error & { Code?: string; code?: unknown }) => {
    // `Code` is what was on the wire; `name` may be the SDK's own word for it. EKS Auth's are in `code`.
    if (error.name === "EksAuthError") return String(error.code);
    return error.Code ?? (error.name === "Error" ? error.message : error.name);
  });
  return { name, expected, got, ok: got === expected };
}

/** What an answer must have in it: an empty text in its place would be refused too, and prove nothing. */
export function required<T>(value: T | undefined, lack: string): T {
  if (value === undefined) throw new Error(lack);
  return value;
}

/** An object that a token is bound to. */
export interface Bound {
  name: string;
  uid: string;
}

/** A token for a ServiceAccount, signed by the cluster, as the kubelet asks for it; for one of its pods, or for none. */
export async function mint(
  core: CoreV1Api,
  account: { namespace: string; name: string },
  audience: string,
  pod?: Bound,
): Promise<string> {
  const boundObjectRef = pod && { apiVersion: "v1", kind: "Pod", ...pod };
  const request = await core.createNamespacedServiceAccountToken({
    ...account,
    body: { spec: { audiences: [audience], expirationSeconds: 600, boundObjectRef } },
  });
  return required(request.status?.token, "the API server's answer has no token");
}

/** A token without a signature that means anything. */
export function unsigned(claims: JWTPayload, signature = ""): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.${signature}`;
}

export function clientOf(
  target: Pick<ProofTarget, "endpoint" | "region">,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
) {
  return { endpoint: target.endpoint, region: target.region, credentials, maxAttempts: 1 };
}

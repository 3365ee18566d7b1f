import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import { AwsError } from "../../../local/aws/reply.ts";
import type { TrustedRole, WebIdentityEnvironment } from "../../../local/aws/webidentity.ts";

export const accountId = "000000000000";
export const host = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
export const issuer = `https://${host}`;
export const providerArn = `arn:aws:iam::${accountId}:oidc-provider/${host}`;
export const subject = "system:serviceaccount:default:s3-irsa";
export const audience = "sts.amazonaws.com";
export const roleArn = `arn:aws:iam::${accountId}:role/team/s3-lister`;
/** The time of every test, in seconds. */
export const now = 1_800_000_000;

/** A key pair of an issuer. */
export interface Signer {
  privateKey: CryptoKey;
  keys: JSONWebKeySet;
}

export async function signer(alg = "RS256", kid = "k1"): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, keys: { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: "sig" }] } };
}

/** A token as kube-apiserver signs them, with what the test changes. */
export function sign(
  by: Signer,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const standard = { iss: issuer, sub: subject, aud: [audience], iat: now, nbf: now, exp: now + 86_400 };
  return new SignJWT({ ...standard, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "k1", ...header })
    .sign(by.privateKey);
}

/** A token of any header and payload, with any signature. */
export function forge(header: unknown, payload: unknown, signature = ""): string {
  const part = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(payload)}.${signature}`;
}

export function trustPolicy(condition: unknown, statement: Record<string, unknown> = {}): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: providerArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...(condition === undefined ? {} : { Condition: condition }),
        ...statement,
      },
    ],
  });
}

export const irsaTrust = trustPolicy({
  StringEquals: { [`${host}:sub`]: subject, [`${host}:aud`]: audience },
});

/** An account with one OIDC provider and one role. */
export function environment(
  by: Signer,
  changes: Partial<WebIdentityEnvironment> & { trustPolicy?: string } = {},
): WebIdentityEnvironment {
  const role: TrustedRole = {
    arn: roleArn,
    trustPolicy: changes.trustPolicy ?? irsaTrust,
    maxSessionSeconds: 7200,
  };
  return {
    accountId,
    oidcProviders: async () => [{ arn: providerArn, url: issuer, clientIds: [audience] }],
    role: async (name) => (name === "s3-lister" ? role : undefined),
    keys: async () => by.keys,
    now: () => new Date(now * 1000),
    ...changes,
  };
}

export function call(token: string, changes: Record<string, string> = {}): URLSearchParams {
  return new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: roleArn,
    RoleSessionName: "pod",
    WebIdentityToken: token,
    ...changes,
  });
}

/** `Code: message` of the AwsError with which the promise rejects. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    return `not refused: ${JSON.stringify(await promise)}`;
  } catch (error) {
    if (error instanceof AwsError) return `${error.status} ${error.code}: ${error.message}`;
    throw error;
  }
}

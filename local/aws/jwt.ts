import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from "jose";

/** A token of Kubernetes as it reads, before anything of it is trusted. */
export interface Token {
  header: { alg: string; kid?: string };
  claims: Claims;
}

export interface Claims {
  iss: string;
  sub: string;
  aud: readonly string[];
  exp: number;
  nbf?: number;
  /** Those that one service or another looks at. */
  [more: string]: unknown;
}

/** Why a token proves nothing: it is none, its key is not its issuer's, or its signature is not that key's. */
export class TokenError extends Error {
  readonly fault: "unreadable" | "key not found" | "bad signature";

  constructor(fault: TokenError["fault"]) {
    super(fault);
    this.fault = fault;
    this.name = "TokenError";
  }
}

/** Signature algorithms whose verification key is public. Never `none`, never HMAC, whose key the JWKS would give away. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

/** Reads a JWT without trusting it. @throws TokenError when it is none, or lacks a claim. */
export function readToken(token: string): Token {
  const parts = token.split(".");
  // jose would skip white space in the signature.
  if (parts.length !== 3 || !/^[\w-]*$/.test(parts[2] ?? "")) throw new TokenError("unreadable");
  const header = decodeObject(parts[0]);
  const claims = decodeObject(parts[1]);
  const { alg, kid, crit } = header;
  const { iss, sub, exp, nbf } = claims;
  const aud = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
  // An extension marked critical could change what the signature covers (RFC 7797); a token of Kubernetes has none.
  if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string") || crit !== undefined)
    throw new TokenError("unreadable");
  if (!isText(iss) || !isText(sub) || !isTime(exp) || (nbf !== undefined && !isTime(nbf)))
    throw new TokenError("unreadable");
  if (!Array.isArray(aud) || aud.length === 0 || !aud.every(isText)) throw new TokenError("unreadable");
  return { header: { alg, kid }, claims: { ...claims, iss, sub, aud, exp, nbf } };
}

/**
 * Verifies a token's signature by the keys of its issuer. Only the header's `alg` and `kid` are looked at: a key that the
 * token brings itself (jwk, jku, x5c, x5u) proves nothing.
 *
 * @param keysWith the issuer's key set, for a token that names that key.
 * @throws TokenError when it does not verify.
 */
export async function verifySignature(
  token: string,
  { alg, kid }: Token["header"],
  keysWith: (keyId: string) => Promise<JSONWebKeySet>,
): Promise<void> {
  if (!algorithms.includes(alg)) throw new TokenError("bad signature");
  if (!kid) throw new TokenError("key not found");
  const keys = await keysWith(kid);
  try {
    await compactVerify(token, createLocalJWKSet(keys), { algorithms });
  } catch (error) {
    throw error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWSInvalid
      ? new TokenError("bad signature")
      : new TokenError("key not found"); // no key of that id and algorithm, more than one, or one that is unfit
  }
}

function decodeObject(part: string | undefined): Record<string, unknown> {
  if (!part || !/^[\w-]+$/.test(part)) throw new TokenError("unreadable");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(part, "base64url"));
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // falls through
  }
  throw new TokenError("unreadable");
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

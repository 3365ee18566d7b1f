import type { JSONWebKeySet } from "jose";
import { AwsError } from "./reply.ts";

export interface KeysOptions {
  /** Fetches the issuer's JWKS; rejects when it cannot be reached. */
  fetch(issuer: string): Promise<JSONWebKeySet>;
  /** How long fetched keys are used, in seconds. Default 60. */
  maxAgeSeconds?: number;
  /** How soon a key id that is not among them makes it fetch again, in seconds. Default 1. */
  minAgeSeconds?: number;
  now?(): Date;
}

/**
 * The public keys of issuers, kept for a while: fetched when they are too old, or when a token names a key that is
 * not among them, since a new signing key may have come.
 *
 * @throws (rejects with) AwsError `IDPCommunicationError`, which SDKs retry, when they cannot be fetched, and
 * `InvalidIdentityToken` when what comes is no key set.
 */
export function issuerKeys(options: KeysOptions): (issuer: string, keyId: string) => Promise<JSONWebKeySet> {
  const maxAge = (options.maxAgeSeconds ?? 60) * 1000;
  const minAge = (options.minAgeSeconds ?? 1) * 1000;
  const known = new Map<string, { keys: JSONWebKeySet; at: number }>();

  return async (issuer, keyId) => {
    const now = (options.now?.() ?? new Date()).getTime();
    const held = known.get(issuer);
    if (held) {
      const limit = held.keys.keys.some(({ kid }) => kid === keyId) ? maxAge : minAge;
      if (now - held.at < limit) return held.keys;
    }
    const keys = await options.fetch(issuer).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AwsError(
        "IDPCommunicationError",
        `An error occurred communicating with identity provider: ${reason}`,
      );
    });
    if (!Array.isArray(keys?.keys)) {
      throw new AwsError(
        "InvalidIdentityToken",
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
      );
    }
    known.set(issuer, { keys, at: now });
    return keys;
  };
}

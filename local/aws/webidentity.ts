import type { JSONWebKeySet } from "jose";
import { readToken, type Token, TokenError, verifySignature } from "./jwt.ts";
import { AwsError } from "./reply.ts";
import { trustAllows } from "./trust-simulator.ts";

/** An IAM OIDC provider of the account. */
export interface OidcProvider {
  arn: string;
  /** With or without `https://`: IAM takes it with and gives it back without. */
  url: string;
  clientIds: readonly string[];
}

export interface TrustedRole {
  arn: string;
  /** As JSON. */
  trustPolicy: string;
  /** 3600 to 43200. */
  maxSessionSeconds: number;
}

/** What STS looks up while it verifies a token. */
export interface WebIdentityEnvironment {
  /** Twelve digits. */
  accountId: string;
  oidcProviders(): Promise<readonly OidcProvider[]>;
  role(name: string): Promise<TrustedRole | undefined>;
  /** The issuer's public keys now; called again for each token, so caching is up to it (see `jwks.ts`). */
  keys(issuer: string, keyId: string): Promise<JSONWebKeySet>;
  /** Default: the machine's clock. */
  now?(): Date;
}

/** A call of AssumeRoleWithWebIdentity that STS may answer with credentials. */
export interface WebIdentity {
  roleArn: string;
  roleSessionName: string;
  durationSeconds: number;
  /** The token's `iss`. */
  issuer: string;
  /** The token's `sub`. */
  subject: string;
  /** The one of the token's `aud` that the OIDC provider lists. */
  audience: string;
  /** ARN of the OIDC provider. */
  provider: string;
}

/** STS's words for a token that proves nothing. */
const faults: Readonly<Record<TokenError["fault"], string>> = {
  unreadable:
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
  "key not found":
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  "bad signature": "Token signature invalid",
};
const inWords = (error: unknown): never => {
  throw error instanceof TokenError ? new AwsError("InvalidIdentityToken", faults[error.fault]) : error;
};
const denied = () =>
  new AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403);

/**
 * Decides on a call of AssumeRoleWithWebIdentity as STS does, in STS's order: parameters, token, issuer, signature,
 * times, audience, role with its trust policy, duration.
 *
 * @param parameters of the call, from its query string and its form.
 * @throws AwsError with STS's code and wording for the first thing that is wrong.
 */
export async function verifyWebIdentity(
  parameters: URLSearchParams,
  environment: WebIdentityEnvironment,
): Promise<WebIdentity> {
  const call = readParameters(parameters);
  const token = read(call.token);

  const issuer = token.claims.iss;
  const providers = await environment.oidcProviders();
  const provider = providers.find(({ url }) => `https://${withoutScheme(url)}` === issuer);
  if (!provider || accountOf(call.roleArn) !== environment.accountId) {
    throw new AwsError(
      "InvalidIdentityToken",
      `No OpenIDConnect provider found in your account for ${issuer}`,
    );
  }

  await verifySignature(call.token, token.header, (keyId) => environment.keys(issuer, keyId)).catch(inWords);

  const now = Math.floor((environment.now?.() ?? new Date()).getTime() / 1000);
  if (now >= token.claims.exp) {
    throw new AwsError(
      "ExpiredTokenException",
      `Token expired: current date/time ${now} must be before the expiration date/time ${token.claims.exp}`,
    );
  }
  if (token.claims.nbf !== undefined && now < token.claims.nbf) {
    throw new AwsError(
      "ExpiredTokenException",
      `Token not yet valid: current date/time ${now} must not be before ${token.claims.nbf}`,
    );
  }

  const audience = token.claims.aud.find((aud) => provider.clientIds.includes(aud));
  if (audience === undefined) throw new AwsError("InvalidIdentityToken", "Incorrect token audience");

  const role = await environment.role(call.roleArn.slice(call.roleArn.lastIndexOf("/") + 1));
  if (role?.arn !== call.roleArn) throw denied();
  const allowed = await trustAllows({
    trustPolicy: role.trustPolicy,
    roleArn: role.arn,
    roleSessionName: call.roleSessionName,
    accountId: environment.accountId,
    providerArn: provider.arn,
    issuer: withoutScheme(issuer),
    claims: { sub: token.claims.sub, aud: audience },
  });
  if (!allowed) throw denied();

  if (call.durationSeconds > role.maxSessionSeconds) {
    throw new AwsError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  const { roleArn, roleSessionName, durationSeconds } = call;
  return {
    roleArn,
    roleSessionName,
    durationSeconds,
    issuer,
    subject: token.claims.sub,
    audience,
    provider: provider.arn,
  };
}

interface Call {
  roleArn: string;
  roleSessionName: string;
  token: string;
  durationSeconds: number;
}

/** @throws AwsError `ValidationError` that names every parameter that breaks a constraint of STS's API. */
function readParameters(parameters: URLSearchParams): Call {
  const one = (name: string): string | undefined => {
    const values = parameters.getAll(name);
    if (values.length > 1)
      throw new AwsError("ValidationError", `The parameter ${name} may be given once only.`);
    return values[0];
  };
  const roleArn = one("RoleArn");
  const roleSessionName = one("RoleSessionName");
  const token = one("WebIdentityToken");
  const duration = one("DurationSeconds") ?? "3600";
  const durationSeconds = /^\d{1,9}$/.test(duration) ? Number(duration) : Number.NaN;

  const violations = [
    ...constraint("roleArn", roleArn, [
      ["have length greater than or equal to 20", (v) => v.length >= 20],
      ["have length less than or equal to 2048", (v) => v.length <= 2048],
    ]),
    ...constraint("roleSessionName", roleSessionName, [
      ["have length greater than or equal to 2", (v) => v.length >= 2],
      ["have length less than or equal to 64", (v) => v.length <= 64],
      ["satisfy regular expression pattern: [\\w+=,.@-]*", (v) => /^[\w+=,.@-]*$/.test(v)],
    ]),
    ...constraint("webIdentityToken", token, [
      ["have length greater than or equal to 4", (v) => v.length >= 4],
      ["have length less than or equal to 20000", (v) => v.length <= 20_000],
    ]),
    ...constraint("durationSeconds", duration, [
      ["have value greater than or equal to 900", () => durationSeconds >= 900],
      ["have value less than or equal to 43200", () => durationSeconds <= 43_200],
    ]),
  ];
  if (
    violations.length > 0 ||
    roleArn === undefined ||
    roleSessionName === undefined ||
    token === undefined
  ) {
    const count = `${violations.length} validation error${violations.length === 1 ? "" : "s"} detected`;
    throw new AwsError("ValidationError", `${count}: ${violations.join("; ")}`);
  }
  if (!/^arn:aws:iam::\d{12}:role\/([\x21-\x7e]+\/)?[\w+=,.@-]{1,64}$/.test(roleArn)) {
    throw new AwsError("ValidationError", "Request ARN is invalid");
  }
  // The stand-in behind this would ignore a session policy, and its credentials could do more than was asked for.
  if ([...parameters.keys()].some((name) => name === "Policy" || name.startsWith("PolicyArns"))) {
    throw new AwsError(
      "ValidationError",
      "Local does not do session policies for AssumeRoleWithWebIdentity.",
    );
  }
  return { roleArn, roleSessionName, token, durationSeconds };
}

function read(token: string): Token {
  try {
    return readToken(token);
  } catch (error) {
    return inWords(error);
  }
}

/** STS's words for each rule that the member's value breaks. A token is not repeated in them. */
function constraint(
  member: string,
  value: string | undefined,
  rules: readonly [must: string, holds: (value: string) => boolean][],
): string[] {
  const told = (held: string, must: string) =>
    `Value ${held} at '${member}' failed to satisfy constraint: Member must ${must}`;
  if (value === undefined) return [told("null", "not be null")];
  const held = member === "webIdentityToken" ? "(hidden)" : `'${value.slice(0, 128)}'`;
  return rules.filter(([, holds]) => !holds(value)).map(([must]) => told(held, must));
}

const accountOf = (arn: string): string | undefined => arn.split(":")[4];

/** `oidc.eks.…/id/…`, as in the provider's ARN and in condition keys. */
export const withoutScheme = (url: string): string => url.replace(/^https:\/\//, "");

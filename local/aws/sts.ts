import type { ReadExchange } from "./exchange.ts";
import { AwsError, errorReply, escapeXml, type Reply } from "./reply.ts";
import { verifyWebIdentity, type WebIdentity, type WebIdentityEnvironment } from "./webidentity.ts";

export interface StsOptions {
  webIdentity: WebIdentityEnvironment;
  /** How long a session lives that was asked for with so many seconds. Default as long. */
  sessionSeconds?(asked: number): number;
  /** Sends a form to MiniStack. */
  post(form: URLSearchParams): Promise<Reply>;
  log(line: string): void;
}

/** Whether the request asks for AssumeRoleWithWebIdentity, whatever else it may ask for too. */
export const asksForWebIdentity = ({ parameters }: Pick<ReadExchange, "parameters">): boolean =>
  parameters.getAll("Action").includes("AssumeRoleWithWebIdentity");

/**
 * AssumeRoleWithWebIdentity: verifies the token as STS does, and has MiniStack, which verifies nothing, issue the
 * credentials by a call that holds the verified claims and nothing else.
 */
export async function assumeRoleWithWebIdentity(
  parameters: URLSearchParams,
  { webIdentity, sessionSeconds = (asked) => asked, post, log }: StsOptions,
): Promise<Reply> {
  let identity: WebIdentity;
  try {
    identity = await verifyWebIdentity(parameters, webIdentity);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    log(`AssumeRoleWithWebIdentity ${parameters.get("RoleArn")}: ${error.code}, ${error.message}`);
    return errorReply(error, "query", "sts");
  }
  const seconds = sessionSeconds(identity.durationSeconds);
  const shortened = seconds < identity.durationSeconds;
  const durationSeconds = shortened ? seconds + underWaySeconds : seconds;
  const told = shortened ? new Date(Date.now() + seconds * 1000) : undefined;
  const reply = await post(verifiedForm({ ...identity, durationSeconds }));
  if (reply.status === 200) {
    log(`AssumeRoleWithWebIdentity ${identity.roleArn}: credentials for ${identity.subject}`);
  }
  return { ...reply, body: withIdentity(reply.body, identity, told) };
}

/**
 * How much longer a session that was shortened lives than is told: SDKs for which that is not over yet have requests under way,
 * and with sessions of seconds some would come too late.
 */
const underWaySeconds = 2;

/** The call that MiniStack issues credentials by. */
function verifiedForm(identity: WebIdentity): URLSearchParams {
  return new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: identity.roleArn,
    RoleSessionName: identity.roleSessionName,
    WebIdentityToken: claimsOnly(identity),
    DurationSeconds: String(identity.durationSeconds),
  });
}

/**
 * The verified claims as the unsigned token that MiniStack reads them from, for the trust policy that it looks at once
 * more. It compares an audience only when it is no list, as it always is in a token of Kubernetes.
 */
function claimsOnly({ issuer, subject, audience }: WebIdentity): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ iss: issuer, sub: subject, aud: audience })}.`;
}

/** MiniStack answers with a fixed subject, audience and provider, and knows nothing of a session that is told shorter. */
function withIdentity(xml: string, identity: WebIdentity, expiration: Date | undefined): string {
  const elements = {
    ...(expiration && { Expiration: expiration.toISOString() }),
    SubjectFromWebIdentityToken: identity.subject,
    Audience: identity.audience,
    Provider: identity.provider,
  };
  return Object.entries(elements).reduce(
    (text, [element, value]) =>
      text.replace(
        new RegExp(`<${element}>[^<]*</${element}>`),
        () => `<${element}>${escapeXml(value)}</${element}>`,
      ),
    xml,
  );
}

import { createHash, createHmac } from "node:crypto";

/** What signs a request: an access key, and the token of its session if it is one. */
export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * Headers that sign a JSON request to a service whose SDK client is not among local's packages.
 * Source: "Create a signed AWS API request", IAM User Guide.
 */
export function signingHeaders(
  request: { method: string; url: URL; body: string },
  scope: { region: string; service: string; credentials: SigningCredentials; now?: Date },
): Record<string, string> {
  const { method, url, body } = request;
  const { region, service, credentials } = scope;
  const time = (scope.now ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: url.host,
    "x-amz-date": time,
    ...(credentials.sessionToken ? { "x-amz-security-token": credentials.sessionToken } : {}),
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    // Each part of the path is encoded once more than it is sent.
    url.pathname.split("/").map(encodeURIComponent).join("/"),
    "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    sha256(body),
  ].join("\n");
  const credentialScope = [time.slice(0, 8), region, service, "aws4_request"];
  const key = credentialScope.reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(
    key,
    ["AWS4-HMAC-SHA256", time, credentialScope.join("/"), sha256(canonical)].join("\n"),
  ).toString("hex");
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${[credentials.accessKeyId, ...credentialScope].join("/")}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

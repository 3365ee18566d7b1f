import { Sha256 } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";

/** What signs a request: an access key, and the token of its session if it is one. */
export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Headers that sign a JSON request to a service for which the registry has no SDK client: EKS Auth. */
export async function signingHeaders(
  { method, url, body }: { method: string; url: URL; body: string },
  { now, ...scope }: { region: string; service: string; credentials: SigningCredentials; now?: Date },
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ ...scope, sha256: Sha256, applyChecksum: false });
  const { headers } = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { "content-type": "application/json", host: url.host },
      body,
    },
    { signingDate: now },
  );
  // What sends it adds this one itself.
  const { host: _, ...sent } = headers;
  return sent;
}

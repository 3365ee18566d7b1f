import { type SigningCredentials, signingHeaders } from "../aws/signature.ts";

/** Credentials of a pod, as EKS Auth gives them. */
export interface PodCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
  /** `arn:aws:sts::…:assumed-role/…`. */
  arn: string;
  associationId: string;
}

/** EKS Auth's refusal. */
export class EksAuthError extends Error {
  /** AWS's code, such as `InvalidTokenException`. */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly requestId: string;

  constructor(code: string, message: string, status: number, requestId: string) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.name = "EksAuthError";
  }
}

export interface EksAuthClientOptions {
  /** URL of AWS's endpoint. */
  endpoint: string;
  region: string;
  credentials: SigningCredentials;
}

/** How long an answer may take, in milliseconds. The agent of EKS has 1 s; a machine that builds meanwhile is not EKS Auth. */
const patience = 5000;
/** As the SDK in that agent has it. */
const attempts = 3;

/**
 * Calls AssumeRoleForPodIdentity, as the agent on a node does.
 *
 * @throws EksAuthError with what EKS Auth says; another error where it does not answer.
 */
export async function assumeRoleForPodIdentity(
  clusterName: string,
  token: string,
  { endpoint, region, credentials }: EksAuthClientOptions,
): Promise<PodCredentials> {
  const url = new URL(`${endpoint}/clusters/${encodeURIComponent(clusterName)}/assume-role-for-pod-identity`);
  const body = JSON.stringify({ token });
  const send = async () =>
    fetch(url, {
      method: "POST",
      body,
      headers: await signingHeaders(
        { method: "POST", url, body },
        { region, service: "eks-auth", credentials },
      ),
      signal: AbortSignal.timeout(patience),
    });
  const response = await retried(send);
  const answer = (await response.json()) as Answer & { __type?: string; message?: string };
  if (!response.ok) {
    const code = response.headers.get("x-amzn-errortype") ?? answer.__type ?? "Unknown";
    const id = response.headers.get("x-amzn-requestid") ?? "";
    throw new EksAuthError(code, answer.message ?? "", response.status, id);
  }
  const { credentials: given, assumedRoleUser, podIdentityAssociation } = answer;
  return {
    accessKeyId: given.accessKeyId,
    secretAccessKey: given.secretAccessKey,
    sessionToken: given.sessionToken,
    expiration: new Date(given.expiration * 1000),
    arn: assumedRoleUser.arn,
    associationId: podIdentityAssociation.associationId,
  };
}

/** Tries again what did not answer, or was not able to. */
async function retried(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const last = attempt === attempts;
    const response = await send().catch((error: unknown) => {
      if (last) throw error;
      return undefined;
    });
    if (response !== undefined && (last || (response.status < 500 && response.status !== 429)))
      return response;
    await response?.body?.cancel();
  }
}

/** What comes, where it goes well. Source: AssumeRoleForPodIdentity, EKS Auth API Reference. */
interface Answer {
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: number };
  assumedRoleUser: { arn: string };
  podIdentityAssociation: { associationId: string };
}

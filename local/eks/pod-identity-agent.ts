import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { readToken, TokenError } from "../aws/jwt.ts";
import { agentAddress, agentPort } from "../machine/bridge.ts";
import { EksAuthError, type PodCredentials } from "./eks-auth-client.ts";

export interface AgentOptions {
  /** Default {@link agentAddress}. */
  host?: string;
  /** Default {@link agentPort}. */
  port?: number;
  /** The `Host`s of the requests that it answers, without a port. Default {@link agentAddress}. */
  names?: readonly string[];
  /** The cluster that its node belongs to; undefined while there is none. */
  clusterName(): Promise<string | undefined>;
  /** Calls EKS Auth. @throws EksAuthError when that refuses. */
  assumeRole(clusterName: string, token: string): Promise<PodCredentials>;
  /** Default: the machine's clock. */
  now?(): Date;
  log(line: string): void;
}

export interface PodIdentityAgent {
  url: string;
  /** Renews the credentials that are due. By itself it does so each minute. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/** A request that the agent refuses by itself. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
    this.name = "Refusal";
  }
}

/**
 * The EKS Pod Identity agent of local's node: gives containers the credentials of their pod, for the token that the SDK
 * brings in `Authorization`. It answers, caches and renews as github.com/aws/eks-pod-identity-agent does at v0.1.37
 * (pkg/handlers, pkg/errors, internal/validation, internal/credsretriever), of which no module proxy has the module.
 */
export async function startPodIdentityAgent(options: AgentOptions): Promise<PodIdentityAgent> {
  const cache = new CredentialsCache(options);
  const names = options.names ?? [agentAddress];
  const answer = async (request: IncomingMessage): Promise<PodCredentials> => {
    checkHost(request.headers.host ?? "", names);
    const token = request.headers.authorization ?? "";
    checkToken(token, options.now?.() ?? new Date());
    return cache.get(token);
  };
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/v1/credentials") {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("404 page not found\n");
      return;
    }
    answer(request).then(
      (credentials) =>
        response
          .setHeader("content-type", "application/json")
          .end(JSON.stringify(containerCredentials(credentials))),
      (error: Error) => {
        const [status, message] = inWords(error);
        options.log(`agent: Error fetching credentials: ${message}`);
        response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${message}\n`);
      },
    );
  });
  const host = options.host ?? agentAddress;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? agentPort, host, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/v1/credentials`,
    renew: () => cache.renew(),
    close: () =>
      new Promise((resolve) => {
        cache.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What SDKs expect. Source: "Container credential provider", AWS SDKs and Tools Reference Guide. */
const containerCredentials = (credentials: PodCredentials) => ({
  AccessKeyId: credentials.accessKeyId,
  SecretAccessKey: credentials.secretAccessKey,
  Token: credentials.sessionToken,
  AccountId: credentials.arn.split(":")[4],
  Expiration: credentials.expiration.toISOString(),
});

/** HTTP status and text of an error: EKS Auth's own where it is EKS Auth's. */
function inWords(error: Error): [status: number, message: string] {
  if (error instanceof Refusal) return [error.status, error.message];
  if (!(error instanceof EksAuthError)) return [500, error.message];
  const fault = error.status < 500 ? "client" : "server";
  return [error.status, `[${error.requestId}]: (${error.code}): ${error.message}, fault: ${fault}`];
}

/** @throws Refusal for a request that came by another name: a page of another site could be made to ask here. */
function checkHost(host: string, names: readonly string[]): void {
  const name = host.replace(/:\d+$/, "");
  if (!names.includes(name)) {
    throw new Refusal(
      403,
      `Access Denied. Called agent through invalid address, please use either [${names.join(" ")}] address not ${name}`,
    );
  }
}

/** Refuses what EKS Auth need not be asked about. @throws Refusal */
function checkToken(token: string, now: Date): void {
  if (token === "") throw new Refusal(400, "Service account token cannot be empty");
  const seconds = now.getTime() / 1000;
  try {
    const { exp, nbf } = readToken(token).claims;
    const invalid = (why: string) =>
      new Refusal(
        400,
        `Service account token failed basic claim validations: token has invalid claims: ${why}`,
      );
    if (seconds >= exp) throw invalid("token is expired");
    if (nbf !== undefined && seconds < nbf) throw invalid("token is not valid yet");
  } catch (error) {
    throw error instanceof TokenError
      ? new Refusal(400, "Service account token cannot be parsed: token is malformed")
      : error;
  }
}

interface Entry {
  credentials: PodCredentials;
  /** When they are to be renewed, in milliseconds. */
  renewAt: number;
}

/** Of these it keeps as many, the ones last used. */
const maxEntries = 2000;
/** Credentials are renewed after so long at the latest, in seconds. */
const renewalSeconds = 3 * 3600;
/** Those that expire sooner are given to nobody, in seconds. */
export const leastSeconds = 15;
/** How often it looks for some to renew, and after how long it tries again where EKS Auth is not able to, in seconds. */
const sweepSeconds = 60;

/** EKS Auth's refusals by which an association, a pod or a role's trust is gone: what is cached goes with them. */
const irrecoverable = [
  "ResourceNotFoundException",
  "ExpiredTokenException",
  "InvalidTokenException",
  "AccessDeniedException",
];

/**
 * Credentials by the token that they were given for. So a pod keeps its role until they are renewed, whatever becomes of the
 * association meanwhile; a new pod brings a token of its own.
 */
class CredentialsCache {
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  /** So that a token is asked for once at a time. */
  readonly #asking = new Map<string, Promise<Entry>>();
  readonly #options: AgentOptions;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => void this.renew(), sweepSeconds * 1000);
    this.#sweep.unref();
  }

  async get(token: string): Promise<PodCredentials> {
    const held = this.#entries.get(token);
    if (held && this.#isGood(held)) {
      this.#keep(token, held);
      return held.credentials;
    }
    this.#entries.delete(token);
    const asked = this.#asking.get(token) ?? this.#ask(token);
    this.#asking.set(token, asked);
    return (await asked.finally(() => this.#asking.delete(token))).credentials;
  }

  /** Renews what is due. */
  async renew(): Promise<void> {
    const now = this.#now();
    for (const [token, entry] of [...this.#entries]) {
      if (entry.renewAt > now) continue;
      await this.#ask(token).catch((error: Error) => {
        this.#options.log(`agent: renewal: ${inWords(error)[1]}`);
        const gone = error instanceof EksAuthError && irrecoverable.includes(error.code);
        if (gone || !this.#isGood(entry)) this.#entries.delete(token);
        else entry.renewAt = now + sweepSeconds * 1000;
      });
    }
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  async #ask(token: string): Promise<Entry> {
    const clusterName = await this.#options.clusterName();
    if (clusterName === undefined) throw new Refusal(500, "There is no cluster that this node belongs to.");
    const credentials = await this.#options.assumeRole(clusterName, token);
    const lives = credentials.expiration.getTime() - this.#now();
    const entry = { credentials, renewAt: this.#now() + Math.min(lives, renewalSeconds * 1000) };
    if (!this.#isGood(entry)) {
      throw new Refusal(
        500,
        `fetched credentials are expired or will expire within the next ${(lives / 1000).toFixed(2)} seconds`,
      );
    }
    this.#keep(token, entry);
    this.#options.log(`agent: ${credentials.arn} by ${credentials.associationId}`);
    return entry;
  }

  #keep(token: string, entry: Entry): void {
    this.#entries.delete(token);
    this.#entries.set(token, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  #isGood({ credentials }: Entry): boolean {
    return credentials.expiration.getTime() - this.#now() > leastSeconds * 1000;
  }

  #now(): number {
    return (this.#options.now?.() ?? new Date()).getTime();
  }
}

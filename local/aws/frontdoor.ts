import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { type EksOptions, eks } from "../eks/api.ts";
import { ecr, type Registry } from "./ecr.ts";
import { breakOff, type Fault, type Faults, faultError } from "./faults.ts";
import { type IamAccount, iam } from "./iam.ts";
import { Idempotency } from "./idempotency.ts";
import { AwsError, errorReply, escapeXml, type Reply } from "./reply.ts";
import { type AwsCall, describeCall, isIssuedKeyId, protocolOf } from "./request.ts";
import { verifyWebIdentity, type WebIdentity, type WebIdentityEnvironment } from "./webidentity.ts";

export interface FrontDoorOptions {
  /** IP addresses to listen on, all with the same port: loopback, and the pod bridge. */
  addresses: readonly string[];
  /** 0 takes a free one. */
  port: number;
  /** MiniStack's URL. */
  upstream: string;
  iam: IamAccount;
  webIdentity: WebIdentityEnvironment;
  eks: Omit<EksOptions, "log">;
  registry: Registry;
  /** What a test asks for. Default none. */
  faults?: Faults;
  /** One line for each request, and for what is worth telling of it. */
  log(line: string): void;
}

export interface FrontDoor {
  port: number;
  /** The first address. */
  url: string;
  close(): Promise<void>;
}

/** Bodies that are read as a whole: calls of IAM, STS, EKS and ECR, far below this. In bytes. */
const maxBody = 1024 * 1024;

/**
 * AWS's endpoint on this machine, for every service: an HTTP proxy before MiniStack that streams what MiniStack does
 * right and does the rest itself. Nothing gets through it unsigned, except AssumeRoleWithWebIdentity, whose token is
 * verified as STS does; nor with MiniStack's own root credentials, whose signature MiniStack does not look at.
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const agent = new Agent({ keepAlive: true });
  const answerEks = eks({ ...options.eks, log: options.log });
  const context = {
    ...options,
    agent,
    answerEks,
    upstreamUrl: new URL(options.upstream),
    idempotency: new Idempotency(),
  };
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const started = performance.now();
    outgoing.once("close", () => {
      const status = outgoing.headersSent ? outgoing.statusCode : "aborted";
      options.log(
        `${incoming.method} ${labels.get(incoming) ?? shortPath(incoming)} ${status} ${Math.round(performance.now() - started)} ms`,
      );
    });
    answerOrFault(incoming, outgoing, context).catch((error: unknown) =>
      fail(incoming, outgoing, error, options.log),
    );
  };

  const servers: Server[] = [];
  let port = options.port;
  try {
    for (const address of options.addresses) {
      const server = createServer(onRequest);
      await listen(server, address, port);
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    }
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
  return {
    port,
    url: `http://${options.addresses[0]}:${port}`,
    close: async () => {
      await Promise.all(servers.map(close));
      agent.destroy();
    },
  };
}

interface Context extends FrontDoorOptions {
  agent: Agent;
  answerEks: ReturnType<typeof eks>;
  upstreamUrl: URL;
  idempotency: Idempotency;
}

/** What a request is called in the log, once that is known. */
const labels = new WeakMap<IncomingMessage, string>();

/** Answers, unless the test's plan has something else for this request. */
async function answerOrFault(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  context: Context,
): Promise<void> {
  const fault = context.faults?.next();
  if (fault?.moment === "before") return strike(fault, incoming, outgoing, context);
  if (fault) losing.set(outgoing, fault);
  return handle(incoming, outgoing, context);
}

/** Answers whose requests are carried out, and which then get lost. */
const losing = new WeakMap<ServerResponse, Fault>();

async function strike(
  fault: Fault,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { faults, log }: Context,
): Promise<void> {
  const call = describeCall(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers);
  log(`fault: ${fault.kind} ${fault.moment} ${labels.get(incoming) ?? shortPath(incoming)}`);
  if (fault.kind === "throttling" || fault.kind === "error") throw faultError(fault, call);
  if (faults) await breakOff(fault, outgoing, faults);
}

async function handle(incoming: IncomingMessage, outgoing: ServerResponse, context: Context): Promise<void> {
  const call = describeCall(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers);
  // MiniStack's own pages include one that resets it and one that turns its checks off.
  if (isInternal(call.path)) return send(outgoing, { status: 404, headers: {}, body: "" });
  // STS speaks the Query protocol; MiniStack would also take JSON, past the check of the token below.
  if (/^AWSSecurityToken/i.test(call.target ?? ""))
    throw new AwsError("InvalidAction", "STS speaks the Query protocol.");

  const whole =
    call.form || call.query.has("Action") || ["iam", "sts", "eks", "ecr"].includes(call.service ?? "");
  if (!whole) {
    checkSigned(call);
    return stream(incoming, outgoing, context);
  }

  const body = await readBody(incoming, call.service);
  const parameters = new URLSearchParams([
    ...call.query,
    ...(call.service === "eks" || call.service === "ecr" ? [] : new URLSearchParams(body)),
  ]);
  const action = parameters.get("Action") ?? call.target?.split(".").at(-1);
  if (action) labels.set(incoming, [call.service ?? "unsigned", action].join(":"));

  if (parameters.getAll("Action").includes("AssumeRoleWithWebIdentity")) {
    return finish(incoming, outgoing, await assumeRoleWithWebIdentity(parameters, context), context);
  }
  checkSigned(call);
  const forward = () =>
    exchange(context, incoming.method ?? "GET", incoming.url ?? "/", incoming.headers, body);
  return finish(incoming, outgoing, await answer(call, parameters, body, forward, context), context);
}

/** Sends the answer, or loses it. */
async function finish(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  reply: Reply,
  context: Context,
): Promise<void> {
  const fault = losing.get(outgoing);
  if (fault) await strike(fault, incoming, outgoing, context);
  else send(outgoing, reply);
}

async function answer(
  call: AwsCall,
  parameters: URLSearchParams,
  body: string,
  forward: () => Promise<Reply>,
  context: Context,
): Promise<Reply> {
  switch (call.service) {
    case "iam":
      return iam(parameters, forward, context.iam);
    case "eks":
      return context.idempotency.once(`${call.method} ${call.path}`, tokenIn(body), () =>
        context.answerEks(call, body, forward),
      );
    case "ec2":
      return context.idempotency.once(parameters.get("Action") ?? "", parameters.get("ClientToken"), forward);
    case "ecr":
      return ecr(call.target?.split(".").at(-1) ?? "", await forward(), context.registry);
    default:
      return forward();
  }
}

/** The token by which EKS knows a request that comes again. */
function tokenIn(body: string): unknown {
  try {
    return (JSON.parse(body) as { clientRequestToken?: unknown } | null)?.clientRequestToken;
  } catch {
    return undefined;
  }
}

/** Whether MiniStack, which decodes the path first, may take it for a page of its own; no bucket's name starts so. */
function isInternal(path: string): boolean {
  try {
    return !path.startsWith("/") || /^\/+(_|health$)/.test(decodeURIComponent(path));
  } catch {
    return true;
  }
}

/** @throws AwsError unless the request is signed with a key that IAM or STS may have given out. */
function checkSigned(call: AwsCall): void {
  const protocol = protocolOf(call);
  if (call.accessKeyIds.length === 0) {
    throw protocol === "xml"
      ? new AwsError("AccessDenied", "Access Denied", 403)
      : new AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
  }
  if (call.accessKeyIds.every(isIssuedKeyId)) return;
  const message = "The security token included in the request is invalid.";
  throw {
    xml: new AwsError(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      403,
    ),
    ec2: new AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    json: new AwsError("UnrecognizedClientException", message, 403),
    query: new AwsError("InvalidClientTokenId", message, 403),
  }[protocol];
}

/** Has MiniStack issue the credentials that the verified token entitles to, by a call that holds nothing else. */
async function assumeRoleWithWebIdentity(parameters: URLSearchParams, context: Context): Promise<Reply> {
  const identity = await verifyWebIdentity(parameters, context.webIdentity).catch((error: unknown) => {
    if (error instanceof AwsError) {
      context.log(`AssumeRoleWithWebIdentity ${parameters.get("RoleArn")}: ${error.code}, ${error.message}`);
      return error;
    }
    throw error;
  });
  if (identity instanceof AwsError) return errorReply(identity, "query", "sts");
  const form = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: identity.roleArn,
    RoleSessionName: identity.roleSessionName,
    WebIdentityToken: claimsOnly(identity),
    DurationSeconds: String(identity.durationSeconds),
  }).toString();
  const headers = { host: context.upstreamUrl.host, "content-type": "application/x-www-form-urlencoded" };
  const reply = await exchange(context, "POST", "/", headers, form);
  if (reply.status === 200) {
    context.log(`AssumeRoleWithWebIdentity ${identity.roleArn}: credentials for ${identity.subject}`);
  }
  return { ...reply, body: withIdentity(reply.body, identity) };
}

/**
 * The verified claims as the unsigned token that MiniStack reads them from, for the trust policy that it looks at once
 * more. It compares an audience only when it is no list, as it always is in a token of Kubernetes.
 */
function claimsOnly({ issuer, subject, audience }: WebIdentity): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ iss: issuer, sub: subject, aud: audience })}.`;
}

/** MiniStack answers with a fixed subject, audience and provider. */
function withIdentity(xml: string, identity: WebIdentity): string {
  const set = (text: string, element: string, value: string) =>
    text.replace(
      new RegExp(`<${element}>[^<]*</${element}>`),
      () => `<${element}>${escapeXml(value)}</${element}>`,
    );
  return set(
    set(set(xml, "SubjectFromWebIdentityToken", identity.subject), "Audience", identity.audience),
    "Provider",
    identity.provider,
  );
}

/** Passes request and response on as they come, of any size. */
function stream(incoming: IncomingMessage, outgoing: ServerResponse, context: Context): Promise<void> {
  return new Promise((resolve, reject) => {
    const upstream = request(
      context.upstreamUrl,
      {
        method: incoming.method,
        path: incoming.url,
        headers: endToEnd(incoming.headers),
        agent: context.agent,
      },
      (response) => {
        const fault = losing.get(outgoing);
        if (fault) {
          response.resume();
          response.once("end", () => strike(fault, incoming, outgoing, context).then(resolve, reject));
          return;
        }
        outgoing.writeHead(response.statusCode ?? 502, endToEnd(response.headers));
        response.pipe(outgoing);
        response.once("end", resolve);
        response.once("error", reject);
      },
    );
    upstream.once("error", reject);
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) upstream.destroy();
      resolve();
    });
    incoming.once("error", (error) => upstream.destroy(error));
    incoming.pipe(upstream);
  });
}

/** Sends a request and reads the whole response. */
function exchange(
  context: Context,
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
  body: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const upstream = request(
      context.upstreamUrl,
      {
        method,
        path,
        headers: { ...withoutLength(endToEnd(headers)), "content-length": Buffer.byteLength(body) },
        agent: context.agent,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const kept = withoutLength(endToEnd(response.headers));
          const headers = Object.fromEntries(
            Object.entries(kept).map(([name, value]) => [name, String(value)]),
          );
          resolve({ status: response.statusCode ?? 502, headers, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    upstream.once("error", reject);
    upstream.end(body);
  });
}

/** @throws AwsError when it is compressed or larger than {@link maxBody}: what is in it must be seen here. */
async function readBody(incoming: IncomingMessage, service = ""): Promise<string> {
  if (incoming.headers["content-encoding"]) {
    throw new AwsError("InvalidRequest", `Local takes no compressed request to ${service || "a Query API"}.`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody)
      throw new AwsError("RequestEntityTooLarge", `The request is larger than ${maxBody} bytes.`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Headers that concern one connection only, and so are not passed on (RFC 9110, 7.6.1), and Expect, which is answered here. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
]);

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.includes(name)),
  );
}

/** For a body that is sent as a whole, and perhaps not as it came. */
function withoutLength(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { "content-length": _length, "transfer-encoding": _encoding, ...kept } = headers;
  return kept;
}

function send(outgoing: ServerResponse, reply: Reply): void {
  outgoing.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  outgoing.end(reply.body);
}

function fail(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  error: unknown,
  log: (line: string) => void,
): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy();
    return;
  }
  if (!(error instanceof AwsError))
    log(`${incoming.method} ${shortPath(incoming)}: ${error instanceof Error ? error.message : error}`);
  const known =
    error instanceof AwsError
      ? error
      : new AwsError("ServiceUnavailable", "MiniStack does not answer; see its log.", 503);
  const call = describeCall(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers);
  // What is left of the request is not read, so the connection cannot serve another one.
  outgoing.setHeader("connection", incoming.complete ? "keep-alive" : "close");
  send(outgoing, errorReply(known, protocolOf(call), call.service ?? "sts"));
}

/** Without the query, which may hold a token or a signature. */
const shortPath = (incoming: IncomingMessage): string => (incoming.url ?? "/").split("?")[0] ?? "/";

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

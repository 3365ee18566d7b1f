import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type EksOptions, eks } from "../eks/api.ts";
import { ecr, type Registry } from "./ecr.ts";
import { type EksAuthOptions, eksAuth } from "./eks-auth.ts";
import {
  type Answer,
  chain,
  type Exchange,
  type Handler,
  type ReadExchange,
  read,
  receive,
  send,
} from "./exchange.ts";
import { type Faults, injecting } from "./faults.ts";
import { type IamAccount, iam } from "./iam.ts";
import { Idempotency } from "./idempotency.ts";
import { readCall } from "./model-input.ts";
import { modelError, violationsOf } from "./model-rules.ts";
import type { Models } from "./models.ts";
import { AwsError, errorReply, type Reply } from "./reply.ts";
import { checkSigned, protocolOf } from "./request.ts";
import { asksForWebIdentity, assumeRoleWithWebIdentity } from "./sts.ts";
import { Upstream } from "./upstream.ts";
import type { WebIdentityEnvironment } from "./webidentity.ts";

export interface FrontDoorOptions {
  /** IP addresses to listen on, all with the same port: loopback, and the pod bridge. */
  addresses: readonly string[];
  /** 0 takes a free one. */
  port: number;
  /** MiniStack's URL. */
  upstream: string;
  iam: IamAccount;
  webIdentity: WebIdentityEnvironment;
  /** How long a session of AssumeRoleWithWebIdentity lives that was asked for with so many seconds. Default as long. */
  sessionSeconds?(asked: number): number;
  eks: Omit<EksOptions, "log">;
  eksAuth: Omit<EksAuthOptions, "log">;
  registry: Registry;
  /** AWS's own models of its services; what has none is not held to one. */
  models: Models;
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

/**
 * AWS's endpoint on this machine, for every service: an HTTP proxy before MiniStack that streams what MiniStack does
 * right and does the rest itself. Nothing gets through it unsigned, except AssumeRoleWithWebIdentity, whose token is
 * verified as STS does (and EKS Auth verifies that of AssumeRoleForPodIdentity); nor with MiniStack's own root credentials, whose signature MiniStack does not look at.
 */
export async function startFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const upstream = new Upstream(options.upstream);
  const answer = handle(options, upstream);
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const exchange = receive(incoming, outgoing);
    logWhenClosed(exchange, options.log);
    answer(exchange)
      .then(async (reply) => reply && send(exchange, reply))
      // The client has gone, or MiniStack has, in the middle of an answer.
      .catch(() => outgoing.destroy());
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
      upstream.close();
    },
  };
}

/** The hands that a request passes through, in their order. */
function handle(options: FrontDoorOptions, upstream: Upstream): (exchange: Exchange) => Promise<Answer> {
  const { faults, log } = options;
  const sts = { ...options, post: (form: URLSearchParams) => upstream.post(form) };

  const whenRead = chain<ReadExchange, Reply>(
    [
      async (exchange, next) =>
        asksForWebIdentity(exchange) ? assumeRoleWithWebIdentity(exchange.parameters, sts) : next(exchange),
      signed,
      wellFormed(options.models, log),
      once(new Idempotency()),
      byService(options),
    ],
    (exchange) => upstream.forward(exchange),
  );
  return chain<Exchange, Answer>(
    [
      errorsAsReplies(log),
      ...(faults ? [injecting(faults, log)] : []),
      hideMiniStack,
      async (exchange, next) => (isReadWhole(exchange) ? whenRead(await read(exchange)) : next(exchange)),
      signed,
    ],
    (exchange) => upstream.stream(exchange),
  );
}

/** Gives an error in the words and the form of the called service. */
const errorsAsReplies =
  (log: (line: string) => void): Handler<Exchange, Answer> =>
  async (exchange, next) => {
    try {
      return await next(exchange);
    } catch (error) {
      const { call, incoming } = exchange;
      if (!(error instanceof AwsError))
        log(`${incoming.method} ${call.path}: ${error instanceof Error ? error.message : error}`);
      const known =
        error instanceof AwsError
          ? error
          : new AwsError("ServiceUnavailable", "MiniStack does not answer; see its log.", 503);
      return errorReply(known, protocolOf(call), call.service ?? "sts");
    }
  };

/** MiniStack's own pages include one that resets it and one that turns its checks off. */
const hideMiniStack: Handler<Exchange, Answer> = async (exchange, next) =>
  isInternal(exchange.call.path) ? { status: 404, headers: {}, body: "" } : next(exchange);

/** Whether MiniStack, which decodes the path first, may take it for a page of its own; no bucket's name starts so. */
function isInternal(path: string): boolean {
  try {
    return !path.startsWith("/") || /^\/+(_|health$)/.test(decodeURIComponent(path));
  } catch {
    return true;
  }
}

/** Services all of whose calls are as small as their models allow. */
const readWhole = new Set(["iam", "sts", "eks", "eks-auth", "ecr", "kms", "logs"]);

/**
 * Whether a request is read to its end before it is answered: whatever is answered here, held to its model, or could
 * hold a token.
 */
const isReadWhole = ({ call }: Exchange): boolean =>
  call.form ||
  call.query.has("Action") ||
  (readWhole.has(call.service ?? "") && !call.target?.endsWith(".PutLogEvents"));

/** @throws AwsError unless the request is signed with a key that IAM or STS may have given out. */
const signed = async <E extends Exchange, R>(exchange: E, next: (exchange: E) => Promise<R>): Promise<R> => {
  // STS speaks the Query protocol; MiniStack would also take JSON, past the check of the token.
  if (/^AWSSecurityToken/i.test(exchange.call.target ?? ""))
    throw new AwsError("InvalidAction", "STS speaks the Query protocol.");
  checkSigned(exchange.call);
  return next(exchange);
};

/** Refuses, as the service does, what breaks the rules of AWS's own model of it. */
const wellFormed =
  (models: Models, log: (line: string) => void): Handler<ReadExchange, Reply> =>
  async (exchange, next) => {
    const { service } = exchange.call;
    const model = service === undefined ? undefined : await models(service);
    if (service !== undefined && model !== undefined) {
      const call = readCall(model, exchange);
      if (call) exchange.label = `${service}:${call.operation.name}`;
      const error = call && modelError(service, violationsOf(model, call));
      if (error) {
        log(`${exchange.label}: ${error.code}, ${error.message}`);
        throw error;
      }
    }
    return next(exchange);
  };

/** Carries out once what is asked for again with the token of the first time, as EKS and EC2 take it. */
const once =
  (idempotency: Idempotency): Handler<ReadExchange, Reply> =>
  (exchange, next) => {
    const { call, action, parameters, body } = exchange;
    const carryOut = (): Promise<Reply> => next(exchange);
    if (call.service === "eks")
      return idempotency.once(`${call.method} ${call.path}`, clientRequestToken(body), carryOut);
    if (call.service === "ec2") return idempotency.once(action, parameters.get("ClientToken"), carryOut);
    return carryOut();
  };

function clientRequestToken(body: string): unknown {
  try {
    return (JSON.parse(body) as { clientRequestToken?: unknown } | null)?.clientRequestToken;
  } catch {
    return undefined;
  }
}

/** What MiniStack lacks of a service, or does otherwise than AWS. */
function byService(options: FrontDoorOptions): Handler<ReadExchange, Reply> {
  const answerEks = eks({ ...options.eks, log: options.log });
  return async (exchange, next) => {
    const { call, action, parameters, body } = exchange;
    const forward = (): Promise<Reply> => next(exchange);
    switch (call.service) {
      case "iam":
        return iam(parameters, forward, options.iam);
      case "eks":
        return answerEks(call, body, forward);
      case "eks-auth":
        return eksAuth(exchange, forward, { ...options.eksAuth, log: options.log });
      case "ecr":
        return ecr(action, body, forward, options.registry);
      default:
        return forward();
    }
  };
}

function logWhenClosed(exchange: Exchange, log: (line: string) => void): void {
  const { incoming, outgoing } = exchange;
  const started = performance.now();
  outgoing.once("close", () => {
    const status = outgoing.headersSent ? outgoing.statusCode : "aborted";
    log(`${incoming.method} ${exchange.label} ${status} ${Math.round(performance.now() - started)} ms`);
  });
}

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

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AwsError, type Reply } from "./reply.ts";
import { type AwsCall, describeCall, isRestJson } from "./request.ts";

// A request on its way through the front door: what is known of it travels in it, from one handler to the next.

/** A request of which only the headers have been read. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** What its headers say. */
  readonly call: AwsCall;
  /** What the log calls it: its path, until its operation is known, such as `iam:CreateRole`. */
  label: string;
}

/** A request that has been read to its end. */
export interface ReadExchange extends Exchange {
  readonly body: string;
  /** From its query string and, in the Query protocol, its form. */
  readonly parameters: URLSearchParams;
  /** Such as `CreateRole`; empty in a REST protocol, where method and path say it. */
  readonly action: string;
}

/** A response that is passed on as it comes, of any size. */
export interface StreamedReply extends Omit<Reply, "body"> {
  body: Readable;
}

/** Undefined where the connection was broken off, and nobody waits for an answer any more. */
export type Answer = Reply | StreamedReply | undefined;

/**
 * One of the hands that a request passes through: it answers itself, or has the `next` one answer, and may change what
 * that one gets and gives.
 */
export type Handler<E, R> = (exchange: E, next: (exchange: E) => Promise<R>) => Promise<R>;

/** Handlers as one, from the outermost to the one behind them all. */
export const chain = <E, R>(
  handlers: readonly Handler<E, R>[],
  last: (exchange: E) => Promise<R>,
): ((exchange: E) => Promise<R>) =>
  handlers.reduceRight<(exchange: E) => Promise<R>>(
    (next, handler) => (exchange) => handler(exchange, next),
    last,
  );

export function receive(incoming: IncomingMessage, outgoing: ServerResponse): Exchange {
  const call = describeCall(incoming.method ?? "GET", incoming.url ?? "/", incoming.headers);
  // Without the query, which may hold a token or a signature.
  return { incoming, outgoing, call, label: call.path };
}

/** Bodies that are read as a whole: calls of IAM, STS, EKS, ECR, EC2 and Logs, far below this. In bytes. */
const maxBody = 1024 * 1024;

/**
 * Reads the request to its end.
 *
 * @throws AwsError when it is compressed or larger than {@link maxBody}: what is in it must be seen here.
 */
export async function read(exchange: Exchange): Promise<ReadExchange> {
  const { incoming, call } = exchange;
  if (incoming.headers["content-encoding"]) {
    throw new AwsError(
      "InvalidRequest",
      `Local takes no compressed request to ${call.service ?? "a Query API"}.`,
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody)
      throw new AwsError("RequestEntityTooLarge", `The request is larger than ${maxBody} bytes.`, 413);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  const json = call.target !== undefined || isRestJson(call) || call.service === "ecr";
  const parameters = new URLSearchParams([...call.query, ...(json ? [] : new URLSearchParams(body))]);
  const action = parameters.get("Action") ?? call.target?.split(".").at(-1) ?? "";
  if (action) exchange.label = [call.service ?? "unsigned", action].join(":");
  return Object.assign(exchange, { body, parameters, action });
}

/** Sends the answer to its end, or until the client goes away. */
export async function send(
  { incoming, outgoing }: Pick<Exchange, "incoming" | "outgoing">,
  answer: Reply | StreamedReply,
): Promise<void> {
  if (typeof answer.body !== "string") {
    outgoing.writeHead(answer.status, answer.headers);
    await pipeline(answer.body, outgoing);
    return;
  }
  // What is left of the request is not read, so the connection cannot serve another one.
  if (!incoming.complete) outgoing.setHeader("connection", "close");
  outgoing.writeHead(answer.status, { ...answer.headers, "content-length": Buffer.byteLength(answer.body) });
  outgoing.end(answer.body);
}

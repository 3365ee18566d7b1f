import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import type { Answer, Exchange, Handler } from "./exchange.ts";
import { AwsError, type Protocol } from "./reply.ts";
import { type AwsCall, protocolOf } from "./request.ts";

// Faults of AWS's API, asked for by a test: off until then. A plan decides for each request by itself, from a seed.

/**
 * `throttling`: refused for now, in the service's own words; `error`: a 500; `timeout`: no answer, and then the end of the
 * connection; `reset`: the connection is torn.
 */
export const faultKinds = ["throttling", "error", "timeout", "reset"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** `after`: the request was carried out, and its answer gets lost. Throttling is always before. */
export type Moment = "before" | "after";

export interface Fault {
  readonly kind: FaultKind;
  readonly moment: Moment;
}

export interface FaultPlan {
  /** Of a hundred requests, how many. */
  readonly percent: number;
  /** Which requests, and with what. */
  readonly seed: number;
  /** Default all. */
  readonly kinds?: readonly FaultKind[];
  /** Default both. */
  readonly moments?: readonly Moment[];
  /** How long a `timeout` is. Default 2000. */
  readonly hangMilliseconds?: number;
}

/** What has happened since the plan was set. */
export interface FaultCounts {
  requests: number;
  /** By kind and moment: `reset after`. */
  injected: Record<string, number>;
}

/** Faults for a server of AWS's API to inject. */
export class Faults {
  #plan?: FaultPlan;
  #counts: FaultCounts = { requests: 0, injected: {} };

  /** Injects from now on; nothing without a plan. Counts anew. */
  set(plan: FaultPlan | undefined): void {
    this.#plan = plan;
    this.#counts = { requests: 0, injected: {} };
  }

  get counts(): FaultCounts {
    return this.#counts;
  }

  get hangMilliseconds(): number {
    return this.#plan?.hangMilliseconds ?? 2000;
  }

  /** What is to happen to the next request; undefined when nothing is. */
  next(): Fault | undefined {
    const plan = this.#plan;
    if (plan === undefined) return undefined;
    const counts = this.#counts;
    const digest = createHash("sha256")
      .update(`${plan.seed}:${counts.requests++}`)
      .digest();
    if (digest.readUInt32BE(0) / 2 ** 32 >= plan.percent / 100) return undefined;
    const kind = pick(plan.kinds ?? faultKinds, digest.readUInt32BE(4));
    const moment = pick(plan.moments ?? (["before", "after"] as const), digest.readUInt32BE(8));
    if (kind === undefined || moment === undefined) return undefined;
    const fault: Fault = { kind, moment: kind === "throttling" ? "before" : moment };
    const name = `${fault.kind} ${fault.moment}`;
    counts.injected[name] = (counts.injected[name] ?? 0) + 1;
    return fault;
  }
}

const pick = <T>(from: readonly T[], number: number): T | undefined => from[number % from.length];

/** Has a request meet with the fault of the plan, if there is one for it: instead of being carried out, or of its answer. */
export const injecting =
  (faults: Faults, log: (line: string) => void): Handler<Exchange, Answer> =>
  async (exchange, next) => {
    const fault = faults.next();
    if (fault === undefined) return next(exchange);
    if (fault.moment === "after") await drain(await next(exchange));
    log(`fault: ${fault.kind} ${fault.moment} ${exchange.label}`);
    if (fault.kind === "throttling" || fault.kind === "error") throw faultError(fault, exchange.call);
    await breakOff(fault, exchange.outgoing, faults);
    return undefined;
  };

/** Waits until the request has been carried out to its end. */
async function drain(answer: Answer): Promise<void> {
  if (answer === undefined || typeof answer.body === "string") return;
  await finished(answer.body.resume());
}

/** The error that a throttled request, or one that failed inside of AWS, is answered with. */
function faultError({ kind }: Fault, call: AwsCall): AwsError {
  const protocol = protocolOf(call);
  if (kind === "throttling") return throttled[protocol];
  const code = protocol === "query" && call.service === "iam" ? "ServiceFailure" : failed[protocol];
  return new AwsError(code, "The request processing has failed because of an unknown error.", 500);
}

const throttled: Readonly<Record<Protocol, AwsError>> = {
  query: new AwsError("Throttling", "Rate exceeded", 400),
  ec2: new AwsError("RequestLimitExceeded", "Request limit exceeded.", 503),
  xml: new AwsError("SlowDown", "Please reduce your request rate.", 503),
  json: new AwsError("ThrottlingException", "Rate exceeded", 400),
};
const failed: Readonly<Record<Protocol, string>> = {
  query: "InternalFailure",
  ec2: "InternalError",
  xml: "InternalError",
  json: "InternalFailure",
};

/** Ends a connection without an answer: by a reset, or after the silence that a timeout is. */
async function breakOff({ kind }: Fault, outgoing: ServerResponse, faults: Faults): Promise<void> {
  if (kind === "timeout") {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, faults.hangMilliseconds);
      outgoing.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    outgoing.socket?.destroy();
  } else {
    outgoing.socket?.resetAndDestroy();
  }
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { immutableTag } from "../aws/ecr.ts";
import { send } from "../aws/exchange.ts";
import { jsonReply, type Reply } from "../aws/reply.ts";
import { Upstream } from "../aws/upstream.ts";
import { digestOf } from "./manifests.ts";

export interface ImmutableTagsOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** URL of the registry that holds the images. */
  registry: string;
  /** Whether a repository's tags are IMMUTABLE, as ECR's API has it; what is no repository of ECR's is not. */
  isImmutable(repository: string): Promise<boolean>;
  log(line: string): void;
}

/**
 * The registry as ECR shows it: refuses to push to a tag that exists in a repository whose tags are IMMUTABLE, even
 * what the tag names already (containers-roadmap#2179, #2380). All else goes through to a registry that knows no such
 * repositories.
 */
export async function startImmutableTags(options: ImmutableTagsOptions) {
  const registry = new Upstream(options.registry);
  const inTurn = turns();

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const exchange = { incoming, outgoing };
    const pass = async () => send(exchange, await registry.stream(exchange));
    const [, repository, tag] =
      incoming.method === "PUT"
        ? (/^\/v2\/(.+)\/manifests\/([\w.-]+)$/.exec(incoming.url?.split("?")[0] ?? "") ?? [])
        : [];
    if (repository === undefined || tag === undefined || !(await options.isImmutable(repository)))
      return pass();
    // Of two that push one tag at once, the second finds that of the first.
    await inTurn(`${repository}:${tag}`, async () => {
      if ((await digestOf(options.registry, repository, tag)) === undefined) return pass();
      options.log(`registry: refused ${repository}:${tag}, which exists and is immutable`);
      return send(exchange, refusal(repository, tag));
    });
  }

  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: Error) => {
      options.log(`registry: ${incoming.method} ${incoming.url}: ${error.message}`);
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    /** `host:port`. */
    address: `${options.host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        registry.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As docker shows it: `tag invalid: The image tag …`. */
const refusal = (repository: string, tag: string): Reply =>
  jsonReply({ errors: [{ code: "TAG_INVALID", message: immutableTag(repository, tag) }] }, 400);

/** Has what is to be done for one key wait for what is being done for it. */
function turns() {
  const last = new Map<string, Promise<void>>();
  return async (key: string, act: () => Promise<void>): Promise<void> => {
    const mine = (last.get(key) ?? Promise.resolve()).then(act);
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    await mine.finally(() => last.get(key) === settled && last.delete(key));
  };
}

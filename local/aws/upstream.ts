import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Exchange, ReadExchange, StreamedReply } from "./exchange.ts";
import type { Reply } from "./reply.ts";

/** A server behind a proxy: MiniStack, to which the front door passes on what it does not answer itself. */
export class Upstream {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Sends a request that was read, and reads the whole response. */
  forward({ incoming, body }: Pick<ReadExchange, "incoming" | "body">): Promise<Reply> {
    const { method = "GET", url = "/", headers } = incoming;
    return this.#exchange(method, url, withoutLength(endToEnd(headers)), body);
  }

  /** Sends a form of the Query protocol that holds nothing of anybody's request. */
  post(form: URLSearchParams): Promise<Reply> {
    const headers = { host: this.#url.host, "content-type": "application/x-www-form-urlencoded" };
    return this.#exchange("POST", "/", headers, form.toString());
  }

  /** Passes a request on as it comes, and gives the response as soon as its headers are there. */
  stream({ incoming, outgoing }: Pick<Exchange, "incoming" | "outgoing">): Promise<StreamedReply> {
    return new Promise((resolve, reject) => {
      const { method, url: path } = incoming;
      const options = { method, path, headers: endToEnd(incoming.headers), agent: this.#agent };
      const upstream = request(this.#url, options, (response) => {
        resolve({
          status: response.statusCode ?? 502,
          headers: asStrings(endToEnd(response.headers)),
          body: response,
        });
      });
      upstream.once("error", reject);
      outgoing.once("close", () => {
        if (!outgoing.writableFinished) upstream.destroy();
      });
      incoming.once("error", (error) => upstream.destroy(error));
      incoming.pipe(upstream);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(method: string, path: string, headers: IncomingHttpHeaders, body: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const length = { "content-length": Buffer.byteLength(body) };
      const options = { method, path, headers: { ...headers, ...length }, agent: this.#agent };
      const upstream = request(this.#url, options, (response) => {
        readWhole(response).then(
          (text) =>
            resolve({
              status: response.statusCode ?? 502,
              headers: asStrings(withoutLength(endToEnd(response.headers))),
              body: text,
            }),
          reject,
        );
      });
      upstream.once("error", reject);
      upstream.end(body);
    });
  }
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
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

const asStrings = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { send } from "../../../local/aws/exchange.ts";
import { Upstream } from "../../../local/aws/upstream.ts";

/** A server on a free port, and its URL. */
async function listening(handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void) {
  const server: Server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}

describe("Upstream", () => {
  const bodyOf = async (incoming: IncomingMessage) => {
    let text = "";
    for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
    return text;
  };

  it("forwards what was read, with the length that it has now, and reads the whole answer", async () => {
    const server = await listening(async (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const seen = { method, url, length: headers["content-length"], kept: headers["x-kept"] };
      outgoing.setHeader("connection", "x-private").setHeader("x-private", "1").setHeader("x-from", "here");
      outgoing.writeHead(202).end(JSON.stringify({ ...seen, body: await bodyOf(incoming) }));
    });
    const upstream = new Upstream(server.url);
    const headers = { "content-length": "3", "x-kept": "1", te: "trailers" };
    const incoming = { method: "PUT", url: "/a?b=c", headers } as unknown as IncomingMessage;
    const reply = await upstream.forward({ incoming, body: "größer" });
    expect(reply.status).to.equal(202);
    expect(reply.headers)
      .to.include({ "x-from": "here" })
      .and.not.to.have.any.keys("x-private", "content-length");
    expect(JSON.parse(reply.body)).to.deep.equal({
      method: "PUT",
      url: "/a?b=c",
      length: "8",
      kept: "1",
      body: "größer",
    });
    upstream.close();
    await server.close();
  });

  it("posts a form with nothing of anybody's request in it", async () => {
    const server = await listening(async (incoming, outgoing) =>
      outgoing.end(`${incoming.headers["content-type"]} ${incoming.headers.host} ${await bodyOf(incoming)}`),
    );
    const upstream = new Upstream(server.url);
    const { body } = await upstream.post(new URLSearchParams({ Action: "a b" }));
    expect(body).to.equal(
      `application/x-www-form-urlencoded ${server.url.replace("http://", "")} Action=a+b`,
    );
    upstream.close();
    await server.close();
  });

  it("ends its own request when a client that it streams for goes away", async () => {
    let begun = (): void => undefined;
    const underWay = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let gone: Promise<unknown> | undefined;
    const server = await listening((_, outgoing) => {
      gone = once(outgoing, "close");
      outgoing.write("the beginning");
      begun();
    });
    const upstream = new Upstream(server.url);
    const proxy = await listening((incoming, outgoing) => {
      const exchange = { incoming, outgoing };
      upstream
        .stream(exchange)
        .then((reply) => send(exchange, reply))
        .catch(() => outgoing.destroy());
    });
    const client = request(proxy.url).on("error", () => undefined);
    client.end();
    await underWay;
    client.destroy();
    await gone; // or the test ends by its timeout
    upstream.close();
    await proxy.close();
    await server.close();
  });

  it("says that it cannot be reached", async () => {
    const upstream = new Upstream("http://127.0.0.1:1");
    const told = await upstream
      .post(new URLSearchParams())
      .catch((error: NodeJS.ErrnoException) => error.code);
    expect(told).to.equal("ECONNREFUSED");
  });
});

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Certificate } from "./certificate.ts";

/** What S3 does next: answer, throttle, fail, refuse, or hang. */
export type Mood = "well" | "throttles" | "fails" | "refuses" | "hangs";

/**
 * S3 and STS, as far as the listers ask them: in the shapes of the real ones, and as broken as a test wants. It is a proxy
 * too: whatever host a request is for, it answers itself.
 */
export class FakeAws {
  /** Names of the buckets. */
  buckets = ["alpha", "beta", "gamma"];
  /** Buckets on a page. */
  pageSize = 1000;
  /** What comes next, one for each request; then `mood`. */
  readonly next: Mood[] = [];
  mood: Mood = "well";
  /** What STS does with a token. */
  sts: "well" | "refuses" | "hangs" = "well";
  /** Seconds that the credentials for a token live. */
  sessionSeconds = 3600;
  /** Tokens that were swapped, in their order. */
  readonly tokens: string[] = [];
  /** Roles that were assumed with credentials, and by what external id. */
  readonly assumed: { readonly role: string; readonly externalId: string | null }[] = [];
  /** Access keys that buckets were listed with, in their order. */
  readonly keys: string[] = [];
  /** What each request that it answered told a proxy of who it is; "" for those that told nothing. */
  readonly proxyAuthorizations: string[] = [];
  /** What it wants to be told as a proxy, else it answers 407; "" when anyone may use it. */
  proxyAuthorization = "";
  /** Tunnels that it made, as `host:port`. */
  readonly tunnels: string[] = [];
  readonly #certificate: Certificate | undefined;
  #server?: Server;
  #port = 0;

  /** @param certificate What it shows to those who come through a tunnel. */
  constructor(certificate?: Certificate) {
    this.#certificate = certificate;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after `stop` on the same port again. */
  async start(): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      // A client that is killed in the middle of its request is no failure of ours.
      this.#answer(request, response).catch(() => response.destroy());
    };
    this.#server = createServer(answer);
    const secure = createSecureServer({ ...this.#certificate }, answer);
    this.#server.on("connect", (request, socket) => {
      socket.on("error", () => socket.destroy());
      if (this.#refusesAsProxy(request)) {
        const head = Object.entries(challenge).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.end(`HTTP/1.1 407 Proxy Authentication Required\r\n${head.join("")}\r\n`);
        return;
      }
      this.tunnels.push(request.url ?? "");
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      secure.emit("connection", socket);
    });
    await new Promise<void>((resolve) => this.#server?.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  turn(mood: Mood): void {
    this.mood = mood;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (code: number, body: string): void => {
      response.writeHead(code, { "content-type": "text/xml", "x-amz-request-id": "R1" }).end(body);
    };
    const parameters = new URLSearchParams(await text(request));
    // Only a proxy is asked for a whole URL.
    if (request.url?.startsWith("http:") && this.#refusesAsProxy(request)) {
      response.writeHead(407, challenge).end();
      return;
    }
    this.proxyAuthorizations.push(request.headers["proxy-authorization"] ?? "");
    const action = parameters.get("Action");
    if (action === "AssumeRoleWithWebIdentity") {
      if (this.sts === "hangs") return;
      if (this.sts === "refuses") return send(403, stsRefusal);
      return send(200, this.#swap(parameters));
    }
    if (action === "AssumeRole") return send(200, this.#assume(parameters));
    if (action === "GetCallerIdentity") return send(200, identity);
    this.keys.push(/Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "");
    switch (this.next.shift() ?? this.mood) {
      case "hangs":
        return;
      case "throttles":
        return send(503, failure("SlowDown", "Please reduce your request rate."));
      case "fails":
        return send(500, failure("InternalError", "We encountered an internal error."));
      case "refuses":
        return send(403, failure("AccessDenied", "Access Denied"));
      case "well":
        return send(200, this.#page(new URL(request.url ?? "/", this.url).searchParams));
    }
  }

  #refusesAsProxy(request: IncomingMessage): boolean {
    return this.proxyAuthorization !== (request.headers["proxy-authorization"] ?? "");
  }

  #swap(parameters: URLSearchParams): string {
    this.tokens.push(parameters.get("WebIdentityToken") ?? "");
    return this.#session("AssumeRoleWithWebIdentity", `KEY${this.tokens.length}`);
  }

  #assume(parameters: URLSearchParams): string {
    this.assumed.push({
      role: parameters.get("RoleArn") ?? "",
      externalId: parameters.get("ExternalId"),
    });
    return this.#session("AssumeRole", `NEXT${this.assumed.length}`);
  }

  #session(action: string, accessKey: string): string {
    const expires = new Date(Date.now() + this.sessionSeconds * 1000).toISOString();
    return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
<Credentials><AccessKeyId>${accessKey}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${expires}</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/reader/session</Arn><AssumedRoleId>A:session</AssumedRoleId></AssumedRoleUser>
</${action}Result></${action}Response>`;
  }

  #page(query: URLSearchParams): string {
    const from = Number(query.get("continuation-token") ?? 0);
    const to = from + Math.min(this.pageSize, Number(query.get("max-buckets") ?? Number.POSITIVE_INFINITY));
    const entries = this.buckets
      .slice(from, to)
      .map(
        (name) =>
          `<Bucket><Name>${name}</Name><CreationDate>2026-11-24T09:29:37.861Z</CreationDate></Bucket>`,
      );
    const more = to < this.buckets.length ? `<ContinuationToken>${to}</ContinuationToken>` : "";
    return `<?xml version="1.0" encoding="UTF-8"?>
<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>o</ID></Owner><Buckets>${entries.join("")}</Buckets>${more}</ListAllMyBucketsResult>`;
  }
}

const challenge = { "proxy-authenticate": 'Basic realm="proxy"', "content-length": "0" };

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::111122223333:assumed-role/reader/session</Arn><UserId>A:session</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

/** What STS says to a token whose subject the role's trust policy does not name. */
const stsRefusal = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error><RequestId>R1</RequestId></ErrorResponse>`;

const failure = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>R1</RequestId></Error>`;

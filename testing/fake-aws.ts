import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What S3 does next: answer, throttle, fail, refuse, or hang. */
export type Mood = "well" | "throttles" | "fails" | "refuses" | "hangs";

/** S3 and STS, as far as the listers ask them: in the shapes of the real ones, and as broken as a test wants. */
export class FakeAws {
  /** Names of the buckets. */
  buckets = ["alpha", "beta", "gamma"];
  /** Buckets on a page. */
  pageSize = 1000;
  /** What comes next, one for each request; then `mood`. */
  readonly next: Mood[] = [];
  mood: Mood = "well";
  /** Seconds that the credentials for a token live. */
  sessionSeconds = 3600;
  /** Tokens that were swapped, in their order. */
  readonly tokens: string[] = [];
  /** Access keys that buckets were listed with, in their order. */
  readonly keys: string[] = [];
  /** What each request told a proxy of who it is; "" for those that told nothing. */
  readonly proxyAuthorizations: string[] = [];
  #server?: Server;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; after `stop` on the same port again. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      // A client that is killed in the middle of its request is no failure of ours.
      this.#answer(request, response).catch(() => response.destroy());
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
    this.proxyAuthorizations.push(request.headers["proxy-authorization"] ?? "");
    const parameters = new URLSearchParams(await text(request));
    const action = parameters.get("Action");
    if (action === "AssumeRoleWithWebIdentity") return send(200, this.#swap(parameters));
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

  #swap(parameters: URLSearchParams): string {
    this.tokens.push(parameters.get("WebIdentityToken") ?? "");
    const expires = new Date(Date.now() + this.sessionSeconds * 1000).toISOString();
    return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<Credentials><AccessKeyId>KEY${this.tokens.length}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${expires}</Expiration></Credentials>
<AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/reader/session</Arn><AssumedRoleId>A:session</AssumedRoleId></AssumedRoleUser>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
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

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::111122223333:assumed-role/reader/session</Arn><UserId>A:session</UserId><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

const failure = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>R1</RequestId></Error>`;

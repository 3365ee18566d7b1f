import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { isIssuedKeyId } from "../aws/request.ts";

/** Who may do what in the cluster, as EKS keeps it. */
export interface AccessEntries {
  accessEntry(
    clusterName: string,
    principalArn: string,
  ): Promise<
    | {
        /** Default: the principal's ARN. */
        username?: string;
        groups: readonly string[];
        /** ARNs of the EKS access policies associated with it. */
        accessPolicies: readonly string[];
      }
    | undefined
  >;
}

export interface TokenAuthenticatorOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  port: number;
  /** Key and certificate in PEM. Default: plain HTTP, which kube-apiserver takes in a webhook's kubeconfig. */
  tls?: { key: string; cert: string };
  /** The STS at which tokens are redeemed: MiniStack's URL. */
  sts: string;
  /**
   * `host:port` under which clients know that STS, such as the front door's addresses. A token for another host is
   * refused, unless it is AWS's own STS: a token is made for that by a client that knows nothing of local.
   */
  hosts: readonly string[];
  /** The cluster's name now; undefined while there is none, when nobody is let in. */
  clusterName(): Promise<string | undefined>;
  entries: AccessEntries;
  /** Default: the machine's clock. */
  now?(): Date;
  log(line: string): void;
}

export interface TokenAuthenticator {
  port: number;
  /**
   * For `clusters[].cluster.server` of the kubeconfig given as `--authentication-token-webhook-config-file`. With a name
   * behind it, for the API server of the cluster of that name.
   */
  url: string;
  close(): Promise<void>;
}

/** Who a token belongs to, as AWS's authenticator tells Kubernetes. */
interface User {
  username: string;
  uid: string;
  groups: string[];
  extra: Record<string, string[]>;
}

const prefix = "k8s-aws-v1.";
/** What `aws eks get-token` promises; the 60 s in the URL's X-Amz-Expires are not what EKS goes by. */
const validSeconds = 15 * 60;
const clockSkewSeconds = 60;
const maxBody = 64 * 1024;

/**
 * EKS's authentication of people and tools: a TokenReview webhook that takes the tokens of `aws eks get-token`. Such
 * a token is a presigned GetCallerIdentity; it is redeemed at STS with the cluster's name as the signed header
 * `x-k8s-aws-id`, so a token for another cluster does not verify. What the caller may do comes from the cluster's
 * access entries; one without an entry is not let in.
 */
export async function startTokenAuthenticator(
  options: TokenAuthenticatorOptions,
): Promise<TokenAuthenticator> {
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    respond(incoming, options)
      .then(([status, body]) => {
        outgoing.writeHead(status, { "content-type": "application/json" });
        outgoing.end(JSON.stringify(body));
      })
      .catch((error: unknown) => {
        options.log(`TokenReview failed: ${error instanceof Error ? error.message : error}`);
        outgoing.writeHead(500).end();
      });
  };
  const host = options.host ?? "127.0.0.1";
  const server: Server = options.tls
    ? createHttpsServer(options.tls, onRequest)
    : createHttpServer(onRequest);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${options.tls ? "https" : "http"}://${host}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  incoming: IncomingMessage,
  options: TokenAuthenticatorOptions,
): Promise<[number, unknown]> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) return [413, { error: "TokenReview too large" }];
    chunks.push(chunk);
  }
  let review: { apiVersion?: unknown; spec?: { token?: unknown } };
  try {
    review = JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return [400, { error: "not a TokenReview" }];
  }
  const token = review?.spec?.token;
  if (typeof token !== "string") return [400, { error: "not a TokenReview" }];

  const answer = (status: unknown): [number, unknown] => [
    200,
    { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status },
  ];
  const asked = new URL(incoming.url ?? "/", "http://local").pathname.slice(1);
  const user = await authenticate(token, asked === "" ? await options.clusterName() : asked, options);
  if (typeof user === "string") {
    // A bearer token of another kind comes here too, when no other authenticator took it.
    if (token.startsWith(prefix)) options.log(`TokenReview refused: ${user}`);
    return answer({ authenticated: false, error: user });
  }
  options.log(`TokenReview: ${user.username} in ${user.groups.join(", ") || "no groups"}`);
  return answer({ authenticated: true, user });
}

/** The token's user, or why there is none. */
async function authenticate(
  token: string,
  cluster: string | undefined,
  options: TokenAuthenticatorOptions,
): Promise<User | string> {
  const now = (options.now?.() ?? new Date()).getTime() / 1000;
  const presigned = parseToken(token, options.hosts, now);
  if (typeof presigned === "string") return presigned;
  if (cluster === undefined) return "there is no EKS cluster";

  const identity = await callerIdentity(presigned, cluster, options.sts);
  if (typeof identity === "string") return identity;
  const { arn, account, userId } = identity;
  const canonicalArn = arn.replace(
    /^arn:(aws[\w-]*):sts::(\d+):assumed-role\/([^/]+)\/.*$/,
    "arn:$1:iam::$2:role/$3",
  );
  const entry = await options.entries.accessEntry(cluster, canonicalArn);
  if (!entry) return `${canonicalArn} has no access entry in the cluster ${cluster}`;
  // EKS has an authorizer of its own for access policies; of these only the one that is an RBAC group can be given here.
  const admin = entry.accessPolicies.some((policy) => policy.endsWith("/AmazonEKSClusterAdminPolicy"));
  return {
    username: entry.username ?? arn,
    uid: `aws-iam-authenticator:${account}:${userId}`,
    groups: [...entry.groups, ...(admin ? ["system:masters"] : [])],
    extra: { arn: [arn], canonicalArn: [canonicalArn], accessKeyId: [presigned.accessKeyId] },
  };
}

interface Presigned {
  url: URL;
  accessKeyId: string;
}

/** The presigned URL in a token, or what is wrong with it. What it says is proven only by STS taking it. */
function parseToken(token: string, hosts: readonly string[], now: number): Presigned | string {
  if (!token.startsWith(prefix)) return `the token does not start with ${prefix}`;
  const encoded = token.slice(prefix.length);
  if (encoded.length > 8192 || !/^[\w-]+$/.test(encoded)) return "the token is not base64url";
  const text = Buffer.from(encoded, "base64url").toString();
  if (!URL.canParse(text)) return "the token holds no URL";
  const url = new URL(text);
  const query = url.searchParams;

  const aws = url.protocol === "https:" && /^sts\.([a-z0-9-]+\.)?amazonaws\.com(\.cn)?$/.test(url.host);
  if (!aws && !hosts.includes(url.host))
    return `the token is for ${url.host}, which is not this account's STS`;
  if (url.pathname !== "/" || url.username !== "" || url.hash !== "")
    return "the token's URL is not one of STS";
  const names = [...query.keys()].map((name) => name.toLowerCase());
  if (new Set(names).size !== names.length) return "the token's URL has a parameter twice";
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) return `the token's URL has an unexpected parameter ${unknown}`;
  if (query.get("Action") !== "GetCallerIdentity") return "the token is not for GetCallerIdentity";
  const signed = (query.get("X-Amz-SignedHeaders") ?? "").toLowerCase().split(";");
  if (!signed.includes("x-k8s-aws-id") || !signed.includes("host"))
    return "the token's signature names no cluster";

  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get("X-Amz-Date") ?? "");
  const at = time
    ? Date.parse(`${time[1]}-${time[2]}-${time[3]}T${time[4]}:${time[5]}:${time[6]}Z`) / 1000
    : Number.NaN;
  if (!(now - at <= validSeconds)) return "the token has expired";
  if (at - now > clockSkewSeconds) return "the token is from the future";

  const accessKeyId = query.get("X-Amz-Credential")?.split("/")[0] ?? "";
  if (!isIssuedKeyId(accessKeyId)) return "the token's access key is not one of this account";
  return { url, accessKeyId };
}

const known = new Set([
  "action",
  "version",
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-security-token",
  "x-amz-signature",
  "x-amz-signedheaders",
]);

interface Identity {
  arn: string;
  account: string;
  userId: string;
}

/** Redeems the presigned URL, or says why STS does not. The header is the cluster's name, whatever the token was made for. */
function callerIdentity(presigned: Presigned, cluster: string, sts: string): Promise<Identity | string> {
  return new Promise((resolve, reject) => {
    const { host, search } = presigned.url;
    const call = httpRequest(
      new URL(sts),
      { path: `/${search}`, headers: { host, "x-k8s-aws-id": cluster }, timeout: 5000 },
      (response) => {
        let xml = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          xml += chunk;
        });
        response.once("error", reject);
        response.once("end", () => {
          const [arn, account, userId] = ["Arn", "Account", "UserId"].map((name) => element(xml, name));
          if (response.statusCode !== 200 || !arn || !account || !userId) {
            resolve(`STS refused the token: ${element(xml, "Message") ?? `status ${response.statusCode}`}`);
          } else resolve({ arn, account, userId });
        });
      },
    );
    call.once("timeout", () => call.destroy(new Error("STS did not answer within 5 s")));
    call.once("error", reject);
    call.end();
  });
}

const element = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { startTokenAuthenticator, type TokenAuthenticator } from "../../../local/eks/token-authenticator.ts";

const now = Date.UTC(2027, 0, 15, 12, 0, 0);
const admin = "arn:aws:iam::000000000000:user/admin";
const clusterAdmin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const identity = (arn: string) =>
  `<R><Arn>${arn}</Arn><UserId>AIDA</UserId><Account>000000000000</Account></R>`;

describe("the token authenticator", () => {
  let sts: Server;
  let authenticator: TokenAuthenticator;
  let asked: { path: string; headers: IncomingHttpHeaders }[];
  let arn: string;
  let status: number;
  let cluster: string | undefined;
  let log: string[];

  before(async () => {
    sts = createServer((incoming, outgoing) => {
      asked.push({ path: incoming.url ?? "", headers: incoming.headers });
      outgoing.writeHead(status).end(status === 200 ? identity(arn) : "<E><Message>no match</Message></E>");
    });
    await new Promise<void>((resolve) => sts.listen(0, "127.0.0.1", resolve));
    authenticator = await startTokenAuthenticator({
      port: 0,
      sts: `http://127.0.0.1:${(sts.address() as AddressInfo).port}`,
      hosts: ["127.0.0.1:4566"],
      clusterName: async () => cluster,
      entries: {
        accessEntry: async (name, principal) => {
          if (name !== "irsa") return undefined;
          if (principal === admin) return { groups: [], accessPolicies: [clusterAdmin] };
          if (principal === "arn:aws:iam::000000000000:role/dev") {
            return { username: "dev", groups: ["devs"], accessPolicies: ["arn:x/AmazonEKSViewPolicy"] };
          }
          return undefined;
        },
      },
      now: () => new Date(now),
      log: (line) => log.push(line),
    });
  });
  after(async () => {
    await authenticator.close();
    sts.closeAllConnections();
    await new Promise((resolve) => sts.close(resolve));
  });
  beforeEach(() => {
    asked = [];
    log = [];
    arn = admin;
    status = 200;
    cluster = "irsa";
  });

  const parameters = {
    Action: "GetCallerIdentity",
    Version: "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20270115/eu-central-1/sts/aws4_request",
    "X-Amz-Date": "20270115T115900Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    "X-Amz-Signature": "00",
  };
  const encode = (url: string) => `k8s-aws-v1.${Buffer.from(url).toString("base64url")}`;
  const token = (changes: Record<string, string> = {}, base = "https://sts.eu-central-1.amazonaws.com/") =>
    encode(`${base}?${new URLSearchParams({ ...parameters, ...changes })}`);
  const review = async (value: unknown, cluster = "") => {
    const response = await fetch(`${authenticator.url}${cluster}?timeout=30s`, {
      method: "POST",
      body: JSON.stringify({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token: value },
      }),
    });
    const body = (await response.json()) as {
      status: { authenticated: boolean; error?: string; user?: object };
    };
    return { status: response.status, body };
  };

  it("lets the cluster's creator in as system:masters", async () => {
    const { body } = await review(token());
    expect(body).to.deep.equal({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      status: {
        authenticated: true,
        user: {
          username: admin,
          uid: "aws-iam-authenticator:000000000000:AIDA",
          groups: ["system:masters"],
          extra: { arn: [admin], canonicalArn: [admin], accessKeyId: ["AKIAIOSFODNN7EXAMPLE"] },
        },
      },
    });
  });

  it("judges by the cluster whose API server asks, where that is another", async () => {
    const { body } = await review(token(), "next");
    expect(body.status.error).to.equal(`${admin} has no access entry in the cluster next`);
    expect(asked[0]?.headers["x-k8s-aws-id"]).to.equal("next");
  });

  it("asks STS with the host that was signed, and with its own cluster's name", async () => {
    await review(token());
    expect(asked[0]?.headers).to.include({ host: "sts.eu-central-1.amazonaws.com", "x-k8s-aws-id": "irsa" });
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.path.slice(2)))).to.deep.equal(parameters);
    await review(token({}, "http://127.0.0.1:4566/"));
    expect(asked[1]?.headers.host).to.equal("127.0.0.1:4566");
  });

  it("gives a role's sessions the user and groups of the role's access entry", async () => {
    arn = "arn:aws:sts::000000000000:assumed-role/dev/session";
    expect((await review(token())).body.status.user).to.deep.include({ username: "dev", groups: ["devs"] });
  });

  it("does not let in a principal without access entry", async () => {
    arn = "arn:aws:sts::000000000000:assumed-role/s3-lister/pod";
    expect((await review(token())).body.status).to.deep.equal({
      authenticated: false,
      error: "arn:aws:iam::000000000000:role/s3-lister has no access entry in the cluster irsa",
    });
  });

  it("does not let in whom STS does not know", async () => {
    status = 403;
    expect((await review(token())).body.status).to.deep.equal({
      authenticated: false,
      error: "STS refused the token: no match",
    });
  });

  it("lets nobody in while there is no cluster", async () => {
    cluster = undefined;
    expect((await review(token())).body.status.error).to.equal("there is no EKS cluster");
    expect(asked).to.be.empty;
  });

  it("takes a token for 15 minutes, whatever its URL says", async () => {
    expect((await review(token({ "X-Amz-Date": "20270115T114500Z" }))).body.status.authenticated).to.equal(
      true,
    );
  });

  const refused: [string, string, () => string][] = [
    ["of more than 15 minutes", "the token has expired", () => token({ "X-Amz-Date": "20270115T114459Z" })],
    ["from the future", "the token is from the future", () => token({ "X-Amz-Date": "20270115T120200Z" })],
    ["without a date", "the token has expired", () => token({ "X-Amz-Date": "" })],
    [
      "that signs no cluster",
      "the token's signature names no cluster",
      () => token({ "X-Amz-SignedHeaders": "host" }),
    ],
    ["for another action", "the token is not for GetCallerIdentity", () => token({ Action: "AssumeRole" })],
    ["with another parameter", "the token's URL has an unexpected parameter x", () => token({ x: "1" })],
    [
      "with a parameter twice",
      "the token's URL has a parameter twice",
      () => token({ action: "GetCallerIdentity" }),
    ],
    [
      "of MiniStack's root",
      "the token's access key is not one of this account",
      () => token({ "X-Amz-Credential": "test/20270115/eu-central-1/sts/aws4_request" }),
    ],
    [
      "for another host",
      "the token is for example.com, which is not this account's STS",
      () => token({}, "https://example.com/"),
    ],
    [
      "for a host that only looks like AWS's",
      "the token is for sts.amazonaws.com.evil.com, which is not this account's STS",
      () => token({}, "https://sts.amazonaws.com.evil.com/"),
    ],
    [
      "for AWS without TLS",
      "the token is for sts.amazonaws.com, which is not this account's STS",
      () => token({}, "http://sts.amazonaws.com/"),
    ],
    ["for another path", "the token's URL is not one of STS", () => token({}, "https://sts.amazonaws.com/x")],
    ["that holds no URL", "the token holds no URL", () => encode("hello")],
    ["in another alphabet", "the token is not base64url", () => "k8s-aws-v1.a+b="],
    ["of a service account", "the token does not start with k8s-aws-v1.", () => "eyJhbGciOi.J9.x"],
  ];
  for (const [name, error, make] of refused) {
    it(`refuses a token ${name}, without asking STS`, async () => {
      expect((await review(make())).body.status).to.deep.equal({ authenticated: false, error });
      expect(asked).to.be.empty;
    });
  }

  it("refuses what is no TokenReview", async () => {
    const send = async (body: string) => (await fetch(authenticator.url, { method: "POST", body })).status;
    expect(await send("{")).to.equal(400);
    expect(await send("null")).to.equal(400);
    expect((await review(7)).status).to.equal(400);
    expect(await send("x".repeat(100_000))).to.equal(413);
  });

  it("logs who was let in, and never a token", async () => {
    const value = token();
    await review(value);
    await review("other.kind.oftoken");
    expect(log).to.deep.equal([`TokenReview: ${admin} in system:masters`]);
  });
});

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { type FrontDoor, startFrontDoor } from "../../../local/aws/frontdoor.ts";
import { asModel, type Model } from "../../../local/aws/models.ts";
import { assumeRoleForPodIdentity } from "../../../local/eks/eks-auth-client.ts";
import { description } from "./boxes.ts";
import { assumed, podEnvironment, podToken } from "./pods.ts";
import {
  call,
  environment,
  forge,
  issuer,
  providerArn,
  roleArn,
  type Signer,
  sign,
  signer,
  subject,
} from "./tokens.ts";

/** A request as it came to MiniStack. */
interface Received {
  method: string;
  path: string;
  headers: Record<string, unknown>;
  body: Buffer;
}

/** What a signature says; nothing here checks it. */
const signedFor = (service: string, id = "AKIAIOSFODNN7EXAMPLE") =>
  `AWS4-HMAC-SHA256 Credential=${id}/20270115/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=00`;
const form = "application/x-www-form-urlencoded";

const eksOptions = {
  kubernetes: {
    endpoint: "https://127.0.0.1:6443",
    certificateAuthority: "UEVN",
    issuer,
    version: "1.34",
  },
  clusterNames: async () => ["irsa"],
  tags: async () => ({}),
  association: async () => undefined,
  role: async () => undefined,
  principalExists: async () => true,
  accountId: "000000000000",
  region: "eu-central-1",
};

const models: Record<string, Model> = {
  kms: asModel(description),
  eks: asModel({
    metadata: { protocol: "rest-json" },
    operations: { DescribeCluster: { http: { method: "GET", requestUri: "/clusters/{name}" } } },
    shapes: {},
  }),
};

describe("the front door", () => {
  let upstream: Server;
  let door: FrontDoor;
  let key: Signer;
  let received: Received[];
  let respond: { status: number; headers: Record<string, string>; body: string | Buffer };
  let log: string[];

  before(async () => {
    key = await signer();
    upstream = createServer(async (incoming, outgoing) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const { method = "", url = "", headers } = incoming;
      received.push({ method, path: url, headers, body: Buffer.concat(chunks) });
      outgoing.writeHead(respond.status, respond.headers).end(respond.body);
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    door = await startFrontDoor({
      addresses: ["127.0.0.1", "127.0.0.2"],
      port: 0,
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      webIdentity: environment(key),
      iam: {
        policyExists: async () => false,
        oidcProvider: () => Promise.reject(new Error("not asked")),
        replaceOidcProvider: () => Promise.reject(new Error("not asked")),
      },
      eks: eksOptions,
      eksAuth: { podIdentity: podEnvironment(key), assumeRole: async (...how) => assumed(...how) },
      models: async (service) => models[service],
      registry: { host: "127.0.0.1:5000", password: "secret", deleteImages: async () => undefined },
      log: (line) => log.push(line),
    });
  });
  after(async () => {
    await door.close();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  });
  beforeEach(() => {
    received = [];
    log = [];
    respond = { status: 200, headers: { "x-from": "ministack" }, body: "from MiniStack" };
  });

  const send = (path: string, init: RequestInit = {}) => fetch(`${door.url}${path}`, init);
  const post = (body: string, headers: Record<string, string> = {}) =>
    send("/", { method: "POST", body, headers: { "content-type": form, ...headers } });

  describe("passes on", () => {
    it("a signed request as it came, with its host, from every address", async () => {
      for (const address of ["127.0.0.1", "127.0.0.2"]) {
        const response = await fetch(`http://${address}:${door.port}/bucket/a%20b?list-type=2&x=%2F`, {
          headers: { authorization: signedFor("s3"), "x-amz-date": "20270115T000000Z" },
        });
        expect(await response.text()).to.equal("from MiniStack");
        expect(response.headers.get("x-from")).to.equal("ministack");
        expect(received.at(-1)).to.deep.include({ method: "GET", path: "/bucket/a%20b?list-type=2&x=%2F" });
        expect(received.at(-1)?.headers).to.include({
          host: `${address}:${door.port}`,
          "x-amz-date": "20270115T000000Z",
        });
      }
    });

    it("large bodies, both ways, byte for byte", async () => {
      const bytes = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef-");
      respond.body = bytes;
      const response = await send("/bucket/key", {
        method: "PUT",
        body: bytes,
        headers: { authorization: signedFor("s3") },
      });
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).to.equal(true);
      expect(received[0]?.body.equals(bytes)).to.equal(true);
    });

    it("HEAD, an empty answer, and an error status", async () => {
      respond = { status: 404, headers: { "content-length": "14" }, body: "" };
      const response = await send("/bucket/key", {
        method: "HEAD",
        headers: { authorization: signedFor("s3") },
      });
      expect(response.status).to.equal(404);
      expect(response.headers.get("content-length")).to.equal("14");
    });

    it("no header that concerns one connection only", async () => {
      await new Promise<void>((resolve, reject) => {
        const headers = {
          authorization: signedFor("s3"),
          connection: "x-private",
          "x-private": "1",
          "x-kept": "2",
          te: "trailers",
        };
        request(`${door.url}/bucket`, { headers }, (response) => response.resume().once("end", resolve))
          .once("error", reject)
          .end();
      });
      expect(received[0]?.headers).to.include({ "x-kept": "2" });
      expect(received[0]?.headers).not.to.have.any.keys("x-private", "te");
    });

    it("ECR's repositories with local's registry", async () => {
      respond.body = JSON.stringify({ repositories: [{ repositoryUri: "1.dkr.ecr.x.amazonaws.com/a" }] });
      const target = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
      const response = await post("{}", {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": target,
        authorization: signedFor("ecr"),
      });
      expect(await response.json()).to.deep.equal({ repositories: [{ repositoryUri: "127.0.0.1:5000/a" }] });
      expect(log).to.satisfy((lines: string[]) =>
        lines.some((line) => line.startsWith("POST ecr:DescribeRepositories 200 ")),
      );
    });

    it("EKS's cluster with local's Kubernetes", async () => {
      respond.body = JSON.stringify({ cluster: { name: "irsa", arn: "arn" } });
      const response = await send("/clusters/irsa", { headers: { authorization: signedFor("eks") } });
      expect(((await response.json()) as { cluster: { endpoint: string } }).cluster.endpoint).to.equal(
        "https://127.0.0.1:6443",
      );
      // Its method and path say what is asked; the log has its name.
      expect(log.at(-1)).to.match(/^GET eks:DescribeCluster 200 /);
    });
  });

  describe("refuses", () => {
    it("unsigned requests, each in its service's way", async () => {
      const s3 = await send("/");
      expect([s3.status, await s3.text()]).to.satisfy(
        ([status, body]: [number, string]) => status === 403 && body.includes("<Code>AccessDenied</Code>"),
      );
      const query = await post("Action=ListRoles&Version=2010-05-08");
      expect(await query.text()).to.contain("<Code>MissingAuthenticationToken</Code>");
      const json = await post("{}", {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "Logs_20140328.DescribeLogGroups",
      });
      expect(json.headers.get("x-amzn-errortype")).to.equal("MissingAuthenticationToken");
      expect(received).to.be.empty;
    });

    it("MiniStack's root keys, wherever they stand", async () => {
      for (const id of ["test", "000000000000", "111111111111", "", "AKIA"]) {
        const scope = `${id}/20270115/eu-central-1/s3/aws4_request`;
        const good = signedFor("s3");
        const responses = await Promise.all([
          send("/", { headers: { authorization: signedFor("s3", id) } }),
          send(`/?X-Amz-Credential=${encodeURIComponent(scope)}`),
          send(`/?x-amz-credential=${encodeURIComponent(scope)}`, { headers: { authorization: good } }),
          send(`/?AWSAccessKeyId=${id}`, { headers: { authorization: good } }),
          send("/", { headers: { authorization: `AWS ${id}:c2ln` } }),
        ]);
        for (const response of responses) {
          expect(response.status, id).to.equal(403);
          expect(await response.text()).to.contain("<Code>InvalidAccessKeyId</Code>");
        }
      }
      expect(received).to.be.empty;
    });

    it("them in every protocol with the code that its SDK knows", async () => {
      const sts = await post("Action=GetCallerIdentity", { authorization: signedFor("sts", "test") });
      expect(await sts.text()).to.contain("<Code>InvalidClientTokenId</Code>");
      const eks = await send("/clusters", { headers: { authorization: signedFor("eks", "test") } });
      expect(((await eks.json()) as { __type: string }).__type).to.equal("UnrecognizedClientException");
      const ec2 = await post("Action=DescribeVpcs", { authorization: signedFor("ec2", "test") });
      expect(await ec2.text()).to.contain("<Response><Errors><Error><Code>AuthFailure</Code>");
    });

    it("MiniStack's own pages, also to who may do all else", async () => {
      const paths = [
        "/_ministack/reset",
        "/_ministack/config",
        "/_localstack/health",
        "/health",
        "/%5fministack/reset",
        "//_ministack/reset",
        "/%zz",
      ];
      for (const path of paths) {
        const response = await send(path, { method: "POST", headers: { authorization: signedFor("s3") } });
        expect(response.status, path).to.equal(404);
      }
      expect(received).to.be.empty;
    });

    it("a request target that is no path, and goes on", async () => {
      for (const path of ["//", "http://example.com/", "*"]) {
        const status = await new Promise((resolve, reject) => {
          request(door.url, { method: "OPTIONS", path }, (response) => resolve(response.resume().statusCode))
            .once("error", reject)
            .end();
        });
        expect([403, 404], path).to.include(status);
      }
      expect(received).to.be.empty;
    });

    it("a call of more than a mebibyte to a Query API", async () => {
      const response = await post(`Action=CreateRole&x=${"y".repeat(1024 * 1024)}`, {
        authorization: signedFor("iam"),
      });
      expect(response.status).to.equal(413);
      expect(received).to.be.empty;
    });

    it("what breaks the rules of its service's model, and passes on what keeps them", async () => {
      const make = (box: object) =>
        post(JSON.stringify(box), {
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "Boxes_2015.MakeBox",
          authorization: signedFor("kms"),
        });
      const refused = await make({ BoxName: "Oak", Tags: [] });
      expect(refused.status).to.equal(400);
      expect(refused.headers.get("x-amzn-errortype")).to.equal("ValidationException");
      expect(await refused.text()).to.contain("Value 'Oak' at 'boxName' failed to satisfy constraint");
      expect(received).to.be.empty;
      expect(await (await make({ BoxName: "oak", Tags: [] })).text()).to.equal("from MiniStack");
    });

    it("a compressed call to a Query API, in which it could not see the action", async () => {
      const response = await post("xx", { authorization: signedFor("sts"), "content-encoding": "gzip" });
      expect(response.status).to.equal(400);
      expect(received).to.be.empty;
    });
  });

  describe("AssumeRoleWithWebIdentity", () => {
    const issued =
      "<R><AccessKeyId>ASIA</AccessKeyId><SubjectFromWebIdentityToken>test-subject</SubjectFromWebIdentityToken><Audience>x</Audience><Provider>y</Provider></R>";

    it("has MiniStack issue credentials for a good token, by POST and by GET", async () => {
      respond.body = issued;
      const parameters = call(await sign(key)).toString();
      for (const response of [await post(parameters), await send(`/?${parameters}`)]) {
        expect(response.status).to.equal(200);
        const text = await response.text();
        expect(text).to.contain(`<SubjectFromWebIdentityToken>${subject}</SubjectFromWebIdentityToken>`);
        expect(text).to.contain(`<Provider>${providerArn}</Provider>`);
      }
      expect(received).to.have.length(2);
    });

    it("tells MiniStack the verified claims only, and never the token", async () => {
      respond.body = issued;
      const token = await sign(key);
      await post(`${call(token)}&Extra=1`, { "x-amz-security-token": "t" });
      const sent = new URLSearchParams(received[0]?.body.toString());
      expect([...sent.keys()]).to.have.members([
        "Action",
        "Version",
        "RoleArn",
        "RoleSessionName",
        "WebIdentityToken",
        "DurationSeconds",
      ]);
      expect(sent.get("RoleArn")).to.equal(roleArn);
      expect(sent.get("WebIdentityToken")).to.equal(
        forge({ alg: "none" }, { iss: issuer, sub: subject, aud: "sts.amazonaws.com" }),
      );
      expect(received[0]?.headers).not.to.have.property("x-amz-security-token");
      expect(log.join("\n")).not.to.contain(token.split(".")[2]);
    });

    it("answers a bad token as STS does, without MiniStack", async () => {
      const response = await post(call(await sign(key, { aud: "<other>" })).toString());
      expect(response.status).to.equal(400);
      expect(response.headers.get("content-type")).to.equal("text/xml");
      expect(await response.text()).to.match(
        /^<ErrorResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/"><Error><Type>Sender<\/Type><Code>InvalidIdentityToken<\/Code><Message>Incorrect token audience<\/Message><\/Error><RequestId>[\w-]{36}<\/RequestId><\/ErrorResponse>$/,
      );
      expect(received).to.be.empty;
    });

    it("escapes what it repeats of a token", async () => {
      const text = await (await post(call(await sign(key, { iss: "https://<x>&\u0000" })).toString())).text();
      expect(text).to.contain("account for https://&#60;x&#62;&#38;</Message>");
    });

    it("cannot be called past the check", async () => {
      const bad = call(
        forge({ alg: "none" }, { iss: issuer, sub: subject, aud: "sts.amazonaws.com", exp: 9e9 }),
      ).toString();
      const authorization = signedFor("sts");
      const attempts = [
        post(bad, { authorization }),
        post(bad, { authorization, "content-type": "text/plain" }),
        post(bad.replace("Action=", "%41ction="), { authorization }),
        post(`Action=GetCallerIdentity&${bad}`, { authorization }),
        send("/?Action=GetCallerIdentity", { method: "POST", body: bad, headers: { authorization } }),
        send(`/?${bad}`, { headers: { authorization } }),
        send(`/any/path?${bad}`, { method: "PUT", headers: { authorization: signedFor("s3") } }),
        post(bad, { authorization: signedFor("ec2") }),
        post("{}", {
          authorization,
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": "AWSSecurityTokenServiceV20110615.AssumeRoleWithWebIdentity",
        }),
      ];
      for (const [index, response] of (await Promise.all(attempts)).entries()) {
        expect(response.status, `attempt ${index}`).to.equal(400);
        expect(await response.text()).to.match(/InvalidIdentityToken|ValidationError|InvalidAction/);
      }
      expect(received).to.be.empty;
    });
  });

  describe("AssumeRoleForPodIdentity", () => {
    /** What MiniStack says of a service that it does not have, once the signature is found good. */
    const unknown = { status: 400, headers: {}, body: '{"error": "Unsupported service: eks-auth"}' };
    const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "s" };
    const ask = (token: string, clusterName = "irsa") =>
      assumeRoleForPodIdentity(clusterName, token, {
        endpoint: door.url,
        region: "eu-central-1",
        credentials,
      });
    const refused = (asked: Promise<unknown>) =>
      asked.then(
        () => "not refused",
        (error: { code?: string; status?: number }) => `${error.status} ${error.code}`,
      );
    beforeEach(() => {
      respond = unknown;
    });

    it("gives a pod credentials of its role", async () => {
      const { associationId, ...session } = await ask(await podToken(key));
      expect(session).to.deep.include({
        accessKeyId: "ASIAPOD",
        secretAccessKey: "secret",
        sessionToken: "session",
      });
      expect(session.arn).to.match(/^arn:aws:sts::000000000000:assumed-role\/app\/eks-irsa-/);
      expect(associationId).to.equal("a-1");
    });

    it("answers as EKS Auth's model has it", async () => {
      const response = await send("/clusters/irsa/assume-role-for-pod-identity", {
        method: "POST",
        body: JSON.stringify({ token: await podToken(key) }),
        headers: { authorization: signedFor("eks-auth"), "content-type": "application/json" },
      });
      const answer = (await response.json()) as { credentials: { expiration: number } };
      expect(answer).to.deep.include({
        subject: { namespace: "default", serviceAccount: "s3-irsa" },
        audience: "pods.eks.amazonaws.com",
      });
      expect(answer.credentials.expiration).to.equal(1_800_003_600);
    });

    it("refuses in EKS Auth's codes, and logs no token", async () => {
      const token = await podToken(key, { aud: ["sts.amazonaws.com"] });
      expect(await refused(ask(token))).to.equal("400 InvalidTokenException");
      expect(await refused(ask(await podToken(key), "other"))).to.equal("404 ResourceNotFoundException");
      expect(log.join("\n")).to.contain("InvalidTokenException").and.not.contain(token.split(".")[2]);
    });

    it("leaves to MiniStack whether the caller's signature is good", async () => {
      const body = JSON.stringify({ __type: "InvalidSignatureException", message: "no" });
      respond = { status: 403, headers: { "content-type": "application/json" }, body };
      expect(await refused(ask(await podToken(key)))).to.equal("403 InvalidSignatureException");
    });

    it("refuses unsigned calls, MiniStack's root, and other paths", async () => {
      const path = "/clusters/irsa/assume-role-for-pod-identity";
      const body = JSON.stringify({ token: await podToken(key) });
      for (const headers of [{}, { authorization: signedFor("eks-auth", "test") }])
        expect((await send(path, { method: "POST", body, headers })).status).to.equal(403);
      const authorization = signedFor("eks-auth");
      for (const [method, other] of [
        ["PUT", path],
        ["POST", "/clusters/irsa"],
      ] as const)
        expect((await send(other, { method, body, headers: { authorization } })).status).to.equal(404);
      expect(received).to.be.empty;
    });
  });

  it("serves the AWS SDK", async () => {
    respond = {
      status: 200,
      headers: { "content-type": "text/xml" },
      body: "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>",
    };
    const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "s" };
    const client = new STSClient({ endpoint: door.url, region: "eu-central-1", credentials });
    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).to.equal("arn:x");
    client.destroy();
  });

  /** Options of a front door behind which nothing answers. */
  const withoutMiniStack = () => ({
    upstream: "http://127.0.0.1:1",
    webIdentity: environment(key),
    iam: undefined as never,
    eks: eksOptions,
    eksAuth: undefined as never,
    models: async () => undefined,
    registry: { host: "", password: "", deleteImages: async () => undefined },
    log: () => undefined,
  });

  it("says that MiniStack is down, with a status that SDKs retry", async () => {
    const down = await startFrontDoor({
      addresses: ["127.0.0.1"],
      port: 0,
      ...withoutMiniStack(),
    });
    const s3 = await fetch(`${down.url}/bucket`, { headers: { authorization: signedFor("s3") } });
    const sts = await fetch(`${down.url}/?Action=GetCallerIdentity`, {
      headers: { authorization: signedFor("sts") },
    });
    await down.close();
    expect([s3.status, sts.status]).to.deep.equal([503, 503]);
    expect(await s3.text()).to.contain("MiniStack does not answer");
  });

  it("ends with a port that is taken, and leaves none open", async () => {
    const taken = startFrontDoor({
      addresses: ["127.0.0.3", "127.0.0.1"],
      port: door.port,
      ...withoutMiniStack(),
    });
    expect(
      await taken.then(
        () => "started",
        (error: NodeJS.ErrnoException) => error.code,
      ),
    ).to.equal("EADDRINUSE");
    expect(
      await fetch(`http://127.0.0.3:${door.port}`).then(
        () => "open",
        () => "closed",
      ),
    ).to.equal("closed");
  });
});

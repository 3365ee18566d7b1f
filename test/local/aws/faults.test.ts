import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateClusterCommand, EKSClient } from "@aws-sdk/client-eks";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { type FaultKind, type FaultPlan, Faults, type Moment } from "../../../local/aws/faults.ts";
import { type FrontDoor, startFrontDoor } from "../../../local/aws/frontdoor.ts";
import { startTestControl } from "../../../local/aws/test-control.ts";
import { environment, issuer, signer } from "./tokens.ts";

describe("faults of AWS's API", () => {
  const faults = new Faults();
  let upstream: Server;
  let door: FrontDoor;
  let received: string[];
  let folder: string;
  let control: { close(): Promise<void> };

  before(async () => {
    upstream = createServer((incoming, outgoing) => {
      incoming.resume();
      incoming.once("end", () => {
        received.push(`${incoming.method} ${incoming.url}`);
        outgoing.writeHead(200, { "content-type": "application/json" });
        outgoing.end(JSON.stringify({ cluster: { name: "irsa", arn: "arn", status: "ACTIVE" } }));
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const never = () => Promise.reject(new Error("not asked"));
    door = await startFrontDoor({
      addresses: ["127.0.0.1"],
      port: 0,
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      webIdentity: environment(await signer()),
      iam: { policyExists: never, oidcProvider: never, replaceOidcProvider: never },
      eks: {
        kubernetes: { endpoint: "https://127.0.0.1:1", certificateAuthority: "", issuer, version: "1.34" },
        clusterNames: async () => [],
        tags: async () => ({}),
        association: async () => undefined,
        role: async () => undefined,
        principalExists: async () => true,
        accountId: "000000000000",
        region: "eu-central-1",
      },
      eksAuth: undefined as never,
      models: async () => undefined,
      registry: { host: "", password: "", deleteImages: async () => undefined },
      faults,
      log: () => undefined,
    });
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-faults-"));
    control = await startTestControl(
      { faults: { get: () => faults.counts, set: (plan) => faults.set(plan as FaultPlan | undefined) } },
      join(folder, "tests.sock"),
    );
  });
  beforeEach(() => {
    received = [];
  });
  afterEach(() => faults.set(undefined));
  after(async () => {
    await control.close();
    await door.close();
    upstream.close();
    upstream.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  const client = (maxAttempts = 1) => ({
    endpoint: door.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
    maxAttempts,
  });
  const always = (kind: FaultKind, moment: Moment = "before") =>
    faults.set({ percent: 100, seed: 1, kinds: [kind], moments: [moment], hangMilliseconds: 200 });
  const failure = (answer: Promise<unknown>): Promise<Error & { $metadata?: { httpStatusCode?: number } }> =>
    answer.then(
      () => Promise.reject(new Error("it did not fail")),
      (error: Error) => error,
    );
  const iam = () => new IAMClient(client()).send(new GetRoleCommand({ RoleName: "r" }));
  const eks = () =>
    new EKSClient(client()).send(
      new CreateClusterCommand({ name: "irsa", roleArn: "arn", resourcesVpcConfig: {} }),
    );
  const s3 = () => new S3Client({ ...client(), forcePathStyle: true }).send(new ListBucketsCommand({}));

  it("throttles in each service's own words, and does nothing", async () => {
    always("throttling");
    const codes = await Promise.all([iam, eks, s3].map((call) => failure(call())));
    expect(codes.map(({ name }) => name)).to.deep.equal(["Throttling", "ThrottlingException", "SlowDown"]);
    expect(received).to.deep.equal([]);
  });

  for (const kind of ["error", "timeout", "reset"] as const) {
    it(`has a request fail by ${kind}, before it is carried out and after`, async () => {
      for (const [moment, count] of [
        ["before", 0],
        ["after", 1],
      ] as const) {
        received = [];
        always(kind, moment);
        const since = Date.now();
        const error = await failure(s3());
        if (kind === "error") expect(error.$metadata?.httpStatusCode).to.equal(500);
        else expect(String(error)).to.match(/ECONNRESET|socket hang up/);
        if (kind === "timeout") expect(Date.now() - since).to.be.within(190, 5000);
        expect(received).to.have.length(count);
      }
    });
  }

  it("carries a creation with a token out once, though its answers get lost", async () => {
    always("reset", "after");
    const sent = new EKSClient(client(10)).send(
      new CreateClusterCommand({ name: "irsa", roleArn: "arn", resourcesVpcConfig: {} }),
    );
    while (faults.counts.requests < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    faults.set(undefined);
    expect((await sent).cluster?.name).to.equal("irsa");
    expect(received).to.have.length(1);
  });

  it("takes as many as it is told, the same for the same seed, and none without a plan", () => {
    const drawn = (seed: number) => {
      faults.set({ percent: 30, seed });
      return Array.from({ length: 2000 }, () => JSON.stringify(faults.next() ?? null));
    };
    const first = drawn(7);
    expect(first.filter((one) => one !== "null").length).to.be.within(500, 700);
    expect(new Set(first)).to.have.length(8); // seven kinds of faults, and none
    expect(drawn(7)).to.deep.equal(first);
    expect(drawn(8)).not.to.deep.equal(first);
    faults.set(undefined);
    expect(faults.next()).to.equal(undefined);
  });

  it("is set over a socket that only its owner may open, and over nothing else", async () => {
    const ask = (method: string, body?: unknown, path = "/faults") =>
      new Promise<unknown>((resolve, reject) => {
        const asked = request({ socketPath: join(folder, "tests.sock"), path, method }, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const text = Buffer.concat(chunks).toString();
          resolve(response.statusCode === 200 ? JSON.parse(text) : text);
        });
        asked.once("error", reject);
        asked.end(body === undefined ? undefined : JSON.stringify(body));
      });
    expect(statSync(join(folder, "tests.sock")).mode & 0o777).to.equal(0o600);
    await ask("PUT", { percent: 100, seed: 1, kinds: ["error"], moments: ["before"] });
    await failure(s3());
    expect(await ask("GET")).to.deep.equal({ requests: 1, injected: { "error before": 1 } });
    expect(await ask("PUT", null)).to.deep.equal({ requests: 1, injected: { "error before": 1 } });
    expect(await ask("PUT", {}, "/fault")).to.equal("There is no fault to set; there are faults.");
    await eks();
    const response = await fetch(`${door.url}/_local/faults`, { method: "PUT", body: "{}" });
    expect(response.status).to.equal(404);
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import rpc from "@pulumi/pulumi/proto/analyzer_pb.js";
import { expect } from "chai";
import { Empty, type JavaScriptValue, Struct } from "../../local/pulumi/provider-host/index.ts";
import { rules } from "../../policy/rules.ts";

// The pack as an engine runs it: the Pulumi SDK's own runner in a process of its own, spoken to in the engine's protocol.

const root = join(import.meta.dirname, "..", "..");
/** An unknown text in a preview. Source: `unknownStringValue`, @pulumi/policy. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("the policy pack", () => {
  let process: ChildProcess;
  let client: AnalyzerClient;

  before(async () => {
    const runner = fileURLToPath(import.meta.resolve("@pulumi/pulumi/cmd/run-policy-pack/index.js"));
    process = spawn(globalThis.process.execPath, [runner, "127.0.0.1:1", "."], {
      cwd: join(root, "policy"),
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (process.stdout === null) throw new Error("the pack has no output");
    // It prints the port that it listens on, or ends with an error.
    const [port] = await Promise.race([
      once(createInterface({ input: process.stdout }), "line"),
      once(process, "exit").then(([code]) => {
        throw new Error(`the pack ended with ${code}`);
      }),
    ]);
    client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  after(async () => {
    client?.close();
    if (process.exitCode !== null) return;
    process.kill();
    await once(process, "exit");
  });

  const call = <Q, A>(
    method: (request: Q, done: (error: Error | null, answer: A) => void) => unknown,
    request: Q,
  ): Promise<A> =>
    new Promise((resolve, reject) => {
      method.call(client, request, (error: Error | null, answer: A) =>
        error ? reject(error) : resolve(answer),
      );
    });

  /** What the pack says of a resource: level, policy and message. */
  const analyze = async (stack: string, type: string, props: Record<string, JavaScriptValue>) => {
    const request = new rpc.AnalyzeRequest();
    request.setType(type);
    request.setUrn(`urn:pulumi:${stack}::eks-irsa::${type}::one`);
    request.setName("one");
    request.setProperties(Struct.fromJavaScript(props));
    request.setOptions(new rpc.AnalyzerResourceOptions());
    const answer = await call(
      (one: rpc.AnalyzeRequest, done: (error: Error | null, answer: rpc.AnalyzeResponse) => void) =>
        client.analyze(one, done),
      request,
    );
    return answer.getDiagnosticsList().map((one) => ({
      level: one.getEnforcementlevel(),
      policy: one.getPolicyname(),
      message: one.getMessage(),
    }));
  };
  const pod = "kubernetes:core/v1:Pod";
  const running = (image: string) => ({
    spec: { containers: [{ name: "app", image, securityContext: { runAsNonRoot: true } }] },
  });
  const byTag = running("111122223333.dkr.ecr.eu-central-1.amazonaws.com/app:1");
  const byDigest = running(`111122223333.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:${"ab".repeat(32)}`);
  const { ADVISORY, MANDATORY } = rpc.EnforcementLevel;

  it("has each rule twice: mandatory, and as advice", async () => {
    const info = await call(
      (one: Empty, done: (error: Error | null, answer: rpc.AnalyzerInfo) => void) =>
        client.getAnalyzerInfo(one, done),
      new Empty(),
    );
    expect(info.getName()).to.equal("eks-irsa");
    expect(
      info.getPoliciesList().map((one) => [one.getName(), one.getEnforcementlevel()]),
    ).to.have.deep.members(
      rules.flatMap(({ name }) => [
        [name, MANDATORY],
        [`${name}-advice`, ADVISORY],
      ]),
    );
  });

  it("stops a violation in prod", async () => {
    const [found, ...more] = await analyze("prod", pod, byTag);
    expect(more).to.deep.equal([]);
    expect(found).to.include({ level: MANDATORY, policy: "images-by-digest" });
    expect(found?.message).to.contain("by a tag, which can be moved");
  });

  it("only says so elsewhere", async () => {
    for (const stack of ["dev", "staging", "platform"]) {
      const [found, ...more] = await analyze(stack, pod, byTag);
      expect(more).to.deep.equal([]);
      expect(found).to.include({ level: ADVISORY, policy: "images-by-digest-advice" });
    }
  });

  it("says nothing of what is right", async () => {
    for (const stack of ["prod", "dev"]) {
      expect(await analyze(stack, pod, byDigest)).to.deep.equal([]);
      expect(await analyze(stack, "aws:s3/bucket:Bucket", {})).to.deep.equal([]);
    }
  });

  it("finds a root pod in what a preview knows of it", async () => {
    const containers = [{ name: "app", image: unknown }];
    const found = await analyze("prod", "kubernetes:apps/v1:Deployment", {
      metadata: { namespace: unknown },
      spec: { template: { spec: { serviceAccountName: unknown, containers } } },
    });
    expect(found.filter(({ level }) => level === MANDATORY).map(({ policy }) => policy)).to.deep.equal([
      "no-root",
    ]);
    // The image is not known before it is pushed: `up` looks at it.
    expect(
      found
        .filter(({ level }) => level === ADVISORY)
        .map(({ message }) => message)
        .join(),
    ).to.contain("can't run policy 'images-by-digest'");
  });

  it("says in a preview that it cannot know a trust policy yet, and stops nothing", async () => {
    const found = await analyze("prod", "aws:iam/role:Role", { assumeRolePolicy: unknown });
    expect(found.map(({ level }) => level)).to.deep.equal(found.map(() => ADVISORY));
    expect(found[0]?.message).to.contain("can't run policy 'trust-policy-claims'");
  });

  it("demands a boundary where its configuration says so", async () => {
    const role = { assumeRolePolicy: '{"Statement":[]}' };
    expect(await analyze("prod", "aws:iam/role:Role", role)).to.deep.equal([]);
    const request = new rpc.ConfigureAnalyzerRequest();
    const config = new rpc.PolicyConfig();
    config.setEnforcementlevel(MANDATORY);
    config.setProperties(Struct.fromJavaScript({ requireBoundary: true }));
    request.getPolicyconfigMap().set("permissions-boundary", config);
    await call(
      (one: rpc.ConfigureAnalyzerRequest, done: (error: Error | null, answer: Empty) => void) =>
        client.configure(one, done),
      request,
    );
    const found = await analyze("prod", "aws:iam/role:Role", role);
    expect(found.map(({ policy, level }) => [policy, level])).to.deep.equal([
      ["permissions-boundary", MANDATORY],
    ]);
  });
});

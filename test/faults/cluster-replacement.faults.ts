import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateOpenIDConnectProviderCommand, DeleteOpenIDConnectProviderCommand } from "@aws-sdk/client-iam";
import { AssumeRoleWithWebIdentityCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { openStack } from "../../automation/index.ts";
import type { ConfigInput } from "../../config.ts";
import { listBuckets } from "../../iam/policies.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEndpoint, awsEnvironment, region } from "../../local/run.ts";
import { goLister, type Started, start } from "../../testing/lister-process.ts";
import { failureOf } from "../failure.ts";
import { callsSince, endOfLog } from "./call-log.ts";
import { CallingPods } from "./calling-pods.ts";
import { Live } from "./live.ts";
import { OtherCluster, otherIssuer } from "./other-cluster.ts";
import { count, Tally } from "./tally.ts";

// A cluster is replaced, by the steps of docs/migrating.md: the roles stay, both issuers are trusted while both clusters live, and
// no pod of either is refused.

const namespace = "replaced";
const names = Array.from({ length: count(10, 3) }, (_, index) => `app${index}`);
const sessionSeconds = count(20, 5);

describe("a cluster that is replaced", function () {
  this.timeout("20m");
  this.bail(true);

  const tally = new Tally("calls while a cluster is replaced");
  const scratch = mkdtempSync(join(tmpdir(), "eks-irsa-replaced-"));
  const listers: Started[] = [];
  let live: Live;
  let next: OtherCluster;
  let nextProvider: string;
  let pods: CallingPods;
  let began: number;
  let roles: Record<string, string>;

  type Binding = NonNullable<ConfigInput["bindings"]>[number];
  const open = (stack: string, config: ConfigInput) =>
    openStack({
      stack,
      region,
      config: { app: "none", ...config },
      env: { ...awsEnvironment(live.state), ...engineEnvironment(live.state) },
    });
  const policies = [listBuckets];
  const own: Binding[] = names.map((serviceAccount) => ({ namespace, serviceAccount, policies }));
  const old = { name: "eks-irsa", existing: true } as const;
  const roleOf = (name: string) => roles[`${namespace}/${name}`] ?? "";
  const bind = async (config: ConfigInput) => {
    const { outputs } = await (await open("bindings", config)).up();
    roles = outputs.bindings?.value as typeof roles;
  };
  /** What STS says to a ServiceAccount of the old cluster. */
  const assume = async (name: string) => {
    const token = await live.kubectl(
      ...["create", "token", "--namespace", namespace, name, "--audience", "sts.amazonaws.com"],
    );
    const call = new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleOf(name),
      RoleSessionName: "old",
      WebIdentityToken: token.trim(),
    });
    return live.sts().send(call);
  };

  before(async () => {
    live = await Live.up();
    next = await OtherCluster.start(live, "next");
    const provider = new CreateOpenIDConnectProviderCommand({
      Url: otherIssuer,
      ClientIDList: ["sts.amazonaws.com"],
    });
    nextProvider = (await live.iam().send(provider)).OpenIDConnectProviderArn ?? "";
    await live.kubectl("create", "namespace", namespace);
    await next.core().createNamespace({ body: { metadata: { name: namespace } } });
    await live.shortenSessions(sessionSeconds);
    const image = await live.kubectl(
      ...["get", "deployments", "-A", "-l", "app.kubernetes.io/name=s3-lister"],
      ...["-o", "jsonpath={.items[0].spec.template.spec.containers[0].image}"],
    );
    pods = new CallingPods({ live, namespace, names, scratch, image });
    await bind({ cluster: old, bindings: own });
    began = endOfLog();
    await pods.apply();
  });
  after(async () => {
    for (const { child } of listers) child.kill("SIGKILL");
    await live.shortenSessions();
    await live.kubectl("delete", "namespace", namespace);
    for (const [stack, cluster] of [
      ["next", "next"],
      ["bindings", "next"],
    ] as const) {
      const opened = await open(stack, { cluster: { name: cluster, existing: true } });
      await opened.destroy();
      await opened.remove();
    }
    await live.iam().send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: nextProvider }));
    await next.stop();
    rmSync(scratch, { recursive: true });
    tally.print();
  });

  /** Starts a pod's container of the next cluster here, with the token that its API server gives it for the pod. */
  async function startInNext(name: string, program: readonly string[]): Promise<void> {
    const core = next.core();
    const { metadata } = await core.readNamespacedServiceAccount({ namespace, name });
    await core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name },
        spec: { serviceAccountName: name, containers: [{ name: "lister", image: "none" }] },
      },
    });
    const { status } = await core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: {
        spec: {
          audiences: ["sts.amazonaws.com"],
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name },
        },
      },
    });
    const file = join(scratch, `${name}.token`);
    writeFileSync(file, status?.token ?? "", { mode: 0o600 });
    const endpoint = awsEndpoint(live.state.ports);
    listers.push(
      start([...program, "--listen=127.0.0.1:0", "--interval=1s"], {
        HOME: scratch,
        AWS_REGION: region,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ENDPOINT_URL: endpoint,
        AWS_ENDPOINT_URL_STS: endpoint,
        // As EKS's webhook takes it from the ServiceAccount.
        AWS_ROLE_ARN: metadata?.annotations?.["eks.amazonaws.com/role-arn"] ?? "",
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
      }),
    );
  }

  const otherClusters = () => [{ name: "next", oidcProviderArn: nextProvider }];

  it("trusts both issuers, while the pods of the old one call on", async () => {
    await bind({ cluster: old, otherClusters: otherClusters(), bindings: own });
    await pods.untilRenewed();
  });

  it("has the pods of both call, by the same roles", async () => {
    const program = goLister(scratch);
    if (program === undefined) throw new Error("There is no Go on this machine, which builds the lister.");
    const bindings = names.map((name) => ({ namespace, serviceAccount: name, role: { arn: roleOf(name) } }));
    await (await open("next", { cluster: { name: "next", existing: true }, bindings })).up();
    for (const name of names) await startInNext(name, program);
    // Of two callers each, neither of which is given more than one in a session's time.
    await pods.untilRenewed(4);
    await pods.expectNoFailure();
  });

  it("drops the old one, once its workloads are gone, and the pods of the next one call on", async () => {
    await live.kubectl("delete", "deployments", "--namespace", namespace, "--all");
    const before = roles;
    const roleOnly = own.map((binding) => ({ ...binding, roleOnly: true }));
    await bind({ cluster: old, otherClusters: otherClusters(), bindings: roleOnly });
    await pods.untilRenewed();
    await live.kubectl("create", "serviceaccount", "--namespace", namespace, names[0] ?? "");
    expect((await assume(names[0] ?? "")).Credentials, "the old issuer before it is dropped").to.be.an(
      "object",
    );
    await bind({ cluster: { name: "next", existing: true }, bindings: roleOnly });
    expect(roles).to.deep.equal(before);
    await pods.untilRenewed();
    const { listings, refusals } = callsSince(began, namespace);
    tally.note("calls of the pods of both clusters", true, listings);
    if (refusals.length > 0) tally.note("calls of the pods of both clusters", false, refusals.length);
    expect(refusals).to.deep.equal([]);
    for (const { child, output } of listers) {
      expect(child.exitCode, output.stderr).to.equal(null);
      expect(output.stderr).to.contain("listed the buckets").and.not.to.contain("listing failed");
    }
  });

  it("refuses the old one's tokens from then on", async () => {
    expect((await failureOf(assume(names[0] ?? ""))).name).to.equal("AccessDenied");
    // The log by which refusals are counted has this one.
    expect(callsSince(began, namespace).refusals.join("\n")).to.match(/AccessDenied/);
  });
});

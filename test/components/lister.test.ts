import { expect } from "chai";
import { S3Lister } from "../../components/lister.ts";
import { only, type Registered, setMocks, settled } from "../mocks.ts";

describe("S3Lister", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const args = {
    image: "r/i@sha256:00",
    namespace: "team-a",
    serviceAccountName: "reader",
    region: "eu-west-1",
  };
  const spec = () =>
    only(registered, "kubernetes:apps/v1:Deployment").inputs.spec as {
      replicas: number;
      progressDeadlineSeconds: number;
      template: { spec: Record<string, unknown> & { containers: Record<string, unknown>[] } };
    };

  it("runs under the ServiceAccount, with no other credentials to fall back on", async () => {
    new S3Lister("app", args);
    await settled(registered);
    const pod = spec().template.spec;
    expect(pod.serviceAccountName).to.equal("reader");
    expect(pod.automountServiceAccountToken).to.equal(false);
    expect(pod.containers[0]?.env).to.deep.equal([
      { name: "AWS_REGION", value: "eu-west-1" },
      { name: "AWS_EC2_METADATA_DISABLED", value: "true" },
    ]);
  });

  it("is ready by /readyz, which is green only after a listing, and restarts by /healthz alone", async () => {
    new S3Lister("app", args);
    await settled(registered);
    const { readinessProbe, livenessProbe } = spec().template.spec.containers[0] as Record<
      string,
      { httpGet: { path: string } }
    >;
    expect(readinessProbe?.httpGet.path).to.equal("/readyz");
    expect(livenessProbe?.httpGet.path).to.equal("/healthz");
    expect(spec().progressDeadlineSeconds).to.equal(300);
  });

  it("is waited for as long as its rollout may take, whatever the provider would wait by itself", async () => {
    for (const [given, seconds] of [
      [{}, 300],
      [{ progressDeadlineSeconds: 20 }, 20],
    ] as const) {
      registered.length = 0;
      new S3Lister("app", { ...args, ...given });
      await settled(registered);
      expect(spec().progressDeadlineSeconds).to.equal(seconds);
      const { timeouts } = only(registered, "kubernetes:apps/v1:Deployment");
      expect(timeouts).to.deep.equal({ create: `${seconds}s`, update: `${seconds}s` });
    }
  });

  it("meets the restricted Pod Security Standard, and can read its token as that user", async () => {
    new S3Lister("app", args);
    await settled(registered);
    const pod = spec().template.spec;
    expect(pod.securityContext).to.deep.equal({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod.containers[0]?.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("takes replicas and interval, and selects its own pods only", async () => {
    new S3Lister("app", { ...args, replicas: 3, intervalSeconds: 5, labels: { team: "a" } });
    await settled(registered);
    expect(spec().replicas).to.equal(3);
    expect(spec().template.spec.containers[0]?.args).to.deep.equal(["--interval=5s"]);
    const { selector, template } = spec() as never as {
      selector: { matchLabels: object };
      template: { metadata: { labels: object } };
    };
    expect(selector.matchLabels).to.deep.equal({
      "app.kubernetes.io/name": "s3-lister",
      "app.kubernetes.io/instance": "app",
    });
    expect(template.metadata.labels).to.deep.equal({ ...selector.matchLabels, team: "a" });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Image } from "../../components/image.ts";
import { S3Lister } from "../../components/lister.ts";
import { known, only, type Registered, setMocks, settled } from "../mocks.ts";

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

describe("Image", () => {
  let registered: Registered[];
  let context: string;
  beforeEach(async () => {
    registered = await setMocks();
    context = mkdtempSync(join(tmpdir(), "eks-irsa-image-"));
    writeFileSync(join(context, "Dockerfile"), "FROM scratch\n");
  });
  afterEach(() => rmSync(context, { recursive: true }));
  const inputs = (type: string) => only(registered, type).inputs;

  it("makes a repository that scans, encrypts, expires, and takes a tag again", async () => {
    new Image("app", { context });
    await settled(registered);
    expect(inputs("aws:ecr/repository:Repository")).to.deep.include({
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfigurations: [{ encryptionType: "AES256" }],
      forceDelete: false,
    });
    const { rules } = JSON.parse(inputs("aws:ecr/lifecyclePolicy:LifecyclePolicy").policy as string);
    expect(rules[0].selection).to.deep.equal({
      tagStatus: "any",
      countType: "imageCountMoreThan",
      countNumber: 20,
    });
  });

  it("encrypts with the key that it is given, and keeps as many as it is told", async () => {
    new Image("app", { context, kmsKey: "arn:aws:kms:eu-central-1:111122223333:key/k", keep: 3 });
    await settled(registered);
    expect(inputs("aws:ecr/repository:Repository").encryptionConfigurations).to.deep.equal([
      { encryptionType: "KMS", kmsKey: "arn:aws:kms:eu-central-1:111122223333:key/k" },
    ]);
    expect(inputs("aws:ecr/lifecyclePolicy:LifecyclePolicy").policy).to.contain('"countNumber":3');
  });

  it("tags the image by what goes into it: the same again for the same, another for any change", async () => {
    const tag = async (build = {}) => {
      registered = await setMocks();
      const image = new Image("app", { context, build });
      await settled(registered);
      expect(await known(image.reference)).to.match(/@sha256:(ab){32}$/);
      return String(inputs("docker:index/image:Image").imageName).split(":")[1];
    };
    const first = await tag();
    expect(await tag()).to.equal(first);
    expect(await tag({ args: { BUILD_IMAGE: "other" } })).not.to.equal(first);
    writeFileSync(join(context, "main.go"), "package main\n");
    const second = await tag();
    expect(second).not.to.equal(first);
    writeFileSync(join(context, ".dockerignore"), "main.go\n");
    writeFileSync(join(context, "main.go"), "package other\n");
    const third = await tag();
    writeFileSync(join(context, "main.go"), "package third\n");
    expect(await tag()).to.equal(third);
  });

  it("refuses a context without Dockerfile before it registers anything", async () => {
    rmSync(join(context, "Dockerfile"));
    expect(() => new Image("app", { context })).to.throw(/Dockerfile/);
    expect(await settled(registered)).to.deep.equal([]);
  });
});

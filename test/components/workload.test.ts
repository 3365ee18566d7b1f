import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Cluster, ExistingCluster, ReferencedCluster } from "../../components/cluster.ts";
import { Image } from "../../components/image.ts";
import { S3Lister } from "../../components/lister.ts";
import { ArgumentError } from "../../iam/validation.ts";
import { issuer, known, only, type Registered, setMocks, settled } from "../mocks.ts";

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

describe("Cluster", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });
  const inputs = (type: string) => only(registered, type).inputs;

  it("keeps the node's role from the pods: IMDSv2, one hop", async () => {
    new Cluster("c", { clusterName: "dev", region: "eu-central-1" });
    await settled(registered);
    expect(inputs("aws:ec2/launchTemplate:LaunchTemplate").metadataOptions).to.deep.equal({
      httpEndpoint: "enabled",
      httpTokens: "required",
      httpPutResponseHopLimit: 1,
    });
  });

  it("has the nodes boot what their processors run, which EKS would not choose by itself", async () => {
    new Cluster("c", {
      clusterName: "dev",
      region: "eu-central-1",
      nodes: { instanceTypes: ["m7g.large", "t4g.large"] },
    });
    await settled(registered);
    expect(inputs("aws:eks/nodeGroup:NodeGroup").amiType).to.equal("AL2023_ARM_64_STANDARD");
    registered = await setMocks();
    new Cluster("c", { clusterName: "dev", region: "eu-central-1" });
    await settled(registered);
    expect(inputs("aws:eks/nodeGroup:NodeGroup").amiType).to.equal("AL2023_x86_64_STANDARD");
  });

  it("refuses arguments that EKS would refuse, by their own names, before it registers anything", async () => {
    const cluster = {
      clusterName: "a b",
      region: "Frankfurt",
      nodes: { instanceTypes: ["t3.medium", "t4g.medium"] },
    };
    expect(() => new Cluster("c", { ...cluster, network: { vpcId: "vpc-0a" } })).to.throw(
      ArgumentError,
      /^clusterName holds "a b"; .*\nregion holds "Frankfurt"; .*\nnodes\.instanceTypes\[1\] holds "t4g\.medium"; .*\nnetwork\.privateSubnetIds is not set; /,
    );
    expect(() => new ExistingCluster("c", { clusterName: "", region: "eu-central-1" })).to.throw(
      ArgumentError,
    );
    expect(() => new ReferencedCluster("c", { stack: "prod" })).to.throw(
      ArgumentError,
      /^stack holds "prod"; /,
    );
    expect(await settled(registered)).to.deep.equal([]);
  });

  it("makes the OIDC provider, the log group before the cluster, and nodes once they may join", async () => {
    new Cluster("c", {
      clusterName: "dev",
      region: "cn-north-1",
      logs: { types: ["api"], retentionDays: 7 },
    });
    await settled(registered);
    const cluster = only(registered, "eks:index:Cluster");
    expect(cluster.inputs).to.deep.include({
      name: "dev",
      createOidcProvider: true,
      authenticationMode: "API",
      enabledClusterLogTypes: ["api"],
    });
    expect(inputs("aws:cloudwatch/logGroup:LogGroup")).to.deep.include({
      name: "/aws/eks/dev/cluster",
      retentionInDays: 7,
    });
    expect(cluster.dependencies.join()).to.contain("LogGroup");
    const attachments = registered.filter(
      (one) => one.type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    );
    expect(attachments.map((one) => one.inputs.policyArn)).to.have.members([
      "arn:aws-cn:iam::aws:policy/AmazonEKSWorkerNodePolicy",
      "arn:aws-cn:iam::aws:policy/AmazonEKS_CNI_Policy",
      "arn:aws-cn:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    ]);
    const nodes = only(registered, "aws:eks/nodeGroup:NodeGroup");
    for (const { name } of attachments) expect(nodes.dependencies.join()).to.contain(name);
  });

  it("protects what deletion protection is asked for, children included", async () => {
    new Cluster("c", { clusterName: "prod", region: "eu-central-1", deletionProtection: true });
    await settled(registered);
    expect(only(registered, "eks:index:Cluster").protect).to.equal(true);
    expect(inputs("eks:index:Cluster").deletionProtection).to.equal(true);
    expect(only(registered, "aws:eks/nodeGroup:NodeGroup").protect).to.equal(true);
  });
});

describe("ExistingCluster", () => {
  it("makes the OIDC provider for exactly the issuer, with no thumbprint that could be wrong or go stale", async () => {
    const registered = await setMocks({
      calls: {
        "aws:eks/getCluster:getCluster": () => ({
          name: "old",
          endpoint: "https://example.com",
          certificateAuthorities: [{ data: "Q0E=" }],
          identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
        }),
      },
    });
    new ExistingCluster("c", { clusterName: "old", region: "eu-central-1", createOidcProvider: true });
    await settled(registered);
    expect(only(registered, "aws:iam/openIdConnectProvider:OpenIdConnectProvider").inputs).to.deep.equal({
      url: `https://${issuer}`,
      clientIdLists: ["sts.amazonaws.com"],
    });
  });
});

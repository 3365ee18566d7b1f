import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { expect } from "chai";
import { awsConfig, podAdditions } from "../../components/pod-additions.ts";
import { awsWorld } from "../../doctor/aws.ts";
import { type Cause, causes } from "../../doctor/causes.ts";
import type { Broken, Patient } from "../../doctor/chain.ts";
import { type Diagnosis, diagnose } from "../../doctor/diagnosis.ts";
import { imageWorld } from "../../doctor/images.ts";
import { kubernetesWorld } from "../../doctor/kubernetes.ts";
import { listBuckets } from "../../iam/policies.ts";
import type { PolicyDocument } from "../../iam/policy-document.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { files, region } from "../../local/run.ts";
import { command, local, shellOf, until, works } from "./tools.ts";

// Each cause that the doctor knows is made on the live parts by breaking just that; the doctor has to name it, and what it
// says must mend it.

const namespace = "doctor";
const serviceAccount = "patient";
const roleName = "patient";
const annotation = "eks.amazonaws.com/role-arn";
const patient: Patient = {
  cluster: "eks-irsa",
  region,
  namespace,
  serviceAccount,
  actions: ["s3:ListAllMyBuckets"],
};

/** As much of a kubeconfig as the tests change. */
interface Config {
  clusters: [{ cluster: { server: string; "certificate-authority"?: string } }];
  users: [{ user: object }];
}

describe("the doctor", function () {
  this.timeout("5m");

  let shell: NodeJS.ProcessEnv;
  let iam: IAMClient;
  let image: string;
  let repository: string;
  let providerArn: string;
  let roleArn: string;
  let folder: string;
  const environment = { ...process.env };

  const run = async (line: string) => (await works(command("sh", ["-c", line], { env: shell }))).stdout;
  const apply = async (...objects: object[]) => {
    const file = join(folder, "objects.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    await run(`kubectl apply -f ${file}`);
  };
  const world = (kubeconfig?: string) => ({
    ...awsWorld(region),
    kubernetes: kubernetesWorld(kubeconfig ?? readFileSync(shell.KUBECONFIG ?? "", "utf8")),
    images: imageWorld(),
  });
  const look = (more: Partial<Patient> = {}, kubeconfig?: string): Promise<Diagnosis> =>
    diagnose(world(kubeconfig), { ...patient, ...more });
  const broken = (diagnosis: Diagnosis): Broken => {
    const found = diagnosis.links.find(({ finding }) => finding.state === "broken")?.finding;
    if (found?.state !== "broken") {
      throw new Error(`nothing is broken: ${JSON.stringify(diagnosis.links.map(({ finding }) => finding))}`);
    }
    return found;
  };
  /** Local's kubeconfig, changed. */
  const kubeconfig = (change: (config: Config) => void): string => {
    const config = JSON.parse(readFileSync(shell.KUBECONFIG ?? "", "utf8"));
    change(config);
    return JSON.stringify(config);
  };
  /** That the doctor finds nothing wrong. */
  const healthy = async (more: Partial<Patient> = {}): Promise<void> => {
    const diagnosis = await look(more);
    expect(diagnosis.state, JSON.stringify(diagnosis.links, undefined, 1)).to.equal("healthy");
  };
  const ran = new Set<Cause>();
  /** Runs the commands that the doctor gave, as they stand but for the words that are to be filled in. */
  const runMend = async (
    { cause, mend }: Broken,
    fill: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    expect(mend, cause).not.to.have.length(0);
    for (const command of mend) {
      await run(Object.entries(fill).reduce((line, [word, value]) => line.replaceAll(word, value), command));
    }
    ran.add(cause);
  };
  /** Runs them, and looks that nothing is wrong any more. */
  const mended = async (finding: Broken, more: Partial<Patient> = {}): Promise<void> => {
    await runMend(finding);
    await healthy(more);
  };

  const podOf = (spec: object = {}, metadata: object = {}) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "patient", namespace, ...metadata },
    spec: {
      serviceAccountName: serviceAccount,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsUser: 65532, fsGroup: 65532 },
      containers: [{ name: "app", image, args: ["--interval=5s"] }],
      ...spec,
    },
  });
  const remakePod = async (spec: object = {}, metadata: object = {}) => {
    await run(`kubectl delete pod -n ${namespace} --all --now --wait`);
    await apply(podOf(spec, metadata));
  };
  const rolledOut = () => run(`kubectl rollout status -n ${namespace} deployment/patient --timeout=120s`);
  const restarted = async (command: string) => {
    await run(`${command} -n ${namespace} deployment/patient`);
    await rolledOut();
  };
  /** A Deployment of one pod, which is there; the one of before is gone. */
  const deploy = async (spec: object) => {
    await run(`kubectl delete -n ${namespace} deployment/patient --ignore-not-found --cascade=foreground`);
    await run(`kubectl delete pod -n ${namespace} --all --now --wait`);
    const labels = { app: "patient" };
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "patient", namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podOf(spec).spec },
      },
    });
    await until("the Deployment's pod is there", 60, async () =>
      (await run(`kubectl get pod -n ${namespace} -l app=patient -o name`)) === "" ? undefined : true,
    );
  };
  const agentPod = () => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "agent",
      namespace: "kube-system",
      labels: { "app.kubernetes.io/name": "eks-pod-identity-agent" },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "agent", image, args: ["--interval=5s"] }],
    },
  });
  const accountOf = (annotations: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: serviceAccount, namespace, annotations },
  });
  const annotate = (value: string) =>
    run(
      `kubectl annotate serviceaccount -n ${namespace} ${serviceAccount} --overwrite ${annotation}=${value}`,
    );
  const goodTrust = () => trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount });
  const trust = (document: object) =>
    iam.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: roleName, PolicyDocument: JSON.stringify(document) }),
    );
  const policy = (name: string, document: PolicyDocument) =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: roleName,
        PolicyName: name,
        PolicyDocument: JSON.stringify(document),
      }),
    );

  before(async () => {
    await works(local("up", "--json"));
    shell = await shellOf((await works(local("env"))).stdout);
    for (const [name, value] of Object.entries(shell)) if (name.startsWith("AWS_")) process.env[name] = value;
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-doctor-"));
    iam = new IAMClient({ region });
    image = (
      await run(
        "kubectl get deployment -n s3-irsa s3-lister -o jsonpath='{.spec.template.spec.containers[0].image}'",
      )
    ).trim();
    repository = image.replace(/@.*$/, "");
    providerArn = (
      await run(
        "aws iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[0].Arn' --output text",
      )
    ).trim();
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: roleName,
        Path: "/team/",
        AssumeRolePolicyDocument: JSON.stringify(goodTrust()),
      }),
    );
    roleArn = Role?.Arn ?? "";
    await policy(listBuckets.name, listBuckets.document);
    await apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      accountOf({ [annotation]: roleArn }),
      podOf(),
    );
    await until("the pod runs", 60, async () =>
      (await run(`kubectl get pod -n ${namespace} patient -o jsonpath={.status.phase}`)) === "Running"
        ? true
        : undefined,
    );
  });
  after(async () => {
    await command("kubectl", ["delete", "namespace", namespace, "--ignore-not-found"], { env: shell });
    await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: listBuckets.name }));
    await iam.send(new DeleteRoleCommand({ RoleName: roleName }));
    rmSync(folder, { recursive: true, force: true });
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  });

  it("finds a whole chain healthy, link by link", async () => {
    const { state, links: found } = await look();
    expect(state).to.equal("healthy");
    expect(found.map(({ id, finding }) => `${id} ${finding.state}`)).to.deep.equal([
      ...["cluster holds", "service-account holds", "issuer holds", "role holds", "oidc-provider holds"],
      ...["trust holds", "session holds", "pod holds", "injection holds", "readable holds", "token holds"],
      ...["sts holds", "permissions holds", "sdk holds"],
    ]);
  });

  describe("cluster, issuer and provider", () => {
    it("a cluster that is not there, or another one's kubeconfig", async () => {
      const missing = broken(await look({ cluster: "not-there" }));
      expect(missing).to.include({ cause: "cluster-missing" });
      expect(missing.disagreement?.found.value).to.contain("eks-irsa");
      const otherServer = `https://0123456789ABCDEF.gr7.${region}.eks.amazonaws.com`;
      const other = broken(
        await look(
          {},
          kubeconfig(({ clusters: [one] }) => {
            one.cluster.server = otherServer;
            delete one.cluster["certificate-authority"];
          }),
        ),
      );
      expect(other).to.include({ cause: "kubeconfig-of-another-cluster" });
      expect(other.disagreement?.found.value).to.equal(otherServer);
      const own = shell;
      const file = join(folder, "kubeconfig");
      for (const name of ["PATH", "LD_LIBRARY_PATH"]) process.env[name] = shell[name] ?? ""; // of the new one's command
      try {
        shell = { ...shell, KUBECONFIG: file };
        await runMend(other);
        const diagnosis = await look({}, readFileSync(file, "utf8"));
        expect(diagnosis.state, JSON.stringify(diagnosis.links, undefined, 1)).to.equal("healthy");
      } finally {
        shell = own;
        process.env.PATH = environment.PATH;
        process.env.LD_LIBRARY_PATH = environment.LD_LIBRARY_PATH ?? "";
      }
    });

    it("the cluster behind a tunnel is known by its CA", async () => {
      const { hostname, port } = new URL(JSON.parse(kubeconfig(() => {})).clusters[0].cluster.server);
      const tunnel = createServer((near) => {
        const far = connect(Number(port), hostname);
        near.pipe(far).pipe(near);
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          one.on("error", () => other.destroy());
        }
      });
      await new Promise<void>((resolve) => tunnel.listen(0, hostname, resolve));
      try {
        const server = `https://${hostname}:${(tunnel.address() as AddressInfo).port}`;
        const diagnosis = await look(
          {},
          kubeconfig(({ clusters: [one] }) => {
            one.cluster.server = server;
          }),
        );
        expect(diagnosis.state, JSON.stringify(diagnosis.links, undefined, 1)).to.equal("healthy");
        expect(JSON.stringify(diagnosis.links[0])).to.contain(`${server}, known by its CA`);
      } finally {
        tunnel.close();
      }
    });

    it("an API server that does not let one look is not broken, and not healthy", async () => {
      const stranger = kubeconfig(({ users: [one] }) => {
        one.user = { token: "none" };
      });
      const diagnosis = await look({}, stranger);
      expect(diagnosis.state).to.equal("unseen");
    });

    it("no OIDC provider for exactly that issuer, with the one that comes nearest", async () => {
      const issuer = `https://${providerArn.replace(/^.*oidc-provider\//, "")}`;
      const other = issuer.replace(region, "eu-west-1");
      await run(`aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${providerArn}`);
      const created = JSON.parse(
        await run(
          `aws iam create-open-id-connect-provider --url ${other} --client-id-list sts.amazonaws.com --output json`,
        ),
      );
      const finding = broken(await look());
      expect(finding).to.include({ cause: "provider-missing" });
      expect(finding.disagreement).to.deep.equal({
        wanted: { name: "the cluster's issuer", value: issuer },
        found: { name: "the provider that comes nearest", value: other.replace("https://", "") },
      });
      await run(
        `aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${created.OpenIDConnectProviderArn}`,
      );
      await mended(finding);
    });

    it("a provider without the audience", async () => {
      await run(
        `aws iam remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn ${providerArn} --client-id sts.amazonaws.com`,
      );
      const finding = broken(await look());
      expect(finding).to.include({ cause: "provider-audience" });
      await mended(finding);
    });
  });

  describe("ServiceAccount and role", () => {
    it("no ServiceAccount, no annotation, one that is no role's ARN", async () => {
      await run(`kubectl delete serviceaccount -n ${namespace} ${serviceAccount}`);
      const missing = broken(await look());
      expect(missing).to.include({ cause: "service-account-missing" });
      await runMend(missing);
      const bare = broken(await look());
      expect(bare).to.include({ cause: "annotation-missing" });
      const fill = { "arn:aws:iam::ACCOUNT:role/ROLE": roleArn };
      await runMend(bare, fill);
      await healthy();
      await annotate("arn:aws:sts::000000000000:assumed-role/patient/session");
      const malformed = broken(await look());
      expect(malformed).to.include({ cause: "annotation-malformed" });
      await runMend(malformed, fill);
      await healthy();
    });

    it("no namespace: that is made first, and the ServiceAccount in it", async () => {
      const nowhere = { namespace: "doctor-nowhere" };
      const missing = broken(await look(nowhere));
      expect(missing).to.include({ cause: "namespace-missing" });
      try {
        await runMend(missing);
        expect(broken(await look(nowhere))).to.include({ cause: "annotation-missing" });
      } finally {
        await run("kubectl delete namespace doctor-nowhere --ignore-not-found --wait=false");
      }
    });

    it("a role that is not there, one without its path, one of another partition", async () => {
      await annotate(roleArn.replace("patient", "nobody"));
      const gone = broken(await look());
      expect(gone).to.include({ cause: "role-missing" });
      await runMend(gone, { ARN: roleArn });
      await healthy();
      await annotate(roleArn.replace("/team/", "/"));
      const path = broken(await look());
      expect(path).to.include({ cause: "role-path" });
      await mended(path);
      await annotate(roleArn.replace("arn:aws:", "arn:aws-cn:"));
      const partition = broken(await look());
      expect(partition).to.include({ cause: "role-partition" });
      await mended(partition);
    });

    it("sessions that are longer than the role allows", async () => {
      const finding = broken(await look({ sessionSeconds: 7200 }));
      expect(finding).to.include({ cause: "session-duration" });
      await mended(finding, { sessionSeconds: 7200 });
      await iam.send(new UpdateRoleCommand({ RoleName: roleName, MaxSessionDuration: 3600 }));
    });
  });

  describe("trust policy", () => {
    const issuer = () => providerArn.replace(/^.*oidc-provider\//, "");
    const text = () => JSON.stringify(goodTrust());
    const keyed = (key: string) => text().replaceAll(`"${issuer()}:`, `"${key}:`);
    const cases: [cause: string, what: string, document: () => string][] = [
      [
        "trust-action",
        "another action",
        () => text().replace("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"),
      ],
      [
        "trust-principal",
        "a provider of another account",
        () => text().replace("iam::000000000000", "iam::111122223333"),
      ],
      [
        "trust-principal",
        "a provider of another region",
        () => text().replace(`oidc-provider/oidc.eks.${region}`, "oidc-provider/oidc.eks.us-east-1"),
      ],
      [
        "trust-principal",
        "a provider of another partition",
        () => text().replace(`"arn:aws:iam`, `"arn:aws-cn:iam`),
      ],
      [
        "trust-principal",
        "a provider with a slash",
        () => text().replace(`${providerArn}"`, `${providerArn}/"`),
      ],
      [
        "trust-principal",
        "a service",
        () => text().replace(/"Principal":\{[^}]*\}/, '"Principal":{"Service":"ec2.amazonaws.com"}'),
      ],
      ["trust-key-scheme", "the URL with its scheme", () => keyed(`https://${issuer()}`)],
      ["trust-key-slash", "a slash after the URL", () => keyed(`${issuer()}/`)],
      ["trust-key-arn", "the provider's ARN as the key", () => keyed(providerArn)],
      ["trust-key-issuer", "another region's issuer", () => keyed(issuer().replace(region, "us-east-1"))],
      ["trust-operator", "a pattern under StringEquals", () => text().replace(":patient", ":*")],
      ["trust-operator", "StringNotEquals", () => text().replace("StringEquals", "StringNotEquals")],
      ["trust-subject", "another namespace", () => text().replace(":doctor:", ":docter:")],
      ["trust-subject", "another ServiceAccount", () => text().replace(":patient", ":doctor")],
      [
        "trust-audience",
        "another audience",
        () => text().replace('"sts.amazonaws.com"', '"sts.amazonaws.com.cn"'),
      ],
      [
        "trust-no-statement",
        "nothing that allows",
        () =>
          JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              { Effect: "Deny", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } },
            ],
          }),
      ],
      [
        "trust-deny",
        "a Deny of all that is in the namespace, which stays for the others",
        () => {
          const { Version, Statement } = goodTrust();
          const Condition = { StringLike: { [`${issuer()}:sub`]: `system:serviceaccount:${namespace}:*` } };
          return JSON.stringify({
            Version,
            Statement: [...Statement, { ...Statement[0], Effect: "Deny", Condition }],
          });
        },
      ],
      [
        "trust-deny",
        "a Deny",
        () => {
          const { Version, Statement } = goodTrust();
          return JSON.stringify({ Version, Statement: [...Statement, { ...Statement[0], Effect: "Deny" }] });
        },
      ],
    ];
    for (const [cause, what, document] of cases) {
      it(`${what} (${cause})`, async () => {
        await trust(JSON.parse(document()));
        const finding = broken(await look());
        expect(finding).to.include({ cause });
        if (finding.disagreement) {
          expect(finding.disagreement?.wanted.value).not.to.equal(finding.disagreement?.found.value);
        }
        await mended(finding);
      });
    }

    it("a condition that only STS can judge (sts-refused)", async () => {
      const document = goodTrust();
      await trust({
        ...document,
        Statement: document.Statement.map((statement) => ({
          ...statement,
          Condition: { ...statement.Condition, IpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
        })),
      });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "sts-refused" });
      expect(finding.what).to.contain("AccessDenied");
      await trust(document);
      await healthy();
    });
  });

  describe("pod and token", () => {
    const webhook = "mutatingwebhookconfiguration pod-identity-webhook";
    const saveWebhook = async () => {
      const { metadata, ...rest } = JSON.parse(await run(`kubectl get ${webhook} -o json`));
      return { ...rest, metadata: { name: metadata.name } };
    };
    afterEach(async () => {
      await remakePod();
      await healthy();
    });

    it("a pod under another ServiceAccount", async () => {
      await remakePod({ serviceAccountName: "default" });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "pod-service-account" });
      expect(finding.disagreement?.found.value).to.contain("patient under default");
    });

    it("the webhook away, and away when the pod was made", async () => {
      const saved = await saveWebhook();
      await run(`kubectl delete ${webhook}`);
      await remakePod();
      try {
        expect(broken(await look())).to.include({ cause: "webhook-missing" });
      } finally {
        await apply(saved);
      }
      const finding = broken(await look());
      expect(finding).to.include({ cause: "not-injected" });
      await runMend(finding);
      await apply(podOf());
      await healthy();
    });

    it("a pod older than the annotation, and one with the role of before", async () => {
      await run(`kubectl annotate serviceaccount -n ${namespace} ${serviceAccount} ${annotation}-`);
      await remakePod();
      await new Promise((resolve) => setTimeout(resolve, 1100)); // Kubernetes keeps whole seconds
      // Of a field that was written otherwise, this API server does not keep the time.
      writeFileSync(join(folder, "account.json"), JSON.stringify(accountOf({ [annotation]: roleArn })));
      await run(`kubectl apply --server-side --force-conflicts -f ${join(folder, "account.json")}`);
      const older = broken(await look());
      expect(older).to.include({ cause: "pod-older" });
      await runMend(older);
      await annotate(`${roleArn}-before`);
      await apply(podOf());
      await annotate(roleArn);
      const before = broken(await look());
      expect(before).to.include({ cause: "pod-other-role" });
      expect(before.advice?.join()).to.contain("Where its manifest sets AWS_ROLE_ARN");
      await runMend(before);
      await apply(podOf());
      await healthy();
    });

    it("a pod that is left alone, one with keys of its own, one that looks elsewhere for its token", async () => {
      await remakePod({}, { annotations: { "eks.amazonaws.com/skip-containers": "app" } });
      expect(broken(await look())).to.include({ cause: "pod-skipped" });
      const withEnv = (...env: object[]) => ({ containers: [{ name: "app", image, env }] });
      await remakePod(withEnv({ name: "AWS_ACCESS_KEY_ID", value: "AKIAIOSFODNN7EXAMPLE" }));
      expect(broken(await look())).to.include({ cause: "own-keys" });
      const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "keys", namespace } };
      await apply({ ...secret, stringData: { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE" } });
      const envFrom = [{ secretRef: { name: "keys" } }];
      await remakePod({ containers: [{ name: "app", image, envFrom }] });
      expect(broken(await look()).what).to.contain("from the Secret keys");
      await remakePod(
        withEnv(
          { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: "/elsewhere" },
          { name: "AWS_ROLE_ARN", value: roleArn },
        ),
      );
      expect(broken(await look())).to.include({ cause: "token-file" });
    });

    it("one container of two that is left alone", async () => {
      const containers = [
        { name: "app", image },
        { name: "sidecar", image, args: ["--listen=:8081"] },
      ];
      await remakePod({ containers }, { annotations: { "eks.amazonaws.com/skip-containers": "app" } });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "pod-skipped" });
      expect(finding.what).to.contain("The container app");
      await healthy({ containers: ["sidecar"] });
    });

    it("a token that the container's user cannot read", async () => {
      const as = (name: string, user: number, ...args: string[]) => ({
        ...{ name, image, args },
        securityContext: { runAsUser: user, runAsGroup: user },
      });
      const token = { path: "token", audience: "sts.amazonaws.com", expirationSeconds: 3600 };
      const projected = { defaultMode: 0o400, sources: [{ serviceAccountToken: token }] };
      await remakePod({
        securityContext: {},
        containers: [as("app", 65532), as("other", 65531, "--listen=:8081")],
        volumes: [{ name: "aws-iam-token", projected }],
      });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "token-unreadable" });
      expect(finding.advice?.[0]).to.contain("fsGroup: 65532");
      // What the pod itself says to it: the doctor's rule is the kubelet's.
      const log = await until("the pod's own word", 60, async () => {
        const { stdout } = await command("kubectl", ["logs", "-n", namespace, "patient", "-c", "app"], {
          env: shell,
        });
        return stdout.includes("permission denied") ? stdout : undefined;
      });
      expect(log).to.contain("cannot read the web identity token");
    });

    it("a token for another audience", async () => {
      const token = { path: "token", audience: "https://kubernetes.default.svc", expirationSeconds: 3600 };
      await remakePod({
        volumes: [{ name: "aws-iam-token", projected: { sources: [{ serviceAccountToken: token }] } }],
      });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "token-audience" });
      expect(finding.disagreement?.found.value).to.equal("https://kubernetes.default.svc");
    });

    it("an SDK that is too old to know web identity", async () => {
      const old = `${repository}:old-sdk`;
      const files = join(folder, "image/usr/lib/python3/dist-packages/botocore-1.12.100.dist-info");
      mkdirSync(files, { recursive: true });
      writeFileSync(join(files, "METADATA"), "Name: botocore\n");
      await run(`tar -C ${join(folder, "image")} -c . | docker import - ${old} && docker push ${old}`);
      await remakePod({ containers: [{ name: "app", image: old, command: ["/none"] }] });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "sdk-too-old" });
      expect(finding.disagreement).to.deep.equal({
        wanted: { name: "first version that does", value: "1.12.200" },
        found: { name: "/usr/lib/python3/dist-packages/botocore-1.12.100.dist-info", value: "1.12.100" },
      });
    });
  });

  describe("of a Deployment", () => {
    before(() => run(`kubectl delete pod -n ${namespace} --all --now --wait`));
    after(async () => {
      await run(`kubectl delete deployment -n ${namespace} patient`);
      await remakePod();
    });

    const named = (more: object) => ({ name: "app", image, args: ["--interval=5s"], ...more });
    const rolledAndHealthy = async (finding: Broken) => {
      await runMend(finding);
      await rolledOut();
      await healthy();
    };

    it("whose template sets a part of what the webhook gives, or all of it for another role", async () => {
      const env = (...all: [string, string][]) => all.map(([name, value]) => ({ name, value }));
      await deploy({ containers: [named({ env: env(["AWS_ROLE_ARN", roleArn]) })] });
      const own = broken(await look());
      expect(own).to.include({ cause: "own-variables" });
      await rolledAndHealthy(own);
      const file = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";
      await deploy({
        containers: [
          named({ env: env(["AWS_ROLE_ARN", `${roleArn}-2`], ["AWS_WEB_IDENTITY_TOKEN_FILE", file]) }),
        ],
      });
      const other = broken(await look());
      expect(other).to.include({ cause: "pod-other-role" });
      await rolledAndHealthy(other);
    });

    it("of before its ServiceAccount had the role: a restart, also where the template has nothing to take out", async () => {
      await annotate(`${roleArn}-before`);
      await deploy({ containers: [named({})] });
      await restarted("kubectl rollout restart");
      await annotate(roleArn);
      const before = broken(await look());
      expect(before).to.include({ cause: "pod-other-role" });
      await rolledAndHealthy(before);
    });

    it("under another ServiceAccount", async () => {
      // Without a role the webhook gives no region either, and the lister ends without one.
      const env = [{ name: "AWS_REGION", value: region }];
      await deploy({ serviceAccountName: "default", containers: [named({ env })] });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "pod-service-account" });
      await rolledAndHealthy(finding);
    });

    it("with a second user who cannot read the token", async () => {
      const as = (name: string, user: number, ...args: string[]) =>
        named({ name, args, securityContext: { runAsUser: user, runAsGroup: user } });
      const token = { path: "token", audience: "sts.amazonaws.com", expirationSeconds: 3600 };
      const projected = { defaultMode: 0o400, sources: [{ serviceAccountToken: token }] };
      await deploy({
        securityContext: {},
        containers: [
          as("app", 65532, "--interval=5s"),
          as("other", 65531, "--interval=5s", "--listen=:8081"),
        ],
        volumes: [{ name: "aws-iam-token", projected }],
      });
      const finding = broken(await look());
      expect(finding).to.include({ cause: "token-unreadable" });
      await rolledAndHealthy(finding);
    });
  });

  describe("permissions", () => {
    const deny: PolicyDocument = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: "s3:List*", Resource: "*" }],
    };

    it("no policy that allows it", async () => {
      await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: listBuckets.name }));
      const finding = broken(await look());
      expect(finding).to.include({ cause: "not-allowed" });
      await mended(finding);
      await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: "s3-ListAllMyBuckets" }));
      await policy(listBuckets.name, listBuckets.document);
    });

    it("one that denies it", async () => {
      await policy("deny", deny);
      expect(broken(await look())).to.include({ cause: "denied" });
      await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: "deny" }));
      await healthy();
    });

    it("a boundary that leaves it out", async () => {
      const boundary = (
        await run(
          `aws iam create-policy --policy-name boundary --policy-document '${JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "sqs:*", Resource: "*" }],
          })}' --query Policy.Arn --output text`,
        )
      ).trim();
      await iam.send(
        new PutRolePermissionsBoundaryCommand({ RoleName: roleName, PermissionsBoundary: boundary }),
      );
      const finding = broken(await look());
      expect(finding).to.include({ cause: "boundary" });
      expect(finding.disagreement?.found.value).to.equal(boundary);
      await iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: roleName }));
      await run(`aws iam delete-policy --policy-arn ${boundary}`);
      await healthy();
    });
  });

  it("a chain of EKS Pod Identity, to the agent, which is no pod on local", async () => {
    const eks = (verb: string) => `aws eks ${verb} --region ${region} --cluster-name eks-irsa`;
    const [statement] = podIdentityTrustPolicy([{ namespace, serviceAccount }]).Statement;
    const both = (more: object) => ({ ...goodTrust(), Statement: [...goodTrust().Statement, more] });
    // EKS takes no association with a role whose trust is broken already.
    await trust(both({ ...statement }));
    const id = (
      await run(
        `${eks("create-pod-identity-association")} --namespace ${namespace} --service-account ${serviceAccount} --role-arn ${roleArn} --query association.associationId --output text`,
      )
    ).trim();
    try {
      // The pod of before has its web identity, which SDKs take first, for the same role: so workloads move over.
      expect(await look()).to.include({ state: "healthy", chain: "irsa" });
      await until("the webhook knows the association", 60, async () => {
        await remakePod();
        return (await look()).chain === "pod-identity" ? true : undefined;
      });
      await trust(both({ ...statement, Action: "sts:AssumeRole" }));
      const untagged = broken(await look());
      expect(untagged).to.include({ cause: "trust-tag-session" });
      await runMend(untagged);
      // Without its tags a session is told from no other, and the role asks for them.
      await run(`${eks("update-pod-identity-association")} --association-id ${id} --disable-session-tags`);
      const tagless = broken(await look());
      expect(tagless).to.include({ cause: "trust-condition" });
      await runMend(tagless);
      const diagnosis = await look();
      expect(diagnosis.chain).to.equal("pod-identity");
      const finding = broken(diagnosis);
      expect(finding).to.include({ cause: "agent-missing" });
      await runMend(finding);
      // The add-on is EKS's to run, and nobody does here: a pod stands for it, which is no more than seen.
      expect(broken(await look())).to.include({ cause: "agent-not-running" });
      await apply(agentPod());
      await run("kubectl wait --namespace kube-system pod/agent --for=jsonpath={.status.phase}=Running");
      expect(await look()).to.include({ state: "healthy", chain: "pod-identity" });
      const own = [
        { name: "AWS_ROLE_ARN", value: `${roleArn}-other` },
        { name: "AWS_WEB_IDENTITY_TOKEN_FILE", value: "/elsewhere" },
      ];
      await deploy({ containers: [{ name: "app", image, args: ["--interval=5s"], env: own }] });
      const first = broken(await look());
      expect(first).to.include({ cause: "web-identity-first" });
      expect(first.what).to.contain("which SDKs take before the agent's");
      await runMend(first);
      await rolledOut();
      expect(await look()).to.include({ state: "healthy", chain: "pod-identity" });
    } finally {
      await run(`kubectl delete --namespace kube-system pod/agent --now --ignore-not-found`);
      await run(`kubectl delete --namespace ${namespace} deployment/patient --ignore-not-found`);
      await run(`${eks("delete-addon")} --addon-name eks-pod-identity-agent || true`);
      await run(`${eks("delete-pod-identity-association")} --association-id ${id}`);
      await trust(goodTrust());
    }
    await until("the webhook knows that the association is gone", 60, async () => {
      await remakePod();
      return (await look()).state === "healthy" ? true : undefined;
    });
  });

  it("what a pod is told to go on to, by an AWS profile: both hops", async () => {
    const name = "patient-chained";
    // MiniStack does not know the pod's role by its session, since it has a path: so it is the account that is trusted.
    const account = `${roleArn.split(":").slice(0, 5).join(":")}:root`;
    const asking = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Principal: { AWS: account },
          Condition: { StringEquals: { "sts:ExternalId": "reports" } },
        },
      ],
    });
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: asking }),
    );
    const target = Role?.Arn ?? "";
    const PolicyDocument = JSON.stringify(listBuckets.document);
    await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "list", PolicyDocument }));
    await policy("next", {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: target }],
    });
    const configured = async (externalId?: string) => {
      const config = awsConfig({ roleArn, target, externalId });
      const metadata = { name: config.name, namespace };
      await apply({ apiVersion: "v1", kind: "ConfigMap", metadata, data: config.data });
      const { env, volumeMounts, volumes } = podAdditions({ roleArn, configMap: config.name }) ?? {};
      await remakePod({ containers: [{ name: "app", image, env, volumeMounts }], volumes });
    };
    try {
      await configured("reports");
      const diagnosis = await look();
      expect(diagnosis.state, JSON.stringify(diagnosis.links, undefined, 1)).to.equal("healthy");
      const ids = diagnosis.links.map(({ id }) => id);
      expect(ids).to.include.members(["profile", "target-role", "target-trust", "target-sts", "permissions"]);
      expect(JSON.stringify(diagnosis.links)).to.contain(`assumed-role/${name}/`);
      await configured();
      expect(broken(await look())).to.include({ cause: "trust-condition" });
    } finally {
      await remakePod();
      await iam.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: "next" }));
      await iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: "list" }));
      await iam.send(new DeleteRoleCommand({ RoleName: name }));
    }
    await healthy();
  });

  it("a role that the workload goes on to assume, which its own policies have to allow", async () => {
    const name = "patient-next";
    const account = `${roleArn.split(":").slice(0, 5).join(":")}:root`;
    const Statement = [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: account } }];
    const document = JSON.stringify({ Version: "2012-10-17", Statement });
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: document }),
    );
    const assumeRole = Role?.Arn;
    try {
      const finding = broken(await look({ assumeRole }));
      expect(finding).to.include({ cause: "may-not-assume" });
      await runMend(finding);
      const listing = broken(await look({ assumeRole }));
      expect(listing).to.include({ cause: "not-allowed" });
      await mended(listing, { assumeRole });
    } finally {
      for (const [RoleName, PolicyName] of [
        [roleName, "sts-AssumeRole"],
        [name, "s3-ListAllMyBuckets"],
      ]) {
        await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })).catch(() => undefined);
      }
      await iam.send(new DeleteRoleCommand({ RoleName: name }));
    }
    await healthy();
  });

  describe("as a command", () => {
    const doctor = (...args: string[]) =>
      command("npm", ["run", "--silent", "doctor", "--", ...args], { env: shell });

    it("takes a stack, and writes the page", async () => {
      const file = join(folder, "chain.html");
      const { code, stdout } = await doctor("local", "--html", file);
      expect(code).to.equal(0);
      expect(stdout).to.match(
        /s3-irsa\/s3-irsa on eks-irsa: healthy\. Its pods get the role's credentials\.\n$/,
      );
      expect(readFileSync(file, "utf8")).to.match(/<p class="conclusion healthy">/);
    });

    it("mends through the stack what the stack makes", async () => {
      await run("kubectl delete serviceaccount -n s3-irsa s3-irsa");
      const { stdout } = await doctor("local", "--json");
      const finding = broken(JSON.parse(stdout));
      expect(finding).to.include({ cause: "service-account-missing" });
      const own = shell;
      shell = { ...shell, PULUMI_SKIP_CONFIRMATIONS: "true" };
      try {
        // Local keeps its stack's configuration beside its state.
        await runMend(finding, { "--stack local": `--stack local --config-file ${files.stackConfig}` });
      } finally {
        shell = own;
      }
      expect((await doctor("local")).code).to.equal(0);
    });

    it("takes a cluster that this program did not make, and exits with 1 where the chain is broken", async () => {
      await annotate(`${roleArn}-gone`);
      const flags = ["--cluster", "eks-irsa", "--namespace", namespace, "--service-account", serviceAccount];
      const { code, stdout } = await doctor(...flags, "--json");
      expect(code).to.equal(1);
      expect(broken(JSON.parse(stdout))).to.include({ cause: "role-missing" });
      await annotate(roleArn);
    });

    it("has had every mend run that there is", () => {
      const mended = Object.entries(causes).flatMap(([cause, way]) => (way === "advice" ? [] : [cause]));
      expect(mended.filter((cause) => !ran.has(cause as Cause))).to.deep.equal([]);
    });

    it("exits with 2 where it could not look", async () => {
      const { code, stderr } = await doctor("--cluster", "eks-irsa");
      expect(code).to.equal(2);
      expect(stderr).to.contain("--namespace, --service-account must be given");
      const typo = await doctor("lokal");
      expect(typo.code).to.equal(2);
      expect(typo.stderr).to.match(/^There is no stack lokal; there are: (.*, )?local(, .*)?\.\n$/);
    });
  });
});

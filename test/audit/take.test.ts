import { expect } from "chai";
import { type Audit, audit } from "../../audit/audit.ts";
import { sarif } from "../../audit/sarif.ts";
import { describe as inWords } from "../../audit/summary.ts";
import { type Target, takeSnapshot } from "../../audit/take.ts";
import { arnOf } from "./clean.ts";
import { FakeCloud } from "./fake-cloud.ts";

describe("the audit's snapshot", () => {
  const keyId = "AKIAIOSFODNN7EXAMPLE";
  const secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
  const environment = { ...process.env };
  let cloud: FakeCloud;

  const take = async (more: Partial<Target> = {}): Promise<Audit> =>
    audit(
      await takeSnapshot({
        cluster: "dev",
        region: "eu-central-1",
        kubeconfig: cloud.kubeconfig(),
        skip: [],
        ...more,
      }),
    );
  const found = ({ findings }: Audit): string[] => findings.map(({ id, subject }) => `${id} ${subject.name}`);

  beforeEach(async () => {
    cloud = new FakeCloud();
    await cloud.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: cloud.url,
      AWS_ACCESS_KEY_ID: keyId,
      AWS_SECRET_ACCESS_KEY: "none",
      AWS_MAX_ATTEMPTS: "1",
    });
    delete process.env.AWS_ENDPOINT_URL_STS;
    cloud.add("reader");
  });
  afterEach(async () => {
    await cloud.stop();
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
  });

  it("is taken by reads alone, of IAM in one listing", async () => {
    const { findings, unseen, serviceAccounts } = await take();
    expect({ findings, unseen }).to.deep.equal({ findings: [], unseen: [] });
    expect(serviceAccounts.map(({ name, pods }) => `${name} ${pods.join()}`)).to.deep.equal([
      "reader reader-0",
    ]);
    expect(cloud.asked.filter((one) => one === "GetAccountAuthorizationDetails")).to.have.length(1);
    expect(cloud.asked.filter((one) => !/^(GET |Get|List|Describe)/.test(one))).to.deep.equal([]);
  });

  it("has the places of stored keys, and the keys in no form", async () => {
    const keys = { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secretKey };
    const base64 = (value: string): string => Buffer.from(value).toString("base64");
    const data = Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, base64(value)]));
    cloud.put("/api/v1/secrets", "aws", { data });
    const credentials = `[default]\naws_access_key_id = ${keyId}\naws_secret_access_key = ${secretKey}\n`;
    cloud.put("/api/v1/configmaps", "files", { data: { credentials } });
    const env = Object.entries(keys).map(([name, value]) => ({ name, value }));
    const containers = [{ name: "app", image: "app:1", env, args: [`--secret-access-key=${secretKey}`] }];
    cloud.put("/apis/apps/v1/deployments", "careless", { spec: { template: { spec: { containers } } } });
    const result = await take();
    expect(result.findings.map(({ id, subject, evidence }) => [id, subject.name, evidence])).to.deep.equal([
      ["key-in-config-map", "team-a/files", ["credentials"]],
      [
        "key-in-environment",
        "team-a/deployment/careless",
        ["AWS_ACCESS_KEY_ID in app", "AWS_SECRET_ACCESS_KEY in app", "arguments of app"],
      ],
      ["key-in-secret", "team-a/aws", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]],
    ]);
    const outputs = [
      JSON.stringify(result),
      JSON.stringify(sarif(result, "1")),
      inWords(result, "low", (_, text) => text),
    ];
    for (const secret of [keyId, secretKey, base64(secretKey)]) {
      expect(outputs.filter((output) => output.includes(secret))).to.deep.equal([]);
    }
  });

  it("has what is set for nodes, pods and workloads", async () => {
    cloud.nodegroups = [{ nodegroupName: "default", nodeRole: arnOf("reader") }];
    cloud.associations = [
      { associationId: "a-1", namespace: "team-a", serviceAccount: "nobody", roleArn: arnOf("reader") },
    ];
    const template = {
      spec: {
        hostPID: true,
        hostNetwork: true,
        containers: [
          {
            name: "app",
            securityContext: { privileged: true },
            volumeMounts: [{ name: "host", mountPath: "/host" }],
          },
        ],
        volumes: [{ name: "host", hostPath: { path: "/" } }],
      },
    };
    cloud.put("/apis/batch/v1/cronjobs", "nightly", { spec: { jobTemplate: { spec: { template } } } });
    expect(found(await take())).to.have.members([
      ...["host-network", "host-path", "host-pid", "privileged"].map((id) => `${id} team-a/cronjob/nightly`),
      "node-hop-limit default",
      "association-unused a-1",
      "agent-missing dev",
    ]);
  });

  it("asks for the documents that IAM's listing leaves out", async () => {
    const arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    cloud.documents[arn] = { Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } };
    cloud.roles = cloud.roles.map((role) => ({ ...role, attached: [arn] }));
    expect(found(await take())).to.deep.equal([`whole-service ${arnOf("reader")}`]);
  });

  it("goes on without what it may not see, and says what that would take", async () => {
    cloud.lists["/api/v1/secrets"] = "refused";
    const { unseen } = await take();
    expect(unseen).to.deep.equal([
      {
        what: "Secrets",
        why: "Kubernetes: secrets is forbidden",
        takes: "Rights to list secrets, or --skip stored-keys.",
      },
    ]);
    expect((await take({ skip: ["stored-keys"] })).unseen).to.deep.equal([]);
  });

  it("is none where pods may not be listed, or the kubeconfig leads to another cluster", async () => {
    const why = (more: Partial<Target> = {}) =>
      take(more).then(
        () => "taken",
        (error: Error) => error.message,
      );
    cloud.lists["/api/v1/pods"] = "refused";
    expect(await why()).to.equal("Kubernetes: pods is forbidden");
    const other = cloud.kubeconfig().replace(cloud.url, "https://0123.gr7.eu-central-1.eks.amazonaws.com");
    expect(await why({ kubeconfig: other })).to.match(
      /^The kubeconfig leads to another cluster\. .*To mend it: aws eks update-kubeconfig/,
    );
  });

  it("is of the namespaces that are asked for, and of no other", async () => {
    const { findings, serviceAccounts } = await take({ namespaces: ["team-b"] });
    expect({ findings, serviceAccounts }).to.deep.equal({ findings: [], serviceAccounts: [] });
    const lists = cloud.asked.filter((one) => /^GET \/(api|apis)\//.test(one));
    expect(lists.filter((one) => !/\/namespaces\/(team-b|kube-system)\/|\/nodes$/.test(one))).to.deep.equal(
      [],
    );
  });

  it("has every page of 1,000 ServiceAccounts and 2,000 roles", async () => {
    for (let at = 1; at < 1000; at++) cloud.add(`reader-${at}`);
    const policy = { Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
    for (let at = 0; at < 1000; at++)
      cloud.roles.push({ name: `other-${at}`, trustPolicy: { Statement: [] }, policy });
    const { serviceAccounts, findings } = await take();
    expect(serviceAccounts).to.have.length(1000);
    expect(findings).to.deep.equal([]);
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  IAMClient,
  ListOpenIDConnectProvidersCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { expect } from "chai";
import PQueue from "p-queue";
import { type Audit, audit } from "../../audit/audit.ts";
import type { KindId } from "../../audit/kinds.ts";
import { takeSnapshot } from "../../audit/take.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { region } from "../../local/run.ts";
import { command, localUp, slowness, works } from "./tools.ts";

// Faults planted on the live parts, one at a time: the audit has to find each, and nothing else. That every kind is found
// wherever it is planted is shown by test/audit/, on plain data.

const namespace = "audit";
const name = "audited";
const annotation = "eks.amazonaws.com/role-arn";
/** `AUDIT_SERVICE_ACCOUNTS=1000` for the figure of docs/audit.md. */
const accounts = Number(process.env.AUDIT_SERVICE_ACCOUNTS ?? 50);

describe("the audit", function () {
  this.timeout("5m");

  let shell: NodeJS.ProcessEnv;
  let iam: IAMClient;
  let folder: string;
  let providerArn: string;
  let roleArn: string;
  const environment = { ...process.env };

  const run = async (line: string) => (await works(command("sh", ["-c", line], { env: shell }))).stdout;
  /** Makes objects what these say, and nothing beside. */
  const replace = async (...items: object[]) => {
    const file = join(folder, "objects.json");
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    await run(`kubectl apply --server-side --force-conflicts --field-manager=audit -f ${file}`);
  };
  const remove = (what: string) =>
    run(`kubectl delete --namespace ${namespace} ${what} --ignore-not-found --now`);

  const look = async (): Promise<Audit> =>
    audit(
      await takeSnapshot({
        cluster: "eks-irsa",
        region,
        kubeconfig: readFileSync(shell.KUBECONFIG ?? "", "utf8"),
        skip: [],
      }),
    );
  const found = ({ findings }: Audit): string[] =>
    findings.map(({ id, subject }) => `${id} ${subject.name}`).sort();

  const object = (apiVersion: string, kind: string, more: object, metadata: object = {}) => ({
    apiVersion,
    kind,
    metadata: { name, namespace, ...metadata },
    ...more,
  });
  const account = (annotations: Record<string, string>, called = name) =>
    object("v1", "ServiceAccount", {}, { name: called, annotations });
  const container = { name: "app", image: "example.com/none:1" };
  /** It makes no pod, and says what pods of it would be. */
  const deployment = (spec: object = {}, own: object = {}) =>
    object("apps/v1", "Deployment", {
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { serviceAccountName: name, containers: [{ ...container, ...own }], ...spec },
        },
      },
    });
  /** A pod that no node is for: it is admitted, and never runs. */
  const pod = () =>
    object("v1", "Pod", {
      spec: { serviceAccountName: name, nodeSelector: { none: "none" }, containers: [container] },
    });

  const right = () => trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount: name });
  const issuer = () => providerArn.replace(/^.*oidc-provider\//, "");
  const trust = (document: object | string) =>
    iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: name,
        PolicyDocument: typeof document === "string" ? document : JSON.stringify(document),
      }),
    );
  const also = (statement: object) => trust({ ...right(), Statement: [...right().Statement, statement] });
  const asking = (Condition: object) =>
    trust({ ...right(), Statement: [{ ...right().Statement[0], Condition }] });
  const changed = (from: string, to: string) => trust(JSON.stringify(right()).replaceAll(from, to));
  const aud = () => ({ [`${issuer()}:aud`]: "sts.amazonaws.com" });
  const like = (subject: string) =>
    asking({ StringEquals: aud(), StringLike: { [`${issuer()}:sub`]: subject } });
  const allow = (Action: string | string[], Resource = "*", more: object = {}) => ({
    Effect: "Allow",
    Action,
    Resource,
    ...more,
  });
  const may = (...Statement: object[]) =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: name,
        PolicyName: "own",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
      }),
    );
  const otherRole = async (called: string, document: object): Promise<() => Promise<unknown>> => {
    await iam.send(
      new CreateRoleCommand({ RoleName: called, AssumeRolePolicyDocument: JSON.stringify(document) }),
    );
    return () => iam.send(new DeleteRoleCommand({ RoleName: called }));
  };
  const other = () => roleArn.replace(/[^/]*$/, "audited-other");
  const otherProvider = () => providerArn.replace(/[^/]*$/, "0".repeat(32));

  /** All as it should be: one ServiceAccount, its role, and what runs under it. */
  const restore = async () => {
    await trust(right());
    await may(allow("s3:GetObject", "arn:aws:s3:::invoices/*"));
    await replace(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      account({ [annotation]: roleArn }),
      deployment(),
    );
  };

  before(async () => {
    shell = await localUp();
    for (const [key, value] of Object.entries(shell)) if (key.startsWith("AWS_")) process.env[key] = value;
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-audit-"));
    iam = new IAMClient({ region });
    const { OpenIDConnectProviderList = [] } = await iam.send(new ListOpenIDConnectProvidersCommand({}));
    providerArn = OpenIDConnectProviderList[0]?.Arn ?? "";
  });
  after(async () => {
    const gone = ["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"];
    await command("kubectl", gone, { env: shell });
    if (roleArn !== undefined) {
      await iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: "own" }));
      await iam.send(new DeleteRoleCommand({ RoleName: name }));
    }
    rmSync(folder, { recursive: true, force: true });
    for (const key of Object.keys(process.env)) if (!(key in environment)) delete process.env[key];
  });

  it("finds nothing in the cluster as this program makes it, and sees all of it", async () => {
    const { findings, unseen, serviceAccounts } = await look();
    expect({ findings, unseen }).to.deep.equal({ findings: [], unseen: [] });
    const lister = serviceAccounts.find((one) => one.namespace === "s3-irsa");
    expect(
      lister?.roles.map(({ way, services }) => [way, services?.map(({ service }) => service)]),
    ).to.deep.equal([["irsa", ["s3"]]]);
    expect(lister?.pods).to.have.length(1);
  });

  describe("of a cluster with one more ServiceAccount", () => {
    before(async () => {
      const { Role } = await iam.send(
        new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(right()) }),
      );
      roleArn = Role?.Arn ?? "";
      await restore();
    });
    afterEach(restore);

    it("finds nothing while that is as it should be", async () => {
      expect(found(await look())).to.deep.equal([]);
    });

    const here = `${namespace}/${name}`;
    const workload = `${namespace}/deployment/${name}`;
    /** What is found, of which subject, and what plants it; undone by `restore`, or by what planting gives. */
    const faults: [kind: KindId, subject: () => string, plant: () => Promise<unknown>][] = [
      [
        "trust-anyone",
        () => roleArn,
        () => also({ Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" }),
      ],
      ["trust-no-subject", () => roleArn, () => asking({ StringEquals: aud() })],
      [
        "trust-no-audience",
        () => roleArn,
        () => asking({ StringEquals: { [`${issuer()}:sub`]: `system:serviceaccount:${namespace}:${name}` } }),
      ],
      ["trust-any-subject", () => roleArn, () => like("system:serviceaccount:*:*")],
      ["trust-any-namespace", () => roleArn, () => like(`system:serviceaccount:*:${name}`)],
      ["trust-pattern-others", () => roleArn, () => like(`system:serviceaccount:${namespace}:*`)],
      ["trust-pattern-open", () => roleArn, () => like(`system:serviceaccount:${namespace}:audit*`)],
      [
        "trust-foreign-account",
        () => roleArn,
        () =>
          also({
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::444455556666:root" },
            Action: "sts:AssumeRole",
          }),
      ],
      [
        "trust-other-service",
        () => roleArn,
        () =>
          also({ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }),
      ],
      [
        "trust-issuer-gone",
        () => roleArn,
        () => also({ ...right().Statement[0], Principal: { Federated: otherProvider() } }),
      ],
      ["trust-action", () => here, () => changed("sts:AssumeRoleWithWebIdentity", "sts:AssumeRole")],
      ["trust-key-scheme", () => here, () => changed(`"${issuer()}:`, `"https://${issuer()}:`)],
      ["trust-subject", () => here, () => changed(`:${namespace}:${name}`, ":elsewhere:nobody")],
      ["trust-audience", () => here, () => changed('"sts.amazonaws.com"', '"sts.amazonaws.com.cn"')],
      ["trust-deny", () => here, () => also({ ...right().Statement[0], Effect: "Deny" })],
      [
        "annotation-malformed",
        () => here,
        async () => {
          await replace(account({ [annotation]: "arn:aws:sts::000000000000:assumed-role/a/b" }));
          return iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: unrelated }));
        },
      ],
      [
        "role-missing",
        () => here,
        async () => {
          await replace(account({ [annotation]: other() }));
          return iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument: unrelated }));
        },
      ],
      [
        "provider-cluster-gone",
        otherProvider,
        async () => {
          const url = `https://${otherProvider().replace(/^.*oidc-provider\//, "")}`;
          await iam.send(
            new CreateOpenIDConnectProviderCommand({ Url: url, ClientIDList: ["sts.amazonaws.com"] }),
          );
          return () =>
            iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: otherProvider() }));
        },
      ],
      [
        "role-unused",
        other,
        () =>
          otherRole(
            "audited-other",
            trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount: "nobody" }),
          ),
      ],
      [
        "role-not-asked-for",
        other,
        () =>
          otherRole(
            "audited-other",
            trustPolicy({ oidcProviderArn: providerArn, namespace, serviceAccount: "default" }),
          ),
      ],
      ["role-powerless", () => roleArn, () => may({ ...allow("s3:*"), Effect: "Deny" })],
      ["service-account-unused", () => here, () => remove(`deployment/${name}`)],
      [
        "pod-other-role",
        () => here,
        async () => {
          await replace(account({ [annotation]: other() }));
          await replace(pod());
          await replace(account({ [annotation]: roleArn }));
          return () => remove(`pod/${name}`);
        },
      ],
      [
        "pod-older",
        () => here,
        async () => {
          await replace(account({}));
          await replace(pod());
          await sleep(1100); // Kubernetes keeps whole seconds
          await replace(account({ [annotation]: roleArn }));
          return () => remove(`pod/${name}`);
        },
      ],
      ["host-network", () => workload, () => replace(deployment({ hostNetwork: true }))],
      ["host-pid", () => workload, () => replace(deployment({ hostPID: true }))],
      [
        "privileged",
        () => workload,
        () => replace(deployment({}, { securityContext: { privileged: true } })),
      ],
      [
        "host-path",
        () => workload,
        () =>
          replace(
            deployment(
              { volumes: [{ name: "host", hostPath: { path: "/var/lib/kubelet" } }] },
              { volumeMounts: [{ name: "host", mountPath: "/host" }] },
            ),
          ),
      ],
      [
        "key-in-environment",
        () => workload,
        () => replace(deployment({}, { env: [{ name: "AWS_SECRET_ACCESS_KEY", value: secretKey }] })),
      ],
      [
        "key-in-secret",
        () => here,
        async () => {
          await replace(object("v1", "Secret", { stringData: { AWS_SECRET_ACCESS_KEY: secretKey } }));
          return () => remove(`secret/${name}`);
        },
      ],
      [
        "key-in-config-map",
        () => here,
        async () => {
          await replace(
            object("v1", "ConfigMap", { data: { credentials: `aws_secret_access_key = ${secretKey}` } }),
          );
          return () => remove(`configmap/${name}`);
        },
      ],
      ["full-access", () => roleArn, () => may(allow("*"))],
      [
        "full-access",
        () => roleArn,
        async () => {
          const attached = { RoleName: name, PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" };
          await iam.send(new AttachRolePolicyCommand(attached));
          return () => iam.send(new DetachRolePolicyCommand(attached));
        },
      ],
      ["all-but-actions", () => roleArn, () => may({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })],
      ["whole-service", () => roleArn, () => may(allow("s3:*"))],
      ["escalation-grant", () => roleArn, () => may(allow("iam:PutRolePolicy"))],
      ["escalation-pass-role", () => roleArn, () => may(allow(["iam:PassRole", "lambda:CreateFunction"]))],
      ["escalation-assume-role", () => roleArn, () => may(allow("sts:AssumeRole"))],
      ["escalation-code", () => roleArn, () => may(allow("ssm:SendCommand"))],
      [
        "escalation-cluster",
        () => roleArn,
        () => may(allow(["eks:CreateAccessEntry", "eks:AssociateAccessPolicy"])),
      ],
      ["reads-all-secrets", () => roleArn, () => may(allow("secretsmanager:GetSecretValue"))],
    ];
    for (const [kind, subject, plant] of faults) {
      it(`finds ${kind}`, async () => {
        const undo = await plant();
        try {
          expect(found(await look())).to.deep.equal([`${kind} ${subject()}`]);
        } finally {
          if (typeof undo === "function") await undo();
        }
      });
    }

    it("finds an association for nobody, and that no agent is there as an add-on or a pod", async () => {
      const eks = `--region ${region} --cluster-name eks-irsa`;
      // EKS takes no association with a role whose trust refuses it.
      const [statement] = podIdentityTrustPolicy([{ namespace, serviceAccount: "nobody" }]).Statement;
      await also({ ...statement });
      const id = (
        await run(
          `aws eks create-pod-identity-association ${eks} --namespace ${namespace} --service-account nobody --role-arn ${roleArn} --query association.associationId --output text`,
        )
      ).trim();
      try {
        expect(found(await look())).to.have.members([`association-unused ${id}`, "agent-missing eks-irsa"]);
      } finally {
        await run(`aws eks delete-pod-identity-association ${eks} --association-id ${id}`);
      }
    });

    it("as a command: exits 0, then 1 with page and SARIF, which hold no key, then 2", async () => {
      const page = join(folder, "audit.html");
      const sarif = join(folder, "audit.sarif");
      const auditing = (...args: string[]) =>
        command("npm", ["run", "--silent", "audit", "--", ...args], { env: shell });
      const clean = await auditing("local");
      expect(clean.stdout).to.match(/eks-irsa: 2 ServiceAccounts have a role; nothing was found\.\n$/);
      expect(clean.code).to.equal(0);
      await replace(object("v1", "Secret", { stringData: { AWS_SECRET_ACCESS_KEY: secretKey } }));
      try {
        const flags = ["--cluster", "eks-irsa", "--namespace", namespace];
        const one = await auditing(...flags, "--html", page, "--sarif", sarif);
        expect(one.code).to.equal(1);
        for (const output of [one.stdout, readFileSync(page, "utf8"), readFileSync(sarif, "utf8")]) {
          expect(output).to.contain("key-in-secret");
          expect(output.includes(secretKey)).to.equal(false);
        }
        expect((await auditing(...flags, "--fail-on", "critical")).code).to.equal(0);
      } finally {
        await remove(`secret/${name}`);
      }
      expect((await auditing("--cluster", "not-there")).code).to.equal(2);
    });
  });

  describe(`of ${accounts} more ServiceAccounts, and twice as many roles`, function () {
    this.timeout("15m");
    const large = "audit-large";
    const numbers = Array.from({ length: accounts }, (_, at) => at);
    const queue = new PQueue({ concurrency: 16 });
    let core: CoreV1Api;

    const createRole = async (RoleName: string, trusting: string, ...statements: object[]) => {
      const { Role } = await iam.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trusting }),
      );
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "own", PolicyDocument }));
      return Role?.Arn ?? "";
    };
    /** A ServiceAccount with its role and a pod, and a role that has nothing to do with the cluster. */
    const plant = async (at: number) => {
      const called = `app-${at}`;
      const own = allow(["s3:GetObject", "s3:PutObject", "sqs:SendMessage"], `arn:aws:s3:::${called}/*`);
      const trusting = trustPolicy({
        oidcProviderArn: providerArn,
        namespace: large,
        serviceAccount: called,
      });
      const arn = await createRole(called, JSON.stringify(trusting), at === 1 ? allow("s3:*") : own);
      await createRole(`other-${at}`, unrelated, own);
      await core.createNamespacedServiceAccount({
        namespace: large,
        body: { metadata: { name: called, annotations: { [annotation]: arn } } },
      });
      await core.createNamespacedPod({
        namespace: large,
        // It is admitted, and waits for somebody to open the gate.
        body: {
          metadata: { name: called },
          spec: {
            serviceAccountName: called,
            schedulingGates: [{ name: "example.com/never" }],
            containers: [container],
          },
        },
      });
    };

    before(async () => {
      const config = new KubeConfig();
      config.loadFromFile(shell.KUBECONFIG ?? "");
      core = config.makeApiClient(CoreV1Api);
      await core.createNamespace({ body: { metadata: { name: large } } });
      await queue.addAll(numbers.map((at) => () => plant(at)));
    });
    after(async () => {
      await run(`kubectl delete namespace ${large} --ignore-not-found --wait=false`);
      await queue.addAll(
        numbers
          .flatMap((at) => [`app-${at}`, `other-${at}`])
          .map((RoleName) => async () => {
            await iam
              .send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "own" }))
              .catch(() => undefined);
            await iam.send(new DeleteRoleCommand({ RoleName })).catch(() => undefined);
          }),
      );
    });

    it("finds the one fault among them, within 500 MB and, of a thousand, 60 s", async function () {
      const page = join(folder, "large.html");
      const peak = `process.on("exit", () => console.error("peak", process.resourceUsage().maxRSS))`;
      const { stdout, stderr, seconds } = await command(
        process.execPath,
        [
          ...["--import", "./preload.js", "--import", `data:text/javascript,${encodeURIComponent(peak)}`],
          ...["audit/cli.ts", "--cluster", "eks-irsa", "--json", "--html", page],
        ],
        { env: shell },
      );
      const megabytes = Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024;
      const { findings, unseen, serviceAccounts } = JSON.parse(stdout) as Audit;
      const told = `${seconds.toFixed(1)} s, ${Math.round(megabytes)} MB`;
      if (this.test) this.test.title += ` (${told})`;
      expect(findings.map(({ id, subject }) => `${id} ${subject.name.replace(/^.*\//, "")}`)).to.deep.equal([
        "whole-service app-1",
      ]);
      expect(unseen).to.deep.equal([]);
      expect(serviceAccounts.filter((one) => one.namespace === large)).to.have.length(accounts);
      expect(megabytes, told).to.be.below(500);
      expect(seconds, told).to.be.below(60 * Math.max(1, await slowness(shell)));
    });
  });
});

const secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/** A trust policy that has nothing to do with the cluster. */
const unrelated = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

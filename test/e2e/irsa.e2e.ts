import { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { expect } from "chai";
import { openStack } from "../../automation/stack.ts";
import { IrsaServiceAccount } from "../../components/irsa.ts";
import type { ConfigInput } from "../../config.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { failureOf } from "../failure.ts";
import { command, localUp, works } from "./tools.ts";

// A second stack, as a platform team runs it: ServiceAccounts for a cluster that is there already, on the live parts.

const stackName = "bindings";

describe("bindings on an existing cluster", function () {
  this.timeout("10m");
  this.bail(true);

  let shell: NodeJS.ProcessEnv;
  let stack: Awaited<ReturnType<typeof openStack>>;
  let roles: Record<string, string>;

  const run = async (name: string, ...args: string[]) =>
    (await works(command(name, args, { env: shell }))).stdout;
  const kubectl = (...args: string[]) => run("kubectl", ...args);
  const json = async (name: string, ...args: string[]) => JSON.parse(await run(name, ...args));
  const aws = (...args: string[]) => json("aws", ...args, "--output", "json");
  const serviceAccount = (namespace: string, name: string) =>
    json("kubectl", "get", "serviceaccount", "-n", namespace, name, "-o", "json");
  const roleOf = async (binding: string) =>
    (await aws("iam", "get-role", "--role-name", (roles[binding] ?? "").replace(/^.*\//, ""))).Role;

  const reader = {
    namespace: "team-a",
    serviceAccount: "reader",
    policies: ["AmazonS3ReadOnlyAccess"],
    role: { path: "/teams/", maxSessionDuration: 7200 },
    otherSubjects: [{ namespace: { matching: "team-*" }, serviceAccount: "reader" }],
  };
  const config = (identity: "irsa" | "pod-identity", legacyRole: object): ConfigInput => ({
    app: "none",
    cluster: { name: "eks-irsa", existing: true },
    bindings: [
      reader,
      { namespace: "team-a", serviceAccount: "chart", adopt: true },
      { namespace: "team-a", serviceAccount: "controller", roleOnly: true },
      { namespace: "fresh", serviceAccount: "switched", createNamespace: true, identity },
      { namespace: "team-a", serviceAccount: "legacy", adopt: true, role: legacyRole },
    ],
  });
  const legacyArn = "arn:aws:iam::000000000000:role/eksctl/legacy";
  const open = async (identity: "irsa" | "pod-identity", legacyRole: object = { arn: legacyArn }) => {
    const state = running();
    stack = await openStack({
      stack: stackName,
      region,
      config: config(identity, legacyRole),
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
  };
  /** What STS says to a token of this ServiceAccount. */
  async function assume(binding: string, namespace: string, name: string, ...more: string[]) {
    const token = await kubectl("create", "token", "-n", namespace, name, "--audience", "sts.amazonaws.com");
    const { code, stdout, stderr } = await command(
      "aws",
      [
        ...["sts", "assume-role-with-web-identity", "--role-session-name", "test", "--output", "json"],
        ...["--role-arn", roles[binding] ?? "", "--web-identity-token", token.trim(), ...more],
      ],
      { env: shell },
    );
    return code === 0
      ? (JSON.parse(stdout).AssumedRoleUser.Arn as string)
      : (/\((\w+)\)/.exec(stderr)?.[1] ?? stderr);
  }

  before(async () => {
    shell = await localUp();
    process.env.PATH = shell.PATH; // the Automation API looks for the engine there
    for (const namespace of ["team-a", "team-b", "other"]) await kubectl("create", "namespace", namespace);
    for (const namespace of ["team-b", "other"]) {
      await kubectl("create", "serviceaccount", "-n", namespace, "reader");
    }
    await kubectl("create", "serviceaccount", "-n", "team-a", "chart");
    await kubectl("create", "serviceaccount", "-n", "team-a", "legacy");
    const [provider] = (await aws("iam", "list-open-id-connect-providers")).OpenIDConnectProviderList;
    const trust = trustPolicy({
      oidcProviderArn: provider.Arn,
      namespace: "team-a",
      serviceAccount: "legacy",
    });
    await run(
      "aws",
      ...["iam", "create-role", "--role-name", "legacy", "--path", "/eksctl/"],
      ...["--assume-role-policy-document", JSON.stringify(trust)],
    );
    await kubectl("label", "serviceaccount", "-n", "team-a", "chart", "made-by=somebody-else");
    await open("pod-identity");
  });
  after(async () => {
    // None waits for them, each of which Kubernetes takes more than five seconds for.
    const ours = ["team-a", "team-b", "other", "somebodys"];
    await command("kubectl", ["delete", "namespace", ...ours, "--ignore-not-found", "--wait=false"], {
      env: shell,
    });
  });

  it("makes each binding on a cluster that another stack made, and no second OIDC provider", async () => {
    const { outputs } = await stack.up();
    roles = outputs.bindings?.value as typeof roles;
    expect(Object.keys(roles)).to.have.members([
      "team-a/reader",
      "team-a/chart",
      "team-a/controller",
      "fresh/switched",
      "team-a/legacy",
    ]);
    expect(await roleOf("team-a/reader")).to.include({ Path: "/teams/", MaxSessionDuration: 7200 });
    expect((await aws("iam", "list-open-id-connect-providers")).OpenIDConnectProviderList).to.have.length(1);
  });

  it("admits the ServiceAccounts of a pattern, and none beside them", async () => {
    expect(await assume("team-a/reader", "team-a", "reader")).to.match(/:assumed-role\//);
    expect(await assume("team-a/reader", "team-b", "reader")).to.match(/:assumed-role\//);
    expect(await assume("team-a/reader", "other", "reader")).to.equal("AccessDenied");
    expect(await assume("team-a/reader", "team-a", "chart")).to.equal("AccessDenied");
  });

  it("takes sessions as long as the role allows, and no longer", async () => {
    expect(await assume("team-a/reader", "team-a", "reader", "--duration-seconds", "7200")).to.match(
      /:assumed-role\//,
    );
    expect(await assume("team-a/reader", "team-a", "reader", "--duration-seconds", "7201")).to.equal(
      "ValidationError",
    );
  });

  it("adopts a ServiceAccount without taking it over", async () => {
    const { metadata } = await serviceAccount("team-a", "chart");
    expect(metadata.annotations["eks.amazonaws.com/role-arn"]).to.equal(roles["team-a/chart"]);
    expect(metadata.labels["made-by"]).to.equal("somebody-else");
    expect(await assume("team-a/chart", "team-a", "chart")).to.match(/:assumed-role\//);
  });

  it("does not adopt a ServiceAccount that is not there, nor make it, and says so in a preview", async () => {
    const state = running();
    const missing = await openStack({
      stack: "adopting",
      region,
      config: {
        app: "none",
        cluster: { name: "eks-irsa", existing: true },
        bindings: [{ namespace: "team-a", serviceAccount: "not-there", adopt: true }],
      },
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
    for (const attempt of [() => missing.preview(), () => missing.up()]) {
      const error = await failureOf(attempt());
      expect(error.message)
        .to.contain("team-a.not-there-to-adopt")
        .and.to.contain("There is no ServiceAccount team-a/not-there to adopt. Make it");
    }
    await missing.destroy();
    await missing.remove();
    const list = await run("kubectl", "get", "serviceaccounts", "-n", "team-a", "-o", "name");
    expect(list).not.to.contain("not-there");
  });

  it("takes over neither a namespace nor a ServiceAccount that is there, and leaves them when it is destroyed", async () => {
    const state = running();
    await kubectl("create", "namespace", "somebodys");
    await kubectl("create", "serviceaccount", "-n", "somebodys", "app");
    const bindings: Record<string, NonNullable<ConfigInput["bindings"]>[number]> = {
      'namespaces "somebodys" already exists': {
        namespace: "somebodys",
        createNamespace: true,
        serviceAccount: "other",
      },
      'serviceaccounts "app" already exists': { namespace: "somebodys", serviceAccount: "app" },
    };
    for (const [message, binding] of Object.entries(bindings)) {
      const taking = await openStack({
        stack: "taking",
        region,
        config: { app: "none", cluster: { name: "eks-irsa", existing: true }, bindings: [binding] },
        env: { ...awsEnvironment(state), ...engineEnvironment(state) },
      });
      expect((await failureOf(taking.up())).message).to.contain(message);
      await taking.destroy();
      await taking.remove();
      const { metadata } = await serviceAccount("somebodys", "app");
      expect(metadata.annotations ?? {}).to.deep.equal({});
    }
  });

  it("makes the role only, for a ServiceAccount that a chart brings later", async () => {
    expect(
      (await command("kubectl", ["get", "serviceaccount", "-n", "team-a", "controller"], { env: shell }))
        .code,
    ).to.equal(1);
    await kubectl("create", "serviceaccount", "-n", "team-a", "controller");
    expect(await assume("team-a/controller", "team-a", "controller")).to.match(/:assumed-role\//);
  });

  it("associates by Pod Identity, and switches to IRSA without replacing role or ServiceAccount", async () => {
    const associations = async () =>
      (await aws("eks", "list-pod-identity-associations", "--cluster-name", "eks-irsa")).associations;
    expect(await associations()).to.have.length(1);
    const role = await roleOf("fresh/switched");
    expect(role.AssumeRolePolicyDocument.Statement[0].Principal).to.deep.equal({
      Service: "pods.eks.amazonaws.com",
    });
    const before = await serviceAccount("fresh", "switched");
    expect(before.metadata.annotations?.["eks.amazonaws.com/role-arn"]).to.equal(undefined);
    expect(await assume("fresh/switched", "fresh", "switched")).to.equal("AccessDenied");

    await open("irsa");
    const { changes } = await stack.up();
    expect(changes).to.include({ update: 2, delete: 1 }).and.not.to.have.any.keys("replace", "create");
    expect((await roleOf("fresh/switched")).RoleId).to.equal(role.RoleId);
    expect((await serviceAccount("fresh", "switched")).metadata.uid).to.equal(before.metadata.uid);
    expect(await associations()).to.deep.equal([]);
    expect(await assume("fresh/switched", "fresh", "switched")).to.match(/:assumed-role\//);
  });

  it("makes a ServiceAccount again that was deleted by hand", async () => {
    await kubectl("delete", "serviceaccount", "-n", "team-a", "reader");
    await stack.refresh();
    await stack.up();
    expect((await serviceAccount("team-a", "reader")).metadata.annotations).to.include({
      "eks.amazonaws.com/role-arn": roles["team-a/reader"],
    });
  });

  it("takes over the role of another tool by import, without making it anew", async () => {
    const before = await roleOf("team-a/legacy");
    expect(await assume("team-a/legacy", "team-a", "legacy")).to.match(/:assumed-role\/legacy/);
    const parent = `urn:pulumi:${stackName}::eks-irsa::eks-irsa:index:IrsaServiceAccount::team-a.legacy`;
    await run(
      "pulumi",
      ...[
        "import",
        "aws:iam/role:Role",
        "team-a.legacy-role-legacy",
        "legacy",
        "--parent",
        `binding=${parent}`,
      ],
      ...[
        "--stack",
        `organization/eks-irsa/${stackName}`,
        "--yes",
        "--protect=false",
        "--generate-code=false",
      ],
      ...["--config-file", `${stack.stack.workspace.workDir}/Pulumi.${stackName}.yaml`],
    );
    await open("irsa", { name: "legacy", path: "/eksctl/" });
    const { changes } = await stack.up();
    // The list of its managed policies.
    expect(changes).to.include({ create: 1 }).and.not.to.have.any.keys("replace", "delete");
    const after = await roleOf("team-a/legacy");
    expect(after.RoleId).to.equal(before.RoleId);
    expect(after.Description).to.equal("Assumed by the Kubernetes ServiceAccount team-a/legacy");
    expect(await assume("team-a/legacy", "team-a", "legacy")).to.match(/:assumed-role\/legacy/);
  });

  it("takes the cluster from another stack's outputs, as a stack of its own team would", async () => {
    const state = running();
    const referring = await openStack({
      stack: "referring",
      region,
      config: {
        app: "none",
        cluster: { stack: "organization/eks-irsa/local" },
        bindings: [{ namespace: "team-b", serviceAccount: "referring" }],
      },
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
    const { outputs } = await referring.up();
    roles["team-b/referring"] =
      (outputs.bindings?.value as typeof roles | undefined)?.["team-b/referring"] ?? "";
    expect(outputs.clusterName?.value).to.equal("eks-irsa");
    expect(outputs.kubeconfig?.secret).to.equal(true);
    expect(await assume("team-b/referring", "team-b", "referring")).to.match(/:assumed-role\//);
    await referring.destroy();
    await referring.remove();
  });

  it("makes one role for the pods of two clusters", async () => {
    const state = running();
    const [own] = (await aws("iam", "list-open-id-connect-providers")).OpenIDConnectProviderList;
    const both = await LocalWorkspace.createOrSelectStack(
      {
        stackName: "both",
        projectName: "two-clusters",
        program: async () => {
          const other = new OpenIdConnectProvider("other", {
            url: "https://oidc.eks.eu-west-1.amazonaws.com/id/0000000000000000000000000000FFFF",
            clientIdLists: ["sts.amazonaws.com"],
          });
          const cluster = new Provider("cluster", { kubeconfig: shell.KUBECONFIG });
          const { roleArn } = new IrsaServiceAccount(
            "both",
            { oidcProviderArn: [own.Arn, other.arn], namespace: "team-b", policies: ["ReadOnlyAccess"] },
            { providers: [cluster] },
          );
          return { roleArn };
        },
      },
      {
        envVars: {
          ...awsEnvironment(state),
          ...engineEnvironment(state),
          PULUMI_CONFIG_PASSPHRASE: "test",
        },
      },
    );
    roles.both = (await both.up()).outputs.roleArn?.value;
    const trust = (await roleOf("both")).AssumeRolePolicyDocument.Statement;
    expect(trust.map((one: { Principal: { Federated: string } }) => one.Principal.Federated)).to.deep.equal([
      own.Arn,
      own.Arn.replace(
        /oidc-provider.*/,
        "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0000000000000000000000000000FFFF",
      ),
    ]);
    expect(await assume("both", "team-b", "both")).to.match(/:assumed-role\//);
    expect(await assume("both", "team-b", "reader")).to.equal("AccessDenied");
    await both.destroy();
    await both.workspace.removeStack("both");
  });

  it("previews a thousand bindings on the engine", async () => {
    const state = running();
    const thousand = await openStack({
      stack: "thousand",
      region,
      config: {
        app: "none",
        cluster: { name: "eks-irsa", existing: true },
        bindings: Array.from({ length: 1000 }, (_, index) => ({
          namespace: "team-a",
          serviceAccount: `app-${index}`,
          policies: ["AmazonS3ReadOnlyAccess"],
        })),
      },
      env: { ...awsEnvironment(state), ...engineEnvironment(state) },
    });
    const { changes } = await thousand.preview();
    // A component, a role, the list of its policies and a ServiceAccount each; the stack, the cluster and its provider.
    expect(changes).to.deep.equal({ create: 4003 });
    await thousand.remove();
  });

  it("destroys what it made; what it adopted or found stays", async () => {
    await stack.destroy();
    const left = (await aws("iam", "list-roles")).Roles.map((role: { RoleName: string }) => role.RoleName);
    expect(left.filter((name: string) => /reader|chart|controller|switched|legacy/.test(name))).to.deep.equal(
      [],
    );
    const { metadata } = await serviceAccount("team-a", "chart");
    expect(metadata.annotations?.["eks.amazonaws.com/role-arn"]).to.equal(undefined);
    expect(metadata.labels["made-by"]).to.equal("somebody-else");
    expect((await aws("iam", "list-open-id-connect-providers")).OpenIDConnectProviderList).to.have.length(1);
    expect((await aws("eks", "list-clusters")).clusters).to.deep.equal(["eks-irsa"]);
  });
});

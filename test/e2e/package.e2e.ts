import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { installPythonPackages } from "../../local/machine/install/python.ts";
import { project } from "../../local/machine/paths.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, local, shellOf, works } from "./tools.ts";

// The package as `npm pack` makes it, installed in an empty project, and as a Pulumi package for other languages.

describe("the npm package in an empty project", function () {
  this.timeout("10m");
  this.bail(true);

  let folder: string;
  let shell: NodeJS.ProcessEnv;
  const node = async (...args: string[]) =>
    (await works(command(process.execPath, args, { cwd: folder, env: shell }))).stdout;

  before(async () => {
    await works(local("up", "--json"));
    shell = await shellOf((await works(local("env"))).stdout);
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-package-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is packed and installed", async () => {
    const packed = await works(command("npm", ["pack", "--json", "--pack-destination", folder]));
    const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[")));
    const paths = files.map((file: { path: string }) => file.path) as string[];
    expect(paths).to.include.members(["dist/index.js", "dist/components/irsa.d.ts", "app/go/Dockerfile"]);
    expect(paths.filter((path) => /test|local\/|\.ts$/.test(path) && !path.endsWith(".d.ts"))).to.deep.equal(
      [],
    );
    writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true }');
    await works(
      command(
        "npm",
        ["install", `./${filename}`, "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"],
        { cwd: folder },
      ),
    );
  });

  it("has types for each of its exports", async () => {
    writeFileSync(
      join(folder, "use.ts"),
      `import { Cluster, type IrsaServiceAccountArgs, trustPolicy } from "eks-irsa";
import { IrsaServiceAccount } from "eks-irsa/components/irsa";
import { configSchema, parseConfig } from "eks-irsa/config";
import { openStack, type ProgramStack, ResourceError } from "eks-irsa/automation";
import program from "eks-irsa/program";
const args: IrsaServiceAccountArgs = { oidcProviderArn: "arn", namespace: "a", policies: ["ReadOnlyAccess"] };
export const role = () => new IrsaServiceAccount("a", args).roleArn.apply((arn) => arn.length);
export const open = (): Promise<ProgramStack> => openStack({ stack: "a", region: "eu-west-1", config: { replicas: 2 } });
export { Cluster, configSchema, parseConfig, program, ResourceError, trustPolicy };
// @ts-expect-error a number is no namespace
new IrsaServiceAccount("b", { ...args, namespace: 1 });
`,
    );
    for (const [module, moduleResolution] of [
      ["nodenext", "nodenext"],
      ["esnext", "bundler"],
    ] as const) {
      const compilerOptions = {
        ...{ noEmit: true, strict: true, skipLibCheck: true, target: "es2022", types: [] },
        ...{ module, moduleResolution },
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      await node(join(project, "node_modules", "typescript", "bin", "tsc"), "-p", ".");
    }
  });

  it("gives components that work under mocks, and a schema that names a bad key", async () => {
    writeFileSync(
      join(folder, "use.js"),
      `const pulumi = require("@pulumi/pulumi");
const made = [];
pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => (made.push(type), { id: name, state: { ...inputs, arn: "arn:" + name } }),
  call: () => ({}),
}, "empty", "test");
const { IrsaServiceAccount } = require("eks-irsa");
const { parseConfig } = require("eks-irsa/config");
const oidcProviderArn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
new IrsaServiceAccount("reader", { oidcProviderArn, namespace: "team-a" }).roleArn.apply((roleArn) => {
  let refused;
  try { parseConfig("a", { "aws:region": "eu-west-1", "eks-irsa:replicas": "-1" }); } catch (error) { refused = error.message; }
  setTimeout(() => console.log(JSON.stringify({ roleArn, made, refused })), 200);
});
`,
    );
    const { roleArn, made, refused } = JSON.parse(await node("use.js"));
    expect(roleArn).to.equal("arn:reader-role");
    expect(made).to.include.members(["aws:iam/role:Role", "kubernetes:core/v1:ServiceAccount"]);
    expect(refused).to.contain("eks-irsa:replicas holds -1");
  });

  it("runs the whole program by its automation module on the real engine", async () => {
    const state = running();
    writeFileSync(
      join(folder, "automate.js"),
      `const { openStack } = require("eks-irsa/automation");
(async () => {
  const stack = await openStack(${JSON.stringify({
    stack: "packaged",
    region,
    config: {
      app: "none",
      cluster: { name: "eks-irsa", existing: true },
      bindings: [{ namespace: "packaged", serviceAccount: "app", createNamespace: true }],
    },
    env: { ...awsEnvironment(state), ...engineEnvironment(state) },
  })});
  const { outputs } = await stack.up();
  const whole = await openStack(${JSON.stringify({
    stack: "packaged-whole",
    region,
    config: {
      namespace: "packaged-whole",
      build: { args: { BUILD_IMAGE: state.goImage }, network: "none" },
    },
    env: { ...awsEnvironment(state), ...engineEnvironment(state) },
  })});
  const preview = await whole.preview();
  await whole.remove();
  const { changes } = await stack.destroy();
  await stack.remove();
  console.log(JSON.stringify({ bindings: outputs.bindings.value, preview: preview.changes, changes }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
`,
    );
    const { bindings, preview, changes } = JSON.parse(await node("automate.js"));
    expect(bindings["packaged/app"]).to.match(/:role\/packaged\.app-role-/);
    expect(preview.create).to.be.greaterThan(20);
    expect(changes.delete).to.be.greaterThan(3);
  });
});

describe("the Pulumi package for other languages", function () {
  this.timeout("10m");
  this.bail(true);

  let folder: string;
  let shell: NodeJS.ProcessEnv;
  const token = "eks-irsa:index:IrsaServiceAccount";

  before(async () => {
    await works(local("up", "--json"));
    shell = await shellOf((await works(local("env"))).stdout);
    folder = mkdtempSync(join(tmpdir(), "eks-irsa-plugin-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("is run by the engine from its folder, and gives its schema", async () => {
    const { stdout } = await works(
      command("pulumi", ["package", "get-schema", project], { cwd: folder, env: shell }),
    );
    const { name, resources } = JSON.parse(stdout);
    expect(name).to.equal("eks-irsa");
    expect(resources[token].requiredInputs).to.have.members(["namespace", "oidcProviderArn"]);
  });

  it("constructs the component for a program in Python, which names what is wrong with a bad one", async () => {
    const venv = join(folder, "venv");
    const requirements = readFileSync(join(project, "examples/python/requirements.txt"), "utf8");
    await installPythonPackages(requirements.trim().split("\n"), () => {}, { venv });
    const python = join(venv, "bin", "python");
    const { stdout } = await works(
      command("aws", ["iam", "list-open-id-connect-providers", "--output", "json"], { env: shell }),
    );
    const oidcProviderArn = JSON.parse(stdout).OpenIDConnectProviderList[0].Arn;
    const run = (...policies: string[]) => {
      const config = { kubeconfig: shell.KUBECONFIG, oidcProviderArn, policies };
      const args = [
        join(import.meta.dirname, "run_python.py"),
        join(project, "examples/python"),
        JSON.stringify(config),
      ];
      return command(python, args, { env: shell });
    };
    const done = await works(run("AmazonS3ReadOnlyAccess"));
    const { outputs, resources, again } = JSON.parse(done.stdout.trim().split("\n").at(-1) ?? "");
    expect(outputs.roleArn).to.match(/:role\/reader-role-/);
    expect(resources).to.include.members([token, "aws:iam/role:Role", "kubernetes:core/v1:ServiceAccount"]);
    expect(again).to.have.all.keys("same");
    const refused = await run("no such thing");
    expect(refused.code).to.equal(1);
    expect(refused.stdout + refused.stderr).to.contain("policies[0]");
  });
});

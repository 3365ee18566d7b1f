import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { installPythonPackages } from "../../local/machine/install/python.ts";
import { project } from "../../local/machine/paths.ts";
import { engineEnvironment } from "../../local/pulumi/engine.ts";
import { awsEnvironment, region } from "../../local/run.ts";
import { running } from "../../local/state.ts";
import { command, localUp, works } from "./tools.ts";

/** The compiler that Pulumi's TypeScript template asks for, as the bench has it too. */
const templateCompiler = `typescript@${JSON.parse(readFileSync(join(project, "bench/peers/template/package.json"), "utf8")).dependencies.typescript}`;

// The package as `npm pack` makes it, installed in an empty project, and as a Pulumi package for other languages.

describe("the npm package in an empty project", function () {
  this.timeout("10m");
  this.bail(true);

  let folder: string;
  let shell: NodeJS.ProcessEnv;
  const node = async (...args: string[]) =>
    (await works(command(process.execPath, args, { cwd: folder, env: shell }))).stdout;

  before(async () => {
    shell = await localUp();
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
    // As Pulumi's template: CommonJS, and a compiler beside it.
    writeFileSync(join(folder, "package.json"), '{ "name": "empty", "private": true }');
    const quietly = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    await works(
      command("npm", ["install", `./${filename}`, templateCompiler, ...quietly], { cwd: folder, env: shell }),
    );
  });

  it("has types for each of its exports, however they are resolved", async () => {
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
    const newest = join(project, "node_modules", "typescript-native", "bin", "tsc");
    const template = join(folder, "node_modules", "typescript", "bin", "tsc");
    for (const [compiler, module, moduleResolution] of [
      [newest, "nodenext", "nodenext"],
      [newest, "esnext", "bundler"],
      [template, "nodenext", "nodenext"],
      [template, "commonjs", "node"],
    ] as const) {
      const compilerOptions = {
        ...{ noEmit: true, strict: true, skipLibCheck: true, target: "es2022", types: [] },
        ...{ module, moduleResolution },
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      await node(compiler, "-p", ".");
    }
  });

  for (const [kind, file, load] of [
    ["a CommonJS", "use.cjs", (name: string) => `require("${name}")`],
    ["an ES", "use.mjs", (name: string) => `await import("${name}")`],
  ] as const) {
    it(`gives ${kind} module components that work under mocks, and a schema that names a bad key`, async () => {
      writeFileSync(
        join(folder, file),
        `const pulumi = ${load("@pulumi/pulumi")};
const made = [];
pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs }) => (made.push(type), { id: name, state: { ...inputs, arn: "arn:" + name } }),
  call: () => ({}),
}, "empty", "test");
const { IrsaServiceAccount } = ${load("eks-irsa")};
const { parseConfig } = ${load("eks-irsa/config")};
const oidcProviderArn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
new IrsaServiceAccount("reader", { oidcProviderArn, namespace: "team-a" }).roleArn.apply((roleArn) => {
  let refused;
  try { parseConfig("a", { "aws:region": "eu-west-1", "eks-irsa:replicas": "-1" }); } catch (error) { refused = error.message; }
  setTimeout(() => console.log(JSON.stringify({ roleArn, made, refused })), 200);
});
`,
      );
      const { roleArn, made, refused } = JSON.parse(await node(file));
      expect(roleArn).to.equal("arn:reader-role");
      expect(made).to.include.members(["aws:iam/role:Role", "kubernetes:core/v1:ServiceAccount"]);
      expect(refused).to.contain("eks-irsa:replicas holds -1");
    });
  }

  it("is run in a program as Pulumi's template lays it out, compiled by Pulumi's own runner", async () => {
    const programFolder = join(folder, "program");
    mkdirSync(programFolder);
    const write = (name: string, text: string) => writeFileSync(join(programFolder, name), text);
    write("Pulumi.yaml", "name: as-the-template\nruntime: nodejs\n");
    write("package.json", '{ "name": "as-the-template", "main": "index.ts" }');
    const compilerOptions = { strict: true, target: "es2020", module: "commonjs", moduleResolution: "node" };
    write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
    write(
      "index.ts",
      `import { IrsaServiceAccount } from "eks-irsa";
const oidcProviderArn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const reader = new IrsaServiceAccount("reader", { oidcProviderArn, namespace: "default", roleOnly: true });
export const roleArn = reader.roleArn;
`,
    );
    const pulumi = (...args: string[]) => works(command("pulumi", args, { cwd: programFolder, env: shell }));
    await pulumi("stack", "init", "template");
    await pulumi("config", "set", "aws:region", region);
    try {
      const { stdout } = await pulumi("preview", "--stack", "template", "--non-interactive");
      expect(stdout)
        .to.contain("eks-irsa:index:IrsaServiceAccount")
        .and.to.match(/\+ 4 to create/);
    } finally {
      await pulumi("stack", "rm", "--yes", "template");
    }
  });

  it("runs the whole program by its automation module on the real engine", async () => {
    const state = running();
    writeFileSync(
      join(folder, "automate.cjs"),
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
    const { bindings, preview, changes } = JSON.parse(await node("automate.cjs"));
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
  const oidcProviderArn = async (): Promise<string> => {
    const list = ["iam", "list-open-id-connect-providers", "--output", "json"];
    const { stdout } = await works(command("aws", list, { env: shell }));
    return JSON.parse(stdout).OpenIDConnectProviderList[0].Arn;
  };

  before(async () => {
    shell = await localUp();
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

  it("constructs the component for a program in YAML, run by Pulumi's own host", async () => {
    const program = join(folder, "yaml");
    cpSync(join(project, "examples/yaml"), program, { recursive: true });
    const settings = join(program, "Pulumi.yaml");
    writeFileSync(settings, readFileSync(settings, "utf8").replace("path: ../..", `path: ${project}`));
    const pulumi = async (...args: string[]) =>
      (await works(command("pulumi", [...args, "--non-interactive"], { cwd: program, env: shell }))).stdout;
    await pulumi("stack", "init", "yaml");
    try {
      await pulumi("config", "set", "kubeconfig", shell.KUBECONFIG ?? "");
      await pulumi("config", "set", "oidcProviderArn", await oidcProviderArn());
      const preview = await pulumi("preview");
      expect(preview)
        .to.contain(token)
        .and.to.match(/\+ 7 to create/);
      await pulumi("up", "--yes", "--skip-preview");
      expect(await pulumi("stack", "output", "roleArn")).to.match(/:role\/reader-role-/);
      expect(await pulumi("up", "--yes", "--skip-preview")).to.contain("7 unchanged");
    } finally {
      await pulumi("destroy", "--yes", "--remove");
    }
  });

  it("constructs the component for a program in Python, which names what is wrong with a bad one", async () => {
    const venv = join(folder, "venv");
    const requirements = readFileSync(join(project, "examples/python/requirements.txt"), "utf8");
    await installPythonPackages(requirements.trim().split("\n"), () => {}, { venv });
    const python = join(venv, "bin", "python");
    const provider = await oidcProviderArn();
    const run = (...policies: string[]) => {
      const config = { kubeconfig: shell.KUBECONFIG, oidcProviderArn: provider, policies };
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

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { bin } from "../../local/machine/paths.ts";
import { type LanguageHost, startLanguageHost } from "../../local/pulumi/language-host.ts";
import {
  type HostedProvider,
  type Properties,
  type Provider,
  type ResourceType,
  serve,
} from "../../local/pulumi/provider-host/index.ts";

// The real engine with the real program, and providers that say what a test has them say: what a person reads then.

const root = join(import.meta.dirname, "..", "..");
const issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";

/** Local builds it; where it has not, there is nothing to run. */
export const engineIsThere = existsSync(join(bin, "pulumi"));

/** What was printed, and the exit code. */
export interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of this project to its end. */
export function printedBy(
  command: string,
  args: readonly string[],
  { env, cwd = root }: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Printed> {
  const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}

/** The state of a backend with the stack `x` in it; for all stages of this process. */
let emptyStack: Promise<string> | undefined;

async function stateWithStack(): Promise<string> {
  const stage = await new Stage().open();
  process.once("exit", () => rmSync(stage.folder, { recursive: true, force: true }));
  await stage.configured({}).pulumi("stack");
  await stage.hostNothing();
  return join(stage.folder, "state");
}

type Answer = (inputs: Properties) => Promise<Properties>;

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "eks-irsa-stage-"));
  /** What providers' functions answer, by token; those that are not here find what they look for. */
  readonly functions: Record<string, Answer> = {};
  /** What making a resource of a type comes to; of those that are not here it works. */
  readonly creations: Record<string, () => Promise<string>> = {};
  /** What has been made, by its id. */
  readonly made = new Map<string, Properties>();
  /** What configuring the aws provider comes to. */
  configure: () => object = () => ({});

  #hosted: HostedProvider[] = [];
  #languages: LanguageHost | undefined;

  /** Everything that a command finds here, and nothing of this machine's own. */
  env: NodeJS.ProcessEnv = {};

  async open(): Promise<this> {
    mkdirSync(join(this.folder, "state"));
    const names = { aws: "7.48.0", kubernetes: "4.34.2", docker: "5.2.0" };
    const attached: string[] = [];
    for (const [name, version] of Object.entries(names)) {
      const hosted = await serve(this.#provider(name, version), { host: "127.0.0.1", log: () => {} });
      this.#hosted.push(hosted);
      attached.push(`${name}:${hosted.port}`);
    }
    this.#languages = await startLanguageHost({ host: "127.0.0.1", log: () => {} });
    this.env = {
      PATH: [bin, process.env.PATH].join(delimiter),
      HOME: this.folder,
      PULUMI_HOME: join(this.folder, "home"),
      // An engine that is killed, or at work, leaves no metadata half-written that way: see docs/reliability.md.
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DEBUG_PROVIDERS: attached.join(","),
    };
    return this;
  }

  async close(): Promise<void> {
    await this.hostNothing();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends its providers; its folder stays. */
  async hostNothing(): Promise<void> {
    await Promise.all(this.#hosted.map((one) => one.close()));
    await this.#languages?.close();
  }

  /** Writes the configuration of the stack `x`: keys without their prefix. */
  configured(config: object): this {
    const held = Object.fromEntries(Object.entries(config).map(([key, value]) => [`eks-irsa:${key}`, value]));
    const settings = { config: { "aws:region": "eu-central-1", ...held } };
    writeFileSync(join(this.folder, "Pulumi.x.yaml"), JSON.stringify(settings));
    return this;
  }

  /** Gives it the stack `x`, in which nothing is: a copy of one that was made once, since making one is half a second. */
  async withStack(): Promise<this> {
    emptyStack ??= stateWithStack();
    cpSync(await emptyStack, join(this.folder, "state"), { recursive: true });
    return this;
  }

  /** `npm run stack -- ...` for this folder. */
  stack(...args: string[]): Promise<Printed> {
    const command = ["--import", "./preload.js", "automation/cli.ts", ...args, "--folder", this.folder];
    return printedBy(process.execPath, command, { env: this.env });
  }

  /** A bare `pulumi` for the stack `x`, in a project that is this one. */
  async pulumi(command: string, ...args: string[]): Promise<Printed> {
    const project = { name: "eks-irsa", runtime: "nodejs", main: root };
    writeFileSync(join(this.folder, "Pulumi.yaml"), JSON.stringify(project));
    const env = { ...this.env, PULUMI_DEBUG_LANGUAGES: `nodejs:${this.#languages?.port}` };
    const run = (...words: string[]) =>
      printedBy("pulumi", [...words, "--non-interactive", "--color", "never"], { env, cwd: this.folder });
    const made = await run("stack", "init", "--no-select", "x");
    if (made.code !== 0) throw new Error(made.stderr);
    return run(command, "--stack", "x", ...args);
  }

  #provider(name: string, version: string): Provider<object> {
    const found: Record<string, Answer> = {
      "aws:eks/getCluster:getCluster": async (given) => ({
        name: given.name,
        endpoint: "https://example.eks.amazonaws.com",
        certificateAuthorities: [{ data: "Q0E=" }],
        vpcConfig: { endpointPublicAccess: true },
        computeConfigs: [],
        identities: [{ oidcs: [{ issuer }] }],
      }),
      "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": async () => ({
        arn: `arn:aws:iam::111122223333:oidc-provider/${issuer.slice("https://".length)}`,
      }),
    };
    const functions = new Proxy<Record<string, Answer>>(
      {},
      { get: (_, token: string) => this.functions[token] ?? found[token] },
    );
    const { made } = this;
    const anything: ResourceType<object> = {
      check: async (_, news) => news,
      diff: () => [],
      preview: (news) => news,
      create: async (inputs, { type, logicalName }) => {
        const id = (await this.creations[type]?.()) ?? logicalName;
        const arn = type === "aws:iam/role:Role" && { arn: `arn:aws:iam::111122223333:role/${id}` };
        made.set(id, { ...inputs, ...arn });
        return id;
      },
      read: async (id) => made.get(id), // nothing is there that the stack did not make
      update: async () => {},
      delete: async () => {},
    };
    const configure = name === "aws" ? () => this.configure() : () => ({});
    return { name, version, configure, functions, resourceType: () => anything };
  }
}

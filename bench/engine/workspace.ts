import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contextTag } from "../../components/build-context.ts";
import { project, searchPath } from "../../local/machine/paths.ts";
import { startLanguageHost } from "../../local/pulumi/language-host.ts";
import { type Measured, measure } from "../measure.ts";
import { type EchoOptions, type EchoProviders, startEchoProviders } from "./echo-providers.ts";

// Where programs run to be measured: each with the same engine, the same providers, a state of its own.

/** Who is measured. */
export const subjects = {
  /** This project's program, as `pulumi up` runs it in a checkout. */
  ours: "eks-irsa",
  /** A bare program with the SDK's own classes, run as TypeScript by the same Node.js. */
  raw: "raw SDK",
  /** The same as the usual template lays it out. */
  template: "usual template",
} as const;

export type SubjectName = keyof typeof subjects;

/** What goes only some of the way: a program that is empty, and those that import all that a subject does, and run nothing of it. */
export type Part = "nothing" | "oursImported" | "rawImported";

/** What the program is to make: all of it, or so many bindings on a cluster that is there. */
export type Size = "whole" | number;

const stackName = "bench";
const fullName = `organization/eks-irsa/${stackName}`;

/** One subject's project, state and settings. */
export class Subject {
  readonly folder: string;
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;

  readonly #layOut: () => Promise<void>;

  constructor(folder: string, project: string, env: NodeJS.ProcessEnv, layOut: () => Promise<void>) {
    this.folder = folder;
    this.project = project;
    this.env = env;
    this.#layOut = layOut;
  }

  /** Gives the subject its configuration, and a stack in which nothing is. */
  async begin(config: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#layOut();
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
    writeFileSync(this.#configFile, `config:\n${lines.join("\n")}\n`);
    rmSync(this.#state, { recursive: true, force: true });
    mkdirSync(this.#state, { recursive: true });
    // Not in the project: it would write its settings file there.
    const scratch = join(this.folder, "scratch");
    writeProject(scratch, "nodejs", "none.js");
    await measure("pulumi", ["stack", "init", fullName, "--non-interactive", "--cwd", scratch], {
      env: this.env,
    });
    cpSync(this.#state, `${this.#state}.empty`, { recursive: true });
  }

  /** Brings back the stack in which nothing is, without a deletion of each resource. */
  empty(): void {
    rmSync(this.#state, { recursive: true, force: true });
    cpSync(`${this.#state}.empty`, this.#state, { recursive: true });
  }

  preview(): Promise<Measured> {
    return this.#pulumi("preview");
  }

  up(): Promise<Measured> {
    return this.#pulumi("up", "--yes", "--skip-preview");
  }

  destroy(): Promise<Measured> {
    return this.#pulumi("destroy", "--yes", "--skip-preview");
  }

  /** What the engine does before and after it runs anything. */
  engineAlone(): Promise<Measured> {
    return measure("pulumi", ["stack", "export", "--stack", fullName, "--cwd", this.project], {
      env: this.env,
    });
  }

  /** What the stack holds. */
  async resources(): Promise<Resource[]> {
    const { stdout } = await measure(
      "pulumi",
      ["stack", "export", "--stack", fullName, "--cwd", this.project],
      {
        env: this.env,
      },
    );
    return (JSON.parse(stdout) as { deployment: { resources: Resource[] } }).deployment.resources;
  }

  #pulumi(command: string, ...options: string[]): Promise<Measured> {
    const common = ["--stack", fullName, "--config-file", this.#configFile, "--cwd", this.project];
    return measure("pulumi", [command, ...common, "--non-interactive", "--color=never", ...options], {
      env: this.env,
      withOwnChildren: true,
    });
  }

  get #configFile(): string {
    return join(this.folder, `Pulumi.${stackName}.yaml`);
  }

  get #state(): string {
    return join(this.folder, "state");
  }
}

export interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Record<string, unknown>;
  readonly parent?: string;
}

/** A folder with all subjects in it, and the providers that they share. */
export class Workspace {
  readonly folder: string;
  readonly providers: EchoProviders;
  readonly subjects: Readonly<Record<SubjectName, Subject>>;
  /** Programs that go only some of the way, by name. */
  readonly parts: Readonly<Record<Part, Subject>>;
  private readonly closeHost: () => Promise<void>;

  private constructor(
    folder: string,
    providers: EchoProviders,
    subjects: Readonly<Record<SubjectName, Subject>>,
    parts: Readonly<Record<Part, Subject>>,
    closeHost: () => Promise<void>,
  ) {
    this.folder = folder;
    this.providers = providers;
    this.subjects = subjects;
    this.parts = parts;
    this.closeHost = closeHost;
  }

  /** @param env What the engine's environment has beside. Default nothing. */
  static async open(options: EchoOptions = {}, env: NodeJS.ProcessEnv = {}): Promise<Workspace> {
    const folder = mkdtempSync(join(tmpdir(), "eks-irsa-bench-"));
    const providers = await startEchoProviders(options);
    const host = await startLanguageHost({ host: "127.0.0.1", log: () => {} });
    const subject = (
      name: SubjectName | Part,
      layOut: (folder: string) => Promise<void>,
      projectFolder = join(folder, name),
    ): Subject => {
      const own = join(folder, `${name}-settings`);
      mkdirSync(join(own, "state"), { recursive: true });
      const whole = {
        ...process.env,
        ...env,
        PATH: searchPath,
        PULUMI_HOME: join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(own, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "bench",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DEBUG_PROVIDERS: providers.attached,
        PULUMI_DEBUG_LANGUAGES: `nodejs:${host.port}`,
      };
      return new Subject(own, projectFolder, whole, () => layOut(projectFolder));
    };
    const all = {
      ours: subject("ours", async () => {}, project),
      raw: subject("raw", layOutRaw),
      template: subject("template", layOutTemplate),
    };
    const parts = {
      nothing: subject("nothing", (at) => layOutPart(at, "")),
      oursImported: subject("oursImported", (at) =>
        layOutPart(at, `import ${JSON.stringify(join(project, "index.ts"))};\n`),
      ),
      rawImported: subject("rawImported", (at) =>
        layOutPart(at, 'import "./resources.ts";\nimport "./classes.ts";\n', ["resources.ts", "classes.ts"]),
      ),
    };
    return new Workspace(folder, providers, all, parts, () => host.close());
  }

  /** Gives all subjects a stack of the same size, in which nothing is. */
  async begin(size: Size, names: readonly SubjectName[]): Promise<void> {
    for (const name of names) {
      await this.subjects[name].begin(name === "ours" ? programConfig(size) : bareConfig(size));
    }
  }

  async close(): Promise<void> {
    await this.providers.close();
    await this.closeHost();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function programConfig(size: Size): Record<string, unknown> {
  const common = { "aws:region": "eu-central-1", "eks-irsa:tags": { environment: "bench" } };
  if (size === "whole") return { ...common, "eks-irsa:cluster": { name: "bench" } };
  return {
    ...common,
    "eks-irsa:app": "none",
    "eks-irsa:cluster": { name: "bench", existing: true },
    "eks-irsa:bindings": Array.from({ length: size }, (_, index) => ({
      namespace: `team-${index % 10}`,
      serviceAccount: `app-${index}`,
      policies: ["AmazonS3ReadOnlyAccess"],
    })),
  };
}

function bareConfig(size: Size): Record<string, unknown> {
  if (size !== "whole") return { "aws:region": "eu-central-1", "bench:bindings": size };
  const settings = { dockerfile: "Dockerfile", args: {}, platform: "linux/amd64" };
  return {
    "aws:region": "eu-central-1",
    "bench:imageTag": contextTag(join(project, "app", "go"), settings),
  };
}

const programs = join(import.meta.dirname, "programs");
const template = join(import.meta.dirname, "..", "peers", "template");

/** A project of the same name, so that its resources have the same URNs. */
function writeProject(folder: string, runtime: string, main: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Pulumi.yaml"), `name: eks-irsa\nmain: ${main}\nruntime: ${runtime}\n`);
}

async function layOutRaw(folder: string): Promise<void> {
  await layOutPart(folder, readFileSync(join(programs, "raw.ts"), "utf8"), ["resources.ts", "classes.ts"]);
}

/** A program that the same Node.js runs as it stands, with the same compile cache, and what it imports of the programs here. */
async function layOutPart(folder: string, source: string, others: readonly string[] = []): Promise<void> {
  if (existsSync(folder)) return;
  const options = `{ typescript: false, nodeargs: "--import ${join(project, "preload.js")}" }`;
  writeProject(folder, `{ name: nodejs, options: ${options} }`, "index.ts");
  symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "index.ts"), source);
  for (const other of others) cpSync(join(programs, other), join(folder, other));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "raw", type: "module" }));
}

/** The template's packages are its own, since its compiler is: Pulumi's runner takes the one that lies beside the SDK. */
async function layOutTemplate(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  await measure("npm", ["ci", "--no-audit", "--no-fund"], { cwd: template });
  writeProject(folder, "nodejs", "index.ts");
  // Not `cpSync`, which in Node.js 24 refuses a folder that is there.
  for (const packages of [project, template].map((one) => join(one, "node_modules"))) {
    await measure("cp", ["--archive", packages, folder]);
  }
  cpSync(join(template, "index.ts"), join(folder, "index.ts"));
  cpSync(join(programs, "resources.ts"), join(folder, "resources.ts"));
  const compilerOptions = {
    strict: true,
    outDir: "bin",
    target: "es2020",
    module: "commonjs",
    moduleResolution: "node",
    sourceMap: true,
    experimentalDecorators: true,
    pretty: true,
    noFallthroughCasesInSwitch: true,
    noImplicitReturns: true,
    forceConsistentCasingInFileNames: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "template", main: "index.ts" }));
}

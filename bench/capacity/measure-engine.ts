import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { checkConfig } from "../../automation/index.ts";
import { cache, project, searchPath } from "../../local/machine/paths.ts";
import { startLanguageHost } from "../../local/pulumi/language-host.ts";
import { spread } from "../benchmark.ts";
import { startEchoProviders } from "../engine/echo-providers.ts";
import { measure } from "../measure.ts";
import type { EngineSample, Measured, ReferenceTrial } from "./engine.ts";

// Measures the engine on stacks of bindings that reference a platform stack, with providers that take no time and a file
// backend: what is left is the engine's own time, and what it writes. Other work on the machine makes it longer.

const platform = { project: "platform", stack: "prod", fullName: "organization/platform/prod" };
const region = "eu-central-1";

export interface MeasureOptions {
  /** Bindings of the stacks to measure, each with checkpoints and without. */
  readonly sizes: readonly number[];
  readonly say: (line: string) => void;
  /** Called with all that there is so far after each stack. */
  readonly onSample: (measured: Measured) => void;
}

/** Small stacks take so little that what else the machine does shows: the median of so many counts. */
const roundsOf = (bindings: number): number => (bindings <= 100 ? 3 : 1);

export async function measureEngine({ sizes, say, onSample }: MeasureOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "eks-irsa-capacity-"));
  const providers = await startEchoProviders();
  const host = await startLanguageHost({ host: "127.0.0.1", log: () => {} });
  try {
    const bench = new Bench(folder, providers.attached, host.port);
    await bench.platformUp("first");
    say("what a reference does when its target changes");
    const about = {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GB`,
      engine: (await bench.pulumi(["version"])).stdout.trim(),
      node: process.version,
      references: await bench.referenceTrial(10),
    };
    const samples: EngineSample[] = [];
    for (const bindings of [...sizes].sort((a, b) => a - b)) {
      for (const checkpoints of [false, true]) {
        const rounds: EngineSample[] = [];
        for (let round = 0; round < roundsOf(bindings); round++) {
          say(`${bindings} bindings, ${checkpoints ? "with" : "without"} checkpoints, round ${round + 1}`);
          rounds.push(await bench.sample(bindings, checkpoints, round));
        }
        samples.push(middle(rounds));
        onSample({ ...about, samples });
      }
    }
  } finally {
    await providers.close();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The medians of several samples of one size. */
function middle(rounds: readonly EngineSample[]): EngineSample {
  const [first] = rounds;
  if (first === undefined) throw new Error("There is no median of nothing.");
  const of = (key: "previewSeconds" | "upSeconds" | "unchangedSeconds"): number =>
    spread(rounds.map((one) => one[key])).median;
  return {
    ...first,
    previewSeconds: of("previewSeconds"),
    upSeconds: of("upSeconds"),
    unchangedSeconds: of("unchangedSeconds"),
  };
}

class Bench {
  readonly #state: string;
  /** A project in whose folder the engine leaves a settings file for each stack: not in the checkout. */
  readonly #settings: string;
  readonly #env: Record<string, string>;

  private readonly folder: string;

  constructor(folder: string, attached: string, languageHost: number) {
    this.folder = folder;
    this.#state = join(folder, "state");
    this.#settings = join(folder, "settings");
    for (const path of [this.#state, this.#settings]) mkdirSync(path);
    writeFileSync(join(this.#settings, "Pulumi.yaml"), "name: eks-irsa\nruntime: nodejs\n");
    this.#env = {
      PATH: searchPath,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${this.#state}`,
      PULUMI_CONFIG_PASSPHRASE: "bench",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DEBUG_PROVIDERS: attached,
      PULUMI_DEBUG_LANGUAGES: `nodejs:${languageHost}`,
    };
  }

  /** Brings up the stack that names a cluster. */
  async platformUp(cluster: string): Promise<void> {
    const id = Buffer.from(cluster).toString("hex").toUpperCase().padStart(32, "0");
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        stackName: platform.stack,
        projectName: platform.project,
        program: async () => ({
          clusterName: cluster,
          kubeconfig: '{"kind":"Config"}',
          oidcProviderArn: `arn:aws:iam::111122223333:oidc-provider/oidc.eks.${region}.amazonaws.com/id/${id}`,
        }),
      },
      { envVars: this.#env, pulumiCommand: await PulumiCommand.get({ root: cache }) },
    );
    await stack.up();
  }

  /** A stack of bindings: preview, first `up`, `up` that changes nothing. */
  async sample(bindings: number, checkpoints: boolean, round: number): Promise<EngineSample> {
    const name = `b${bindings}-${checkpoints ? "each" : "end"}-${round}`;
    const env: Record<string, string> = checkpoints ? {} : { PULUMI_SKIP_CHECKPOINTS: "true" };
    const stack = await this.#begin(name, bindings);
    const preview = await this.pulumi(["preview", ...stack], env);
    const up = await this.pulumi(["up", "--yes", "--skip-preview", ...stack], env);
    const file = this.#stateFile(name);
    const { bytes, resources } = { bytes: statSync(file).size, resources: resourcesIn(file) };
    const unchanged = await this.pulumi(["up", "--yes", "--skip-preview", ...stack], env);
    return {
      bindings,
      resources,
      checkpoints,
      previewSeconds: hundredths(preview.seconds),
      upSeconds: hundredths(up.seconds),
      unchangedSeconds: hundredths(unchanged.seconds),
      stateBytes: bytes,
      upWrittenBytes: up.writtenBytes,
      unchangedWrittenBytes: unchanged.writtenBytes,
    };
  }

  /** Looks at what happens to a stack when the outputs that it references change. */
  async referenceTrial(bindings: number): Promise<ReferenceTrial> {
    const name = "referencing";
    const stack = await this.#begin(name, bindings);
    await this.pulumi(["up", "--yes", "--skip-preview", ...stack]);
    const before = readFileSync(this.#stateFile(name), "utf8");
    await this.platformUp("second");
    const untouched = readFileSync(this.#stateFile(name), "utf8") === before;
    const updates = async (): Promise<number> => {
      const { stdout } = await this.pulumi(["preview", "--json", ...stack]);
      return (JSON.parse(stdout) as { changeSummary: { update?: number } }).changeSummary.update ?? 0;
    };
    const pending = await updates();
    await this.pulumi(["up", "--yes", "--skip-preview", ...stack]);
    return {
      bindings,
      untouchedByPlatformUp: untouched,
      updatesPending: pending,
      afterOwnUp: await updates(),
    };
  }

  /** Runs the engine, and says what it and its children wrote: to files, sockets and pipes. */
  async pulumi(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ seconds: number; stdout: string; writtenBytes: number }> {
    const accounts = join(this.folder, "io");
    // The shell's own accounts hold those of the children that it has waited for.
    const script = 'pulumi "$@"; code=$?; cat /proc/$$/io > "$ACCOUNTS"; exit $code';
    const { seconds, stdout } = await measure("sh", ["-c", script, "sh", ...args], {
      env: { ...process.env, ...this.#env, ...env, ACCOUNTS: accounts },
      cwd: project,
      timeoutSeconds: 3600,
    });
    const written = /^wchar: (\d+)$/m.exec(readFileSync(accounts, "utf8"))?.[1];
    if (written === undefined)
      throw new Error("The kernel does not say what a process wrote (/proc/PID/io).");
    return { seconds, stdout, writtenBytes: Number(written) };
  }

  /** Makes an empty stack with its configuration; gives the options that name it. */
  async #begin(name: string, bindings: number): Promise<string[]> {
    const config = checkConfig(name, region, {
      app: "none",
      cluster: { stack: platform.fullName },
      bindings: Array.from({ length: bindings }, (_, index) => ({
        namespace: `team-${index % 10}`,
        serviceAccount: `app-${index}`,
        policies: ["AmazonS3ReadOnlyAccess"],
      })),
    });
    const fullName = `organization/eks-irsa/${name}`;
    const file = join(this.folder, `Pulumi.${name}.yaml`);
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
    writeFileSync(file, `config:\n${lines.join("\n")}\n`);
    await this.pulumi([
      "stack",
      "init",
      fullName,
      "--non-interactive",
      "--no-select",
      "--cwd",
      this.#settings,
    ]);
    return ["--stack", fullName, "--config-file", file, "--non-interactive", "--color=never"];
  }

  #stateFile(name: string): string {
    return join(this.#state, ".pulumi", "stacks", "eks-irsa", `${name}.json`);
  }
}

/** Resources in a state file, providers and the stack itself included. */
function resourcesIn(file: string): number {
  const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
    checkpoint: { latest: { resources: unknown[] } };
  };
  return checkpoint.latest.resources.length;
}

const hundredths = (seconds: number): number => Math.round(seconds * 100) / 100;

import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type ConfigInput,
  checkConfig,
  openStack,
  type ProgramStack,
  project as pulumiProject,
} from "../../automation/index.ts";
import { UsageError } from "../../terminal.ts";
import { javaRelease } from "../machine/install/java-image.ts";
import { pulumiHome, runFolder } from "../machine/paths.ts";
import { identify } from "../machine/process.ts";
import { awsEnvironment, type JavaImages, region, stackName, type UpRun } from "../run.ts";

/** Where the engine of this run keeps its things. */
const folder = join(runFolder, "pulumi");

/** Environment of the engine: its own backend and home, and local's providers instead of downloaded ones. */
export function engineEnvironment({ services }: Pick<UpRun, "services">): Record<string, string> {
  const ports = Object.entries(services.providers).map(([name, port]) => `${name}:${port}`);
  return {
    PULUMI_HOME: pulumiHome,
    // Without the file of metadata beside each file: it is not written at once, and an engine that is killed meanwhile
    // leaves it empty, which no later one reads past.
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // It would download the providers that it has been given the addresses of, and the one that is installed.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DEBUG_PROVIDERS: ports.join(","),
    // Its commands are short: collecting garbage is a third of what the smaller ones take. No bound on its memory: a stack
    // of a thousand bindings passes any that is small, and the engine then does little else than collect.
    GOGC: "400",
    PULUMI_DEBUG_LANGUAGES: `nodejs:${services.languageHost}`,
  };
}

/** The images that a run has for builds and for the toolbox. */
type Images = Pick<UpRun, "goImage" | "java">;

/** Stand for a run's images where what a person gives is checked before there is a run. */
const anyImages: Images = { goImage: "golang", java: { build: "maven", toolbox: "maven" } };

/** @throws Error when they were not asked for yet. */
function javaOf({ java }: Images): JavaImages {
  if (java === undefined) throw new Error("There is no image with Java yet. `npm run local -- up` makes it.");
  return java;
}

/** The stack's configuration for this machine. What a person gives with `--config` comes on top. */
function localConfig(images: Images, { app, identity }: ConfigInput): ConfigInput {
  const args: Record<string, string> =
    app === "java"
      ? { BUILD_IMAGE: javaOf(images).build, RELEASE: javaRelease }
      : { BUILD_IMAGE: images.goImage };
  return {
    cluster: { name: pulumiProject },
    build: { args, network: "none" },
    intervalSeconds: 5,
    tags: { environment: "local" },
    // An association takes effect some seconds after it is made, and the pods come at once.
    ...(isPodIdentity(identity) ? { admission: "enforced" } : {}),
  };
}

/** Whether what a person gives with `--config` needs the image with Java. */
export function needsJava(overrides: readonly string[]): boolean {
  const { app, toolbox = false } = overridden({}, overrides) as ConfigInput;
  return app === "java" || toolbox === true;
}

/** Whether it is the mechanism, or the mechanism of a migration. */
const isPodIdentity = (identity: unknown): boolean => /"pod-identity"/.test(JSON.stringify(identity ?? ""));

/** Whether what a person gives with `--config` needs the agent of EKS Pod Identity. */
export function needsAgent(overrides: readonly string[]): boolean {
  const { identity, bindings = [] } = overridden({}, overrides) as ConfigInput;
  return [identity, ...bindings.map((binding) => binding.identity)].some(isPodIdentity);
}

/**
 * Opens the local stack.
 *
 * @param overrides `KEY=VALUE` as given with `--config`: a key without its `eks-irsa:` prefix, with dots for a value
 *   inside a structured one; the value plain or as JSON.
 * @throws ConfigError when the configuration is bad.
 */
export async function openLocalStack(state: UpRun, overrides: readonly string[]): Promise<ProgramStack> {
  checkLocalConfig(overrides);
  for (const path of ["state", "project"]) mkdirSync(join(folder, path), { recursive: true });
  removeStaleLocks();
  return openStack({
    stack: stackName,
    region,
    config: configFor(state, overrides),
    workDir: join(folder, "project"),
    pulumiHome,
    // The kubeconfig that the stack makes calls `aws`, which must find local's AWS.
    env: { ...awsEnvironment(state), ...engineEnvironment(state) },
  });
}

/**
 * Checks what a person gives with `--config`, before anything is done.
 *
 * @throws ConfigError when it is bad.
 */
export function checkLocalConfig(overrides: readonly string[]): void {
  checkConfig(stackName, region, configFor(anyImages, overrides), {
    correct: "Correct it in what --config says, such as --config replicas=2 or --config cluster.nodes.max=5.",
  });
}

function configFor(images: Images, overrides: readonly string[]): ConfigInput {
  const given = overridden({}, overrides) as ConfigInput;
  const config = overridden(localConfig(images, given) as Record<string, unknown>, overrides) as ConfigInput;
  // No public image can be pulled here: the toolbox runs the one that local made.
  return config.toolbox === true ? { ...config, toolbox: javaOf(images).toolbox } : config;
}

/** Removes the engine's locks on the stack whose processes were killed: nobody else would. */
function removeStaleLocks(): void {
  const locks = join(folder, "state", ".pulumi", "locks", "organization", pulumiProject, stackName);
  let names: string[];
  try {
    names = readdirSync(locks);
  } catch {
    return; // nothing was ever locked
  }
  for (const name of names) {
    const file = join(locks, name);
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
    if (identify(pid).startTime === 0) rmSync(file);
  }
}

/** A configuration with `KEY=VALUE`s set in it. */
export function overridden(
  config: Record<string, unknown>,
  overrides: readonly string[],
): Record<string, unknown> {
  const result = structuredClone(config);
  for (const override of overrides) {
    const [, key, text] = /^(?:eks-irsa:)?([A-Za-z][\w.-]*)=(.*)$/s.exec(override) ?? [];
    if (key === undefined || text === undefined) {
      throw new UsageError(
        `--config ${override} is not KEY=VALUE, such as --config replicas=2 or --config cluster.nodes.max=5.`,
      );
    }
    const path = key.split(".");
    const last = path.pop() ?? key;
    let inner = result;
    for (const part of path) {
      const next = inner[part];
      inner[part] = typeof next === "object" && next !== null ? next : {};
      inner = inner[part] as Record<string, unknown>;
    }
    inner[last] = parsed(override, text);
  }
  return result;
}

function parsed(override: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Only a list or a map must be JSON; anything else may be text.
    if (!/^\s*[[{]/.test(text)) return text;
    throw new UsageError(`--config ${override} is no JSON: ${(error as Error).message}.`);
  }
}

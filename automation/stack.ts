import { LocalWorkspace, type PulumiFn, type Stack, type StackSettings } from "@pulumi/pulumi/automation";
import { type ConfigInput, parseConfig, project } from "../config";
import { program } from "../index";

export interface StackOptions {
  /** Name of the stack: an environment, such as `dev`. Made when it is not there. */
  stack: string;

  /** Region of everything. */
  region: string;

  /** The `eks-irsa:` keys, checked before the engine is asked for anything. Keys that are not given get their defaults. */
  config?: ConfigInput;

  /** Other packages' configuration, by full key: `{ "aws:profile": "dev" }`. Default none. */
  packageConfig?: Readonly<Record<string, string>>;

  /** Folder for the engine's settings of this stack; it writes `Pulumi.<stack>.yaml` there. Default: one that is temporary. */
  workDir?: string;

  /** Pulumi's own folder. Default: `$PULUMI_HOME`, or `~/.pulumi`. */
  pulumiHome?: string;

  /** Environment of the engine, on top of this process's: the backend, the passphrase, credentials. */
  env?: Readonly<Record<string, string>>;
}

/**
 * Opens a stack of this program for the Automation API, with its whole configuration set.
 *
 * @throws ConfigError when the configuration is bad; nothing was changed then.
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const config = {
    ...options.packageConfig,
    ...checkConfig(options.stack, options.region, options.config ?? {}),
  };
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: options.stack, projectName: project, program: program as PulumiFn },
    { workDir: options.workDir, pulumiHome: options.pulumiHome, envVars: { ...options.env } },
  );
  // The settings file is read and written as it is: one file operation where `pulumi config` would be a process a key.
  const { workspace } = stack;
  const settings = await workspace.stackSettings(options.stack).catch(() => ({}) as StackSettings);
  await workspace.saveStackSettings(options.stack, { ...settings, config });
  return stack;
}

/**
 * Checks a configuration without the engine, and gives it as Pulumi holds it.
 *
 * @throws ConfigError that names every bad key.
 */
export function checkConfig(stack: string, region: string, config: ConfigInput): Record<string, string> {
  const held = { "aws:region": region, ...toPulumi(config) };
  parseConfig(stack, held);
  return held;
}

/** A typed configuration as Pulumi holds it: full keys, structured values as JSON. */
function toPulumi(config: ConfigInput): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [
        `${project}:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
  );
}

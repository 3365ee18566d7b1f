import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  type LocalWorkspaceOptions,
  PulumiCommand,
  type PulumiFn,
  Stack,
  StackNotFoundError,
  type StackSettings,
  type Workspace,
} from "@pulumi/pulumi/automation/index.js";
import { type ConfigInput, home, parseConfig, project } from "../config.ts";
import program from "../index.ts";
import {
  BusyStackError,
  ConfigMissingError,
  isUnfinishedRollout,
  OperationError,
  StackMissingError,
  toOperationError,
} from "./errors.ts";
import { namespacesOf, whatHolds } from "./held-namespaces.ts";
import { keepErrorsApart } from "./isolation.ts";
import { type Outputs, outputsOf } from "./outputs.ts";
import { type Changes, type Progress, progressOf } from "./progress.ts";
import { recoveryMessage, recoveryOf, type State, withoutPending } from "./recovery.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { type ServiceIds, serviceIds } from "./service-ids.ts";

export interface StackOptions {
  /** Name of the stack: an environment, such as `dev`. */
  readonly stack: string;

  /** Whether the stack is made when it is not there. Default true. */
  readonly create?: boolean;

  /** Region of everything. Default: what `pulumi up` would take in `workDir`. */
  readonly region?: string;

  /**
   * The `eks-irsa:` keys, checked before the engine is asked for anything. Keys that are not given get their defaults.
   * Without `region` and `config`, the configuration is what `pulumi up` would take in `workDir`: that of
   * `Pulumi.<stack>.yaml` with its environments and secrets, and of the project.
   */
  readonly config?: ConfigInput;

  /** Other packages' configuration, by full key: `{ "aws:profile": "dev" }`. Default none. */
  readonly packageConfig?: Readonly<Record<string, string>>;

  /** Full keys of those above that the settings file keeps encrypted: `["eks-irsa:role"]`. Default none. */
  readonly secrets?: readonly string[];

  /**
   * Folder of the engine's settings of this stack, `Pulumi.<stack>.yaml`, and of the files of policies that the configuration
   * names. A `Pulumi.yaml` in it stays as it is, and so do the environments (ESC) that the settings name: what they bring
   * counts beside what is given here. Default: a temporary one, which is gone when this process ends, and the process's own
   * for the files.
   */
  readonly workDir?: string;

  /** Folder of the files of policies that the configuration names. Default: `workDir`, or the process's own. */
  readonly filesIn?: string;

  /** Pulumi's own folder. Default: `$PULUMI_HOME`, or `~/.pulumi`. */
  readonly pulumiHome?: string;

  /** Environment of the engine, on top of this process's: the backend, the passphrase, credentials. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface OperationOptions {
  /** Told what the operation is at, and of which stack. */
  readonly onProgress?: (progress: Progress, stack: string) => void;
  /** Given what the engine prints, as it prints it. */
  readonly onOutput?: (text: string) => void;
  /** Cancels the operation: the engine ends what it has begun, and starts nothing more. */
  readonly signal?: AbortSignal;
  /** Whether the engine's output shows each property that changes. Default false. */
  readonly diff?: boolean;
}

/** What an operation came to. */
export interface OperationResult {
  readonly changes: Changes;
  /** What the engine printed. */
  readonly output: string;
}

/** An operation that has been. */
export interface HistoryEntry {
  /** The latest has the highest. */
  readonly version: number;
  /** `update`, `refresh`, `destroy`, `import`. */
  readonly kind: string;
  readonly result: string;
  readonly startTime: Date;
  readonly endTime?: Date;
  readonly changes: Changes;
}

/**
 * One environment of this program. Every operation rejects with one of the classes in `errors.ts`; nothing here prints.
 */
export class ProgramStack {
  /** Pulumi's own object, for what is not here. */
  readonly stack: Stack;

  /** Whether there may have been an operation on it. */
  #isNew: boolean;

  /** @param isNew Whether it was made just now: then nothing on it can have been cut off. */
  constructor(stack: Stack, { isNew = false }: { readonly isNew?: boolean } = {}) {
    this.stack = stack;
    this.#isNew = isNew;
  }

  get name(): string {
    return this.stack.name;
  }

  /** Finds out what `up` would change. Changes nothing, not even to recover from an operation that was cut off. */
  preview(options: OperationOptions = {}): Promise<OperationResult> {
    const { stack } = this;
    // After each resource the engine (3.274) makes the whole state anew, in a preview too, and throws it away: of a thousand
    // bindings minutes. Where nothing is saved there is nothing to lose.
    const workspace = withEnvironment(stack.workspace, { PULUMI_SKIP_CHECKPOINTS: "true" });
    const previewing: Stack = Object.create(stack, { workspace: { value: workspace } });
    return this.#run(options, (common) => previewing.preview(common));
  }

  /**
   * Brings the environment to what the program says. When it resolves, the pods have listed the buckets.
   *
   * Where an operation on the stack was cut off, its engine killed, it finds out first what came of that.
   */
  async up(options: OperationOptions = {}): Promise<OperationResult & { readonly outputs: Outputs }> {
    await this.#recover(options);
    const stack = onlyOperating(this.stack);
    const result = await this.#run(options, async (common, errors) => {
      try {
        await stack.up(common);
      } catch (error) {
        if (!errors.some((one) => isUnfinishedRollout(one.diagnosticEvent?.message ?? ""))) throw error;
        errors.length = 0;
        const text = "What the refresh finds not ready is waited for.";
        options.onProgress?.({ kind: "message", severity: "info", text }, this.name);
        await stack.refresh(common);
        await stack.up(common);
      }
    });
    return { ...result, outputs: await this.outputs() };
  }

  /** Compares the engine's state with what is really there, and takes over what it finds. */
  async refresh(options: OperationOptions = {}): Promise<OperationResult> {
    return (await this.#recover(options)) ?? (await this.#refresh(options));
  }

  /** @param target URNs of all that is compared. Default: everything. */
  #refresh(options: OperationOptions, target?: string[]): Promise<OperationResult> {
    return this.#run(options, (common) => onlyOperating(this.stack).refresh({ ...common, target }));
  }

  /**
   * Deletes everything that the stack made. The stack itself stays, with its history. Where an operation on the stack was
   * cut off, it finds out first what came of that. An error, of a cancelled one too, says what holds a namespace.
   */
  async destroy(options: OperationOptions = {}): Promise<OperationResult> {
    await this.#recover(options);
    try {
      return await this.#run(options, (common) => onlyOperating(this.stack).destroy(common));
    } catch (error) {
      if (error instanceof OperationError && !(error instanceof BusyStackError)) {
        error.message = [error.message, ...(await this.#heldNamespaces().catch(() => []))].join("\n");
      }
      throw error;
    }
  }

  /** What keeps namespaces of the stack from going, a sentence each. */
  async #heldNamespaces(): Promise<string[]> {
    const state = await this.#state();
    const { kubeconfig } = outputsOf(state);
    if (typeof kubeconfig?.value !== "string") return [];
    return whatHolds(namespacesOf(state), kubeconfig.value, this.stack.workspace.envVars);
  }

  async outputs(): Promise<Outputs> {
    return outputsOf(await this.#state());
  }

  /** What the engine holds of the stack, secrets in clear. */
  async #state(): Promise<State> {
    const { deployment } = await attempt(() => this.stack.exportStack());
    return (deployment ?? {}) as State;
  }

  /** Operations that have been, the latest first. */
  async history(): Promise<HistoryEntry[]> {
    const entries = await attempt(() => this.stack.history());
    return entries.map(({ version, kind, result, startTime, endTime, resourceChanges }) => ({
      version,
      kind,
      result,
      startTime,
      endTime,
      changes: resourceChanges ?? {},
    }));
  }

  /** Gives up the lock of an operation whose process is gone. What it was at may be half done: refresh next. */
  cancel(): Promise<void> {
    return attempt(() => this.stack.cancel());
  }

  /** Forgets the stack, which must be destroyed. */
  async remove(): Promise<void> {
    await attempt(() => this.stack.workspace.removeStack(this.name));
  }

  /** Finds out what came of an operation that was cut off. Gives what its refresh came to; undefined where there was none. */
  async #recover(options: OperationOptions): Promise<OperationResult | undefined> {
    const isNew = this.#isNew;
    this.#isNew = false;
    if (isNew) return undefined;
    const { recovery: seen } = await this.#cutOff();
    if (seen === undefined) return undefined;
    // One that is under way looks the same, but has the stack's lock, which every refresh asks for. That of the stack's
    // root compares nothing.
    const root = seen.state.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
    await this.#refresh({ signal: options.signal }, root && [root.urn]);
    // One that had the lock has ended, and may have been what was seen.
    const { exported, recovery } = await this.#cutOff();
    if (recovery === undefined) return undefined;
    const text = recoveryMessage(recovery);
    options.onProgress?.({ kind: "message", severity: "warning", text }, this.name);
    // The note of what was cut off goes last: if this is cut off too, it is done again.
    await attempt(() => this.stack.importStack({ ...exported, deployment: recovery.state }));
    const refreshed = await this.#refresh(options);
    const compared = await attempt(() => this.stack.exportStack());
    const deployment = withoutPending(compared.deployment as State);
    await attempt(() => this.stack.importStack({ ...compared, deployment }));
    return refreshed;
  }

  /** The stack as it is exported, and what to do about what was cut off, where anything was. */
  async #cutOff() {
    const exported = await attempt(() => this.stack.exportStack());
    const state = (exported.deployment ?? {}) as State;
    return { exported, recovery: recoveryOf(state, await this.#serviceIds(state)) };
  }

  /** What the services say of the ids of what was being created; nobody is asked where nothing was. */
  async #serviceIds(state: State): Promise<ServiceIds> {
    if ((state.pending_operations ?? []).length === 0) return new Map();
    const { workspace } = this.stack;
    const config = await attempt(() => workspace.getAllConfig(this.name));
    const [region, profile] = [config["aws:region"]?.value, config["aws:profile"]?.value];
    return serviceIds(state, {
      ...workspace.envVars,
      ...(region && { AWS_REGION: region }),
      ...(profile && { AWS_PROFILE: profile }),
    });
  }

  async #run(
    { onProgress, onOutput, signal, diff }: OperationOptions,
    act: (
      common: {
        onEvent: (event: EngineEvent) => void;
        onOutput: (text: string) => void;
        signal?: AbortSignal;
        diff?: boolean;
      },
      errors: EngineEvent[],
    ) => Promise<unknown>,
  ): Promise<OperationResult> {
    const lines: string[] = [];
    const errors: EngineEvent[] = [];
    // Of the first operation, where others follow: they change nothing more.
    let changes: Changes | undefined;
    const onEvent = (event: EngineEvent): void => {
      changes ??= event.summaryEvent?.resourceChanges;
      if (event.diagnosticEvent?.severity === "error") errors.push(event);
      const progress = onProgress && progressOf(event);
      if (progress) onProgress(progress, this.name);
    };
    const keep = (text: string): void => {
      lines.push(text);
      onOutput?.(text);
    };
    try {
      // A signal of its own for each run: the SDK never takes its listener off again.
      const own = signal && AbortSignal.any([signal]);
      await act({ onEvent, onOutput: keep, signal: own, diff }, errors);
      return { changes: changes ?? {}, output: lines.join("") };
    } catch (error) {
      throw toOperationError(error, errors, lines.join(""), signal);
    }
  }
}

/**
 * The stack, whose operations do nothing after they have ended: the SDK would run the engine for the outputs twice and for the
 * history, of which the events have told what is wanted.
 */
const onlyOperating = (stack: Stack): Stack =>
  Object.create(stack, { outputs: { value: async () => ({}) }, info: { value: async () => undefined } });

/** The workspace, with more in the environment of its engines; the one that is given stays as it is. */
const withEnvironment = (workspace: Workspace, env: Readonly<Record<string, string>>): Workspace =>
  Object.create(workspace, { envVars: { value: { ...workspace.envVars, ...env } } });

/**
 * Opens a stack of this program, with its whole configuration set.
 *
 * @throws ConfigError when the configuration is bad, StackMissingError when the stack is not there and not to be made,
 *   EngineMissingError when there is no engine; nothing was changed then.
 */
export async function openStack(options: StackOptions): Promise<ProgramStack> {
  keepErrorsApart();
  const { stack: stackName, workDir } = options;
  const folder = options.filesIn ?? workDir ?? process.cwd();
  const isGiven = options.region !== undefined || options.config !== undefined;
  const check = (held: Readonly<Record<string, string>>) =>
    parseConfig(stackName, held, { folder, correct: isGiven ? inOptions : undefined });
  // Where there is no folder, nothing else brings a key: so the engine need not even be there.
  if (isGiven && workDir === undefined) check(givenBy(options));
  if (!isGiven && options.create !== false) checkSettings(stackName, workDir);
  const place: LocalWorkspaceOptions = {
    pulumiCommand: await engine(),
    workDir: workDir ?? scratchFolder(),
    pulumiHome: options.pulumiHome,
    envVars: { ...options.env },
    program: (() => program(folder)) as PulumiFn,
    // Wherever the settings are and whoever calls, the engine runs where `pulumi up` would run it. The project's
    // own folder says so itself.
    projectSettings:
      workDir !== undefined && existsSync(join(workDir, "Pulumi.yaml"))
        ? undefined
        : { name: project, runtime: "nodejs", main: home },
  };
  const workspace = await attempt(() => LocalWorkspace.create(place));
  const settings: Settings = await workspace.stackSettings(stackName).catch(() => ({}));
  const { region = settings.config?.["aws:region"] } = options;
  const given = { ...givenBy(options), ...(typeof region === "string" && { "aws:region": region }) };
  // Whether the project or the stack's environments (ESC) bring more: that the engine knows, once there is the stack.
  const more = settings.environment !== undefined || (await workspace.projectSettings()).config !== undefined;
  const isWhole = !more && given["aws:region"] !== undefined;
  if (isGiven && isWhole) check(given);

  const opened = await attempt(() => Stack.select(stackName, workspace))
    .then((stack) => new ProgramStack(stack))
    .catch(async (error: Error) => {
      if (!(error.cause instanceof StackNotFoundError)) throw error;
      if (options.create !== false) {
        const stack = await attempt(() => Stack.create(stackName, workspace));
        return new ProgramStack(stack, { isNew: true });
      }
      const stacks = (await attempt(() => workspace.listStacks())).map(({ name }) => name);
      throw new StackMissingError(stackName, stacks, { cause: error });
    });
  if (!isGiven) checkSettings(stackName, workDir);
  if (!isGiven || !isWhole) {
    const resolved = await attempt(() => workspace.getAllConfig(stackName));
    const values = Object.entries(resolved).map(([key, { value }]) => [key, value] as const);
    // Of the file all is replaced by what is given.
    const kept = values.filter(([key]) => !isGiven || settings.config?.[key] === undefined);
    check({ ...Object.fromEntries(kept), ...(isGiven && given) });
  }
  if (isGiven) await keep(workspace, stackName, given, options.secrets);
  return opened;
}

/** What the SDK's type leaves out, it reads and writes all the same. */
type Settings = StackSettings & { readonly environment?: unknown };

/** Writes a configuration into the settings file, which for the rest stays as it is. */
async function keep(
  workspace: Workspace,
  stack: string,
  config: Readonly<Record<string, string>>,
  secrets: readonly string[] = [],
): Promise<void> {
  // With what the engine has just put there, where it has made the stack: the salt of its secrets.
  const settings: StackSettings = await workspace.stackSettings(stack).catch(() => ({}));
  const part = (secret: boolean) =>
    Object.entries(config).filter(([key]) => secrets.includes(key) === secret);
  // One file operation where `pulumi config` would be a process a key.
  await workspace.saveStackSettings(stack, { ...settings, config: Object.fromEntries(part(false)) });
  const encrypted = part(true).map(([key, value]) => [key, { value, secret: true }] as const);
  if (encrypted.length > 0) await attempt(() => workspace.setAllConfig(stack, Object.fromEntries(encrypted)));
}

let found: PulumiCommand | undefined;

/** The engine. It is asked for its version once: whether it is still there, each call finds out by itself. */
export async function engine(): Promise<PulumiCommand> {
  found ??= await attempt(() => PulumiCommand.get());
  return found;
}

const inOptions = "Correct it in the `region` and `config` that the stack is opened with.";

/** What is given of a configuration, as Pulumi holds it. */
const givenBy = ({
  region,
  config,
  packageConfig,
}: Pick<StackOptions, "region" | "config" | "packageConfig">): Record<string, string> => ({
  ...packageConfig,
  ...(region !== undefined && { "aws:region": region }),
  ...toPulumi(config ?? {}),
});

/** @throws ConfigMissingError when a stack has no `Pulumi.<stack>.yaml` in its folder. */
export function checkSettings(stack: string, workDir = "."): void {
  const file = join(workDir, `Pulumi.${stack.split("/").at(-1)}.yaml`);
  if (existsSync(file)) return;
  const others = readdirSync(workDir).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  throw new ConfigMissingError(file, others);
}

/**
 * Checks a configuration without the engine, and gives it as Pulumi holds it.
 *
 * @param how Other packages' keys; where the files of policies are; how whoever gave it corrects it, a sentence at the end
 *   of the error.
 * @throws ConfigError that names every bad key.
 */
export function checkConfig(
  stack: string,
  region: string,
  config: ConfigInput,
  {
    packageConfig,
    filesIn = process.cwd(),
    correct = inOptions,
  }: Pick<StackOptions, "packageConfig" | "filesIn"> & { readonly correct?: string } = {},
): Record<string, string> {
  const held = givenBy({ region, config, packageConfig });
  parseConfig(stack, held, { folder: filesIn, correct });
  return held;
}

/** A typed configuration as Pulumi holds it: full keys, structured values as JSON. */
const toPulumi = (config: ConfigInput): Record<string, string> =>
  toRaw(
    Object.fromEntries(
      Object.entries(config)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => [`${project}:${key}`, value]),
    ),
  );

const toRaw = (config: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );

/** Does something with the engine; one that is not there has an error of its own. */
export async function attempt<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toOperationError(error, [], "");
  }
}

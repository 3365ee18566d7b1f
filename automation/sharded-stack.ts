import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { LocalWorkspace, type Workspace } from "@pulumi/pulumi/automation/index.js";
import PQueue from "p-queue";
import { ConfigError, type ConfigInput, type ConfigIssue, project } from "../config.ts";
import { saidBy } from "./advice.ts";
import { CancelledError, OperationError } from "./errors.ts";
import type { Outputs } from "./outputs.ts";
import type { Changes } from "./progress.ts";
import type { State } from "./recovery.ts";
import { scratchFolder } from "./scratch-folder.ts";
import { forgetting, heldBy, type Move, place, stacksFor, urnsOf } from "./shards.ts";
import {
  attempt,
  checkConfig,
  engine,
  type OperationOptions,
  type OperationResult,
  openStack,
  type ProgramStack,
  type StackOptions,
} from "./stack.ts";

// Very many bindings, over several stacks. On a file or S3 backend the engine (3.274; journaling is for Pulumi Cloud's own
// backend) writes its whole state twice for each resource, so that a stack's first `up` takes time by the square of its
// bindings. Of several smaller stacks, side by side, each writes only its own: a run that is killed loses nothing, as ever.
//
// openShards, for an environment `prod`:
//   the backend's list of stacks -> those that are `prod.1`, `prod.2`, ...; each one's state -> the namespaces that it holds
//   bindings + namespaces held   -> place(): the bindings of each stack, and what must move (shards.ts)
//   the bindings of each stack   -> openStack(), so many at a time
// up:      moves that were cut off are ended; moves (`pulumi state move`: nothing is made or deleted); `up` of each stack, so
//          many at a time; stacks that gave all away are destroyed and removed
// others:  the same operation of each stack
// result:  the sum of all, and a report a stack; an error has those of all stacks that failed, and what the others did

export interface ShardsOptions extends Omit<StackOptions, "stack" | "workDir" | "secrets"> {
  /** Whose bindings these are, such as `prod`: its stacks are `prod.1`, `prod.2` and so on. */
  readonly environment: string;

  /** As in a stack of its own: with `app: none`, on a cluster that is there, and all bindings. */
  readonly config: ConfigInput;
  readonly region: string;

  /**
   * How many stacks. Default: as many as there are, and one for each 50 bindings. Where there are more, the bindings of the
   * last ones move to the others, and those stacks are removed; no other binding ever moves.
   */
  readonly stacks?: number;

  /** Other stacks of this project whose bindings these were until now: what is in `config` moves here. Default none. */
  readonly from?: readonly string[];

  /** How many operations at a time. Default: as many as there are cores. */
  readonly concurrency?: number;
}

/** Bindings a stack. Measured: `npm run bench -- shards`: fewer stacks write more state, more start more engines. */
const bindingsPerStack = 50;

/** What an operation of one of the stacks came to. */
export interface ShardReport {
  readonly stack: string;
  readonly bindings: number;
  readonly seconds: number;
  readonly changes: Changes;
  readonly error?: Error;
}

export interface ShardedResult extends OperationResult {
  readonly shards: readonly ShardReport[];
}

/** Some of the stacks failed; what the others did stays done. */
export class ShardsError extends OperationError {
  readonly shards: readonly ShardReport[];

  constructor(shards: readonly ShardReport[], output: string) {
    const failed = shards.filter(({ error }) => error !== undefined);
    const each = failed.map(({ stack, error }) => `${stack}: ${error?.message}`);
    super(
      [`${failed.length} of ${shards.length} stacks failed; what the others did stays done.`, ...each].join(
        "\n",
      ),
      output,
    );
    this.shards = shards;
  }
}

type Binding = NonNullable<ConfigInput["bindings"]>[number];

/** One of the stacks, and what it is to have. */
interface Shard {
  readonly stack: ProgramStack;
  readonly bindings: readonly Binding[];
  /** Whether it gives all away, and goes. */
  readonly leaves: boolean;
}

type OpenShard = (stack: string, bindings: readonly Binding[]) => Promise<ProgramStack>;

/** The bindings of an environment in several stacks of this program, as if they were one. Nothing here prints. */
export class ShardedStack {
  /** The environment. */
  readonly name: string;

  #shards: readonly Shard[];
  #moves: readonly Move[];
  #unfinished: readonly Move[];
  readonly #concurrency: number | undefined;
  readonly #workspace: LocalWorkspace;
  readonly #open: OpenShard;

  constructor(
    environment: string,
    {
      shards,
      moves,
      unfinished,
    }: { shards: readonly Shard[]; moves: readonly Move[]; unfinished: readonly Move[] },
    workspace: LocalWorkspace,
    open: OpenShard,
    concurrency?: number,
  ) {
    this.name = environment;
    this.#moves = moves;
    this.#shards = shards;
    this.#unfinished = unfinished;
    this.#workspace = workspace;
    this.#open = open;
    this.#concurrency = concurrency;
  }

  /** What the next `up` moves before all else. */
  get moves(): readonly Move[] {
    return this.#moves;
  }

  /** Finds out what `up` would change, beside what it moves. */
  async preview(options: OperationOptions = {}): Promise<ShardedResult> {
    // What is still in another stack's state would be told as to be made.
    const arriving = (name: string) =>
      new Set(this.moves.flatMap(({ to, namespace }) => (to === name ? [namespace] : [])));
    const shards = await this.#queued(this.#staying, async (shard) => {
      const coming = arriving(shard.stack.name);
      if (coming.size === 0) return shard;
      const bindings = shard.bindings.filter(({ namespace }) => !coming.has(namespace));
      return { ...shard, bindings, stack: await this.#open(shard.stack.name, bindings) };
    });
    return this.#each((stack, common) => stack.preview(common), options, shards);
  }

  /** Brings the environment to what its configuration says. */
  async up(options: OperationOptions = {}): Promise<ShardedResult & { readonly outputs: Outputs }> {
    await this.#endMoves();
    await this.#move(options);
    const outputs: Outputs[] = [];
    const up = await this.#each(
      async (stack, common) => {
        const result = await stack.up(common);
        outputs.push(result.outputs);
        return result;
      },
      options,
      this.#staying,
    );
    // They hold nothing any more but their own providers.
    for (const { stack, leaves } of this.#shards) {
      if (!leaves) continue;
      await stack.destroy({ signal: options.signal });
      await stack.remove();
      this.#shards = this.#shards.filter((one) => one.stack !== stack);
    }
    return { ...up, outputs: merged(outputs) };
  }

  /** Compares the state of each stack with what is really there. */
  refresh(options: OperationOptions = {}): Promise<ShardedResult> {
    return this.#each((stack, common) => stack.refresh(common), options);
  }

  /** Deletes everything that the stacks made. They themselves stay. */
  destroy(options: OperationOptions = {}): Promise<ShardedResult> {
    return this.#each((stack, common) => stack.destroy(common), options);
  }

  /** As those of one stack: `bindings` has those of all. */
  async outputs(): Promise<Outputs> {
    return merged(await this.#queued(this.#staying, ({ stack }) => stack.outputs()));
  }

  /** Gives up the locks of operations whose processes are gone. */
  async cancel(): Promise<void> {
    await this.#queued(this.#shards, ({ stack }) => stack.cancel());
  }

  /** Forgets the stacks, which must be destroyed. */
  async remove(): Promise<void> {
    await this.#queued(this.#shards, ({ stack }) => stack.remove());
  }

  get #staying(): readonly Shard[] {
    return this.#shards.filter(({ leaves }) => !leaves);
  }

  /** One operation of each stack, so many at a time. One that fails does not hold the others up. */
  async #each(
    act: (stack: ProgramStack, options: OperationOptions) => Promise<OperationResult>,
    options: OperationOptions,
    shards: readonly Shard[] = this.#shards,
  ): Promise<ShardedResult> {
    const { signal } = options;
    const output: string[] = [];
    const reports = await this.#queued(shards, async ({ stack, bindings }): Promise<ShardReport> => {
      const since = performance.now();
      const report = (changes: Changes, error?: Error): ShardReport => ({
        stack: stack.name,
        bindings: bindings.length,
        seconds: Math.round((performance.now() - since) / 100) / 10,
        changes,
        ...(error && { error }),
      });
      if (signal?.aborted) return report({}, new CancelledError("The operation was cancelled.", ""));
      try {
        const result = await act(stack, options);
        output.push(result.output);
        return report(result.changes);
      } catch (error) {
        if (error instanceof OperationError) output.push(error.output);
        return report({}, error as Error);
      }
    });
    const text = output.join("");
    if (signal?.aborted) throw new CancelledError("The operation was cancelled.", text);
    if (reports.some(({ error }) => error !== undefined)) throw new ShardsError(reports, text);
    return { changes: sum(reports.map(({ changes }) => changes)), output: text, shards: reports };
  }

  #queued<Item, Result>(items: readonly Item[], act: (item: Item) => Promise<Result>): Promise<Result[]> {
    return queued(this.#concurrency, items, act);
  }

  /** A move is two writes, the new state first. Where only that one was written, the old one forgets. */
  async #endMoves(): Promise<void> {
    for (const [, from, to, namespaces] of pairs(this.#unfinished)) {
      const exported = await this.#export(from);
      const deployment = forgetting(exported.state, (await this.#export(to)).state, namespaces);
      await attempt(() => this.#workspace.importStack(from, { ...exported.whole, deployment }));
    }
    this.#unfinished = [];
  }

  async #move({ onProgress, signal }: OperationOptions): Promise<void> {
    for (const [shard, from, to, namespaces] of pairs(this.moves, this.#shards)) {
      if (signal?.aborted) throw new CancelledError("The operation was cancelled.", "");
      // What was being made when an engine was killed is known to the stack that made it.
      const source = this.#shards.find(({ stack }) => stack.name === from)?.stack;
      let { state } = await this.#export(from);
      if ((state.pending_operations ?? []).length > 0) {
        if (source === undefined) {
          throw new OperationError(
            `An operation on the stack ${from} was cut off. \`npm run stack -- refresh ${from}\` finds out what came of it; then repeat this.`,
            "",
          );
        }
        await source.refresh({ signal });
        ({ state } = await this.#export(from));
      }
      const made = (shard?.bindings ?? []).filter(({ createNamespace }) => createNamespace);
      const urns = urnsOf(state, namespaces, new Set(made.map(({ namespace }) => namespace)));
      if (urns.length === 0 || shard === undefined) continue;
      onProgress?.(
        {
          kind: "message",
          severity: "info",
          text: `Moving the bindings of ${[...namespaces].join(", ")} from the stack ${from} to ${to}.`,
        },
        to,
      );
      await moveResources(urns, from, to, shard.stack.stack.workspace);
    }
    this.#moves = [];
  }

  async #export(stack: string) {
    const whole = await attempt(() => this.#workspace.exportStack(stack));
    return { whole, state: (whole.deployment ?? {}) as State };
  }
}

/**
 * Takes resources with all below them, as they are, out of one state into another. In the project of the stack that gets them:
 * the engine makes its secrets manager from it.
 */
async function moveResources(
  urns: readonly string[],
  from: string,
  to: string,
  { workDir: cwd, pulumiHome, envVars }: Workspace,
): Promise<void> {
  const stacks = ["--source", from, "--dest", to];
  const home = pulumiHome !== undefined && { PULUMI_HOME: pulumiHome };
  const env = { ...process.env, ...home, ...envVars };
  const options = { cwd, env, maxBuffer: 2 ** 26 };
  try {
    await promisify(execFile)(
      "pulumi",
      ["state", "move", ...stacks, "--yes", "--non-interactive", ...urns],
      options,
    );
  } catch (error) {
    const { message, stdout = "" } = error as Error & { readonly stdout?: string };
    throw new OperationError(
      `The bindings could not be moved from the stack ${from} to ${to}: ${saidBy(message)}`,
      stdout,
      {
        cause: error,
      },
    );
  }
}

/** Moves by the two stacks that they are between. */
function pairs(
  moves: readonly Move[],
  shards: readonly Shard[] = [],
): (readonly [shard: Shard | undefined, from: string, to: string, namespaces: ReadonlySet<string>])[] {
  const groups = Map.groupBy(moves, ({ from, to }) => `${from} ${to}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { from, to } = first;
    const shard = shards.find(({ stack }) => stack.name === to);
    return [[shard, from, to, new Set(group.map(({ namespace }) => namespace))] as const];
  });
}

function sum(all: readonly Changes[]): Changes {
  const total: Record<string, number> = {};
  for (const [kind, count] of all.flatMap(Object.entries<number>)) total[kind] = (total[kind] ?? 0) + count;
  return total;
}

/** The outputs of one stack, with the bindings of all. */
function merged(all: readonly Outputs[]): Outputs {
  const bindings = Object.assign({}, ...all.map(({ bindings }) => bindings?.value));
  return { ...all[0], bindings: { value: bindings, secret: false } };
}

async function queued<Item, Result>(
  concurrency: number = availableParallelism(),
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const queue = new PQueue({ concurrency });
  return Promise.all(items.map((item) => queue.add(() => act(item))));
}

/**
 * Opens the stacks of an environment's bindings.
 *
 * @throws ConfigError when the configuration is bad, or makes more than bindings; whatever `openStack` throws.
 */
export async function openShards(options: ShardsOptions): Promise<ShardedStack> {
  const { environment, stacks, from = [], concurrency, ...common } = options;
  const { region, config, env, pulumiHome } = common;
  checkConfig(environment, region, config, common);
  checkDivisible(environment, config);
  const bindings = config.bindings ?? [];
  const command = await engine();
  const workspace = await attempt(() =>
    LocalWorkspace.create({
      pulumiCommand: command,
      workDir: scratchFolder(),
      ...(pulumiHome !== undefined && { pulumiHome }),
      envVars: { ...env },
      projectSettings: { name: project, runtime: "nodejs" },
    }),
  );
  const number = (name: string): number =>
    Number(
      name.startsWith(`${environment}.`) ? /^[1-9]\d*$/.exec(name.slice(environment.length + 1))?.[0] : 0,
    ) || 0;
  const existing = (await attempt(() => workspace.listStacks()))
    .map(({ name }) => name)
    .filter((name) => number(name) > 0)
    .sort((a, b) => number(a) - number(b));
  const count = stacks ?? stacksFor(bindings, existing.length, bindingsPerStack);
  const targets = [...existing.slice(0, count), ...unused(environment, count - existing.length, existing)];
  const holders = await queued(concurrency, [...existing, ...from], async (stack) => {
    const { deployment } = await attempt(() => workspace.exportStack(stack));
    return [stack, heldBy((deployment ?? {}) as State)] as const;
  });
  const { shards, moves, unfinished } = place(bindings, targets, new Map(holders));
  const all = [
    ...[...shards].map(([stack, own]) => ({ stack, bindings: own, leaves: false })),
    ...existing.slice(count).map((stack) => ({ stack, bindings: [], leaves: true })),
  ];
  const open: OpenShard = (stack, own) =>
    openStack({ ...common, stack, config: { ...config, bindings: [...own] } });
  const opened = await queued(
    concurrency,
    all,
    async ({ stack, ...shard }): Promise<Shard> => ({ ...shard, stack: await open(stack, shard.bindings) }),
  );
  return new ShardedStack(environment, { shards: opened, moves, unfinished }, workspace, open, concurrency);
}

/** The next names that no stack has. */
function unused(environment: string, count: number, taken: readonly string[]): string[] {
  const free: string[] = [];
  for (let number = 1; free.length < count; number++) {
    const name = `${environment}.${number}`;
    if (!taken.includes(name)) free.push(name);
  }
  return free;
}

/** Only bindings can be divided: what else a stack makes, each of several would make. */
function checkDivisible(environment: string, { app, cluster = {} }: ConfigInput): void {
  const makesProvider = "createOidcProvider" in cluster && cluster.createOidcProvider === true;
  const isThere = "stack" in cluster || cluster.existing === true;
  const issues: ConfigIssue[] = [
    ...(app === "none" ? [] : [{ key: "app", holds: app, problem: "it must be none" }]),
    ...(isThere
      ? []
      : [
          {
            key: "cluster",
            holds: cluster,
            problem: "it must be one that is there: { name, existing: true }, or { stack }",
          },
        ]),
    ...(makesProvider
      ? [
          {
            key: "cluster.createOidcProvider",
            holds: true,
            problem: "it must be false: one stack makes it, before these",
          },
        ]
      : []),
  ].map((issue) => ({ ...issue, key: `${project}:${issue.key}` }));
  if (issues.length > 0) {
    throw new ConfigError(
      environment,
      issues,
      "Several stacks can only share bindings: have a stack of its own make the rest.",
    );
  }
}

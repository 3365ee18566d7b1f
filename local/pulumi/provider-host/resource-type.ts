import type { AutoNameRequest } from "./autoname.ts";
import type { Difference, Property } from "./diff.ts";
import type { Properties } from "./properties.ts";

export type Severity = "debug" | "info" | "warning" | "error";

/** What an operation on a resource, or a function call, is done with. `Config` is what the provider made of its configuration. */
export interface Context<Config> {
  readonly config: Config;
  /** What the provider calls itself in errors. */
  readonly provider: string;
  /** The resource's URN; of a function call, its token. */
  readonly urn: string;
  readonly type: string;
  /** The resource's name in the program. */
  readonly logicalName: string;
  /** Seconds that `customTimeouts` allows for the operation; undefined when the program says nothing. */
  readonly timeoutSeconds?: number;
  /** Aborted when the person cancels. */
  readonly signal: AbortSignal;
  /** Shows a line beside the resource until the next one comes. */
  status(message: string, severity?: Severity): void;
  /** Adds a line to the operation's diagnostics. */
  log(message: string, severity?: Severity): void;
}

/** An input that `check` refuses. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** What an update is given beside the new inputs. */
export interface Change<Inputs, State> {
  readonly oldInputs: Inputs;
  readonly oldState: State;
  /** Top-level inputs that differ. */
  readonly changed: ReadonlySet<string>;
}

/**
 * A resource type as plain functions over plain values. All the rest (names, differences, previews, refresh, import,
 * unknowns, errors) the host derives.
 */
export interface ResourceType<Config, Inputs = Properties, State = Properties> {
  /** The inputs that it takes; any other is refused. Left out: it takes any, and has its own `check` and `diff`. */
  readonly properties?: Readonly<Record<string, Property>>;
  /** Outputs that only the service knows: unknown while a creation is previewed. */
  readonly computed?: readonly string[];
  /** Outputs that an update may change: unknown while one is previewed. */
  readonly volatile?: readonly string[];
  /** Whether a replacement deletes the old resource first, where names would not clash too. Default false. */
  readonly deleteBeforeReplace?: boolean;

  /** Inputs with their defaults; in the place of the derived check. */
  check?(
    olds: Inputs,
    news: Inputs,
    request: AutoNameRequest,
    context: Context<Config>,
  ): Promise<Inputs | Failure[]>;
  /** What changed; in the place of the derived comparison. */
  diff?(olds: Inputs, news: Inputs): readonly Difference[];
  /** Whether a replacement would have the name of what it replaces; in the place of looking at the automatic names. */
  nameStays?(olds: Inputs, news: Inputs): boolean;
  /** Outputs that a preview knows; in the place of inputs and unknowns. */
  preview?(news: Inputs, oldState: State | undefined): Properties;
  /** The inputs that would lead to the live state; in the place of those derived from `properties`. */
  inputs?(
    oldInputs: Inputs,
    oldState: State,
    live: State,
    context: Context<Config>,
  ): Inputs | Promise<Inputs>;

  /**
   * Makes the resource.
   *
   * @returns its id, whose outputs are then read; or its id and outputs, where making it is what tells them.
   * @throws InitializationError when it is there but does not work.
   */
  create(inputs: Inputs, context: Context<Config>): Promise<string | { id: string; state: State }>;
  /** The outputs as they are now; undefined when the resource is gone. */
  read(
    id: string,
    context: Context<Config>,
    known: { inputs: Inputs; state: State },
  ): Promise<State | undefined>;
  /** Changes the resource, and may tell its outputs as `create` does. A type without it is replaced, whatever changes. */
  update?(
    id: string,
    news: Inputs,
    change: Change<Inputs, State>,
    context: Context<Config>,
    // biome-ignore lint/suspicious/noConfusingVoidType: so that a function without a return is one
  ): Promise<State | void>;
  /** Deletes the resource; one that is gone already counts as deleted. */
  delete(id: string, state: State, context: Context<Config>): Promise<void>;
}

/** A resource that was made, but has not come to work: it is in the state, and the operation fails. */
export class InitializationError extends Error {
  readonly id: string;
  readonly reasons: readonly string[];

  constructor(id: string, reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.id = id;
    this.reasons = reasons;
    this.name = "InitializationError";
  }
}

/** A provider: what it makes of its configuration, its resource types and its functions. */
export interface Provider<Config> {
  readonly name: string;
  /** What it calls itself in errors. Default `the <name> provider`. */
  readonly title?: string;
  /** The version that engines are told. */
  readonly version: string;
  /** Whether it serves components, whose inputs are outputs and references to resources. Default false. */
  readonly hasComponents?: boolean;
  configure(args: Properties): Config;
  /** Keys of the provider's own configuration whose change replaces everything that it made. Default none. */
  replacedBy?(olds: Properties, news: Properties): readonly string[];
  resourceType(type: string): ResourceType<Config> | undefined;
  readonly functions: Readonly<
    Record<string, (args: Properties, context: Context<Config>) => Promise<Properties>>
  >;
}

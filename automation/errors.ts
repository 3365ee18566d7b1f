import { CommandError, ConcurrentUpdateError, type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { explained, type Failure, saidBy } from "./advice.ts";

/** An operation of the engine that did not end well. */
export class OperationError extends Error {
  /** What the engine printed. */
  readonly output: string;

  constructor(message: string, output: string, options?: ErrorOptions) {
    super(message, options);
    this.output = output;
    this.name = new.target.name;
  }
}

/**
 * A provider could not do what it was asked to do with a resource. What was done before stays done; run it again. The
 * message has the other resources that failed, too.
 */
export class ResourceError extends OperationError {
  /** The resource. */
  readonly urn: string;
  /** What the provider said, as it said it. */
  readonly reason: string;

  constructor(message: string, failure: Required<Failure>, output: string, options?: ErrorOptions) {
    super(message, output, options);
    this.urn = failure.urn;
    this.reason = failure.reason;
  }
}

/** Another operation on the stack is under way. */
export class BusyStackError extends OperationError {}

/** The operation was cancelled by its `signal`. */
export class CancelledError extends OperationError {}

/** There is no Pulumi engine on the search path. */
export class EngineMissingError extends Error {
  constructor(options?: ErrorOptions) {
    super(
      "There is no `pulumi` on the search path. Install the Pulumi CLI (https://www.pulumi.com/docs/install/), " +
        "or use the one that `npm run local` builds.",
      options,
    );
    this.name = "EngineMissingError";
  }
}

/** A stack has no file of its configuration. */
export class ConfigMissingError extends Error {
  constructor(file: string, others: readonly string[]) {
    const like =
      others.length > 0
        ? `There ${others.length === 1 ? "is that" : "are those"} of ${others.join(", ")}: write one like it, or correct the name.`
        : "Write it: docs/configure.md has its keys.";
    super(`There is no configuration of this stack: ${file} is not there. ${like}`);
    this.name = "ConfigMissingError";
  }
}

/** There is no such stack, and it was not to be made. Nothing was changed. */
export class StackMissingError extends Error {
  /** Names of the stacks that there are. */
  readonly stacks: readonly string[];

  constructor(stack: string, stacks: readonly string[], options?: ErrorOptions) {
    const there =
      stacks.length > 0
        ? `there ${stacks.length === 1 ? "is" : "are"} ${stacks.join(", ")}`
        : "there is none";
    super(`There is no stack ${stack}; ${there}. Only \`up\` makes one.`, options);
    this.stacks = stacks;
    this.name = "StackMissingError";
  }
}

/** What went wrong, as one of the classes above. */
export function toOperationError(
  error: unknown,
  events: readonly EngineEvent[],
  output: string,
  signal?: AbortSignal,
): Error {
  const message = error instanceof Error ? error.message : String(error);
  if (/spawn pulumi ENOENT/.test(message)) return new EngineMissingError({ cause: error });
  if (signal?.aborted) return new CancelledError("The operation was cancelled.", output, { cause: error });
  if (error instanceof ConcurrentUpdateError) {
    const holder = /created by (\S+) \(pid (\d+)\)/.exec(message);
    const who = holder ? ` by ${holder[1]}, process ${holder[2]}` : "";
    return new BusyStackError(`Another operation on the stack is under way${who}.`, output, { cause: error });
  }
  // The file backend replaces a checkpoint as a whole, but not the metadata beside it, which it reads before it looks at
  // the lock; to list the stacks it reads that of all of them. Source: `setAttrs` of gocloud.dev/blob/fileblob.
  if (
    /error: (failed to load checkpoint: )?(unexpected EOF|EOF|unexpected end of JSON input)$/m.test(message)
  ) {
    return new BusyStackError(
      "Another operation is writing a stack's state. Where none is under way, an engine was killed at that: delete the " +
        "empty file with the ending .json.attrs beside the state, which is whole. A backend file://...?metadata=skip has " +
        "no such files.",
      output,
      { cause: error },
    );
  }
  const failures = failuresOf(events);
  const [first] = failures;
  if (first === undefined) {
    return error instanceof CommandError
      ? new OperationError(explained({ reason: saidBy(message) }), output, { cause: error })
      : error instanceof Error
        ? error
        : new Error(message);
  }
  const all = [...new Set(failures.map(explained))].join("\n");
  const { urn, reason } = first;
  return urn === undefined
    ? new OperationError(all, output, { cause: error })
    : new ResourceError(all, { urn, reason }, output, { cause: error });
}

/** What failed, those of resources first. The stack's own errors are the program's, or only count the others. */
function failuresOf(events: readonly EngineEvent[]): Failure[] {
  const failures = events.flatMap(({ diagnosticEvent }): Failure[] => {
    if (diagnosticEvent?.severity !== "error") return [];
    const { urn, message } = diagnosticEvent;
    return [{ urn: isStack(urn) ? undefined : urn, reason: withoutColours(message) }];
  });
  const telling = failures.filter(({ reason }) => !/^(preview|update|refresh|destroy) failed$/.test(reason));
  const ofResources = telling.filter(({ urn }) => urn !== undefined);
  return ofResources.length > 0 ? ofResources : telling.length > 0 ? telling : failures;
}

const isStack = (urn: string | undefined): boolean =>
  urn === undefined || urn === "" || urn.includes("::pulumi:pulumi:Stack::");

/** A message of the engine without its colours. */
export const withoutColours = (message: string): string => message.replace(/<\{%[^%]*%\}>/g, "").trim();

/** Whether the program says that the provider has not waited for new pods (`components/rollout.ts`), which a refresh has it do. */
export const isUnfinishedRollout = (said: string): boolean =>
  /The new pods of the Deployment \S+ are not there yet/.test(said);

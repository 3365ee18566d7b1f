import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { ConfigError } from "../config.ts";
import { canAsk, commandLine, confirm, NotConfirmedError, run, exitCodes as shared } from "../terminal.ts";
import {
  BusyStackError,
  CancelledError,
  ConfigMissingError,
  EngineMissingError,
  StackMissingError,
} from "./errors.ts";
import { withoutSecrets } from "./outputs.ts";
import { changed, describe, summary } from "./progress.ts";
import { settingsOf } from "./settings-file.ts";
import { openShards, ShardedStack, type ShardReport, ShardsError } from "./sharded-stack.ts";
import { checkSettings, type OperationOptions, openStack, type ProgramStack } from "./stack.ts";

const exitCodes = { ...shared, cancelled: shared.notConfirmed, engineMissing: 5 } as const;

interface CliOptions {
  folder: string;
  /** `true` where it is given without a number. */
  stacks?: number | true;
  json?: boolean;
  yes?: boolean;
  diff?: boolean;
}

const cli = commandLine(
  "npm run stack --",
  "Runs this program for one environment, without a language host.",
).addHelpText(
  "after",
  `
Exit codes: ${exitCodes.done} done, ${exitCodes.failed} failed, ${exitCodes.usage} bad configuration or command line,
${exitCodes.busy} another operation is under way, ${exitCodes.cancelled} cancelled or not confirmed,
${exitCodes.engineMissing} no Pulumi engine.`,
);

function numberOfStacks(given: string): number {
  if (!/^[1-9]\d{0,2}$/.test(given)) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 999, or left out.");
  }
  return Number(given);
}

const command = (name: string, description: string) =>
  cli
    .command(`${name} <stack>`)
    .description(description)
    .option("--folder <folder>", "where Pulumi.<stack>.yaml is", join(import.meta.dirname, ".."))
    .option("--stacks [number]", "its bindings in several stacks, <stack>.1 and so on", numberOfStacks)
    .option("--json", "print one JSON object on standard output");

/** Asks before something is changed. */
async function ask(what: string, { yes }: CliOptions): Promise<void> {
  if (yes) return;
  if (!canAsk()) {
    throw new NotConfirmedError(
      `${what} needs --yes where there is no terminal to ask at. Nothing was done.`,
    );
  }
  await confirm(`${what}?`, { byDefault: "no" });
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function report(shards: readonly ShardReport[]): void {
  for (const { stack, bindings, seconds, changes, error } of shards) {
    const came = error === undefined ? summary(changes) : "failed";
    say(`  ${stack}: ${bindings} ${bindings === 1 ? "binding" : "bindings"}, ${came} (${seconds} s)`);
  }
}

function tellMoves(stack: ProgramStack | ShardedStack): void {
  if (!(stack instanceof ShardedStack)) return;
  for (const { namespace, from, to } of stack.moves) {
    say(`  the bindings of ${namespace} would move from ${from} to ${to}, as they are`);
  }
}

/** Runs one operation of a stack, with its progress on standard error. */
function operation(
  act: (
    stack: ProgramStack | ShardedStack,
    common: OperationOptions,
    options: CliOptions,
  ) => Promise<{ readonly shards?: readonly ShardReport[] } & object>,
  { create = false } = {},
) {
  return async (name: string, options: CliOptions): Promise<void> => {
    const cancelling = new AbortController();
    process.once("SIGINT", () => {
      say("Cancelling: what has begun is being ended. Again to stop at once.");
      cancelling.abort();
    });
    const since = performance.now();
    const place = { stack: name, workDir: options.folder };
    const one = () =>
      openStack({ ...place, create: false }).catch((error: unknown) => {
        if (!create || !(error instanceof StackMissingError)) throw error;
        checkSettings(name, options.folder);
        say(`There is no stack ${name} yet: it is made now.`);
        return openStack(place);
      });
    const several = async () =>
      openShards({
        ...(await settingsOf(name, options.folder)),
        environment: name,
        ...(typeof options.stacks === "number" && { stacks: options.stacks }),
        create,
      });
    const stack = await (options.stacks === undefined ? one() : several());
    const onProgress: OperationOptions["onProgress"] = (progress, of) => {
      // What went wrong is said at the end, with what to do.
      if (progress.kind === "message" && progress.severity === "error") return;
      say(`  ${of === name ? "" : `${of}: `}${describe(progress)}`);
    };
    const common = { onProgress, signal: cancelling.signal, diff: options.diff };
    const result = await act(stack, common, options).catch((error: unknown) => {
      if (error instanceof ShardsError) report(error.shards);
      throw error;
    });
    report(result.shards ?? []);
    const seconds = Math.round((performance.now() - since) / 100) / 10;
    if (options.json) process.stdout.write(`${JSON.stringify({ ...result, seconds }, undefined, 2)}\n`);
  };
}

command("preview", "show what `up` would change")
  .option("--diff", "show each property that changes")
  .action(
    operation(async (stack, common, { json, diff }) => {
      tellMoves(stack);
      const { changes, output, ...more } = await stack.preview(common);
      if (diff && !json) process.stdout.write(output);
      say(changed(changes) ? summary(changes) : "nothing would change");
      return { changes, ...more };
    }),
  );

command("up", "bring the environment to what the program says")
  .option("--diff", "show each property that changes")
  .option("--yes", "do not ask")
  .action(
    operation(
      async (stack, common, options) => {
        if (!options.yes) {
          tellMoves(stack);
          const { changes, output } = await stack.preview(common);
          if (options.diff) process.stderr.write(output);
          if (!changed(changes)) say("nothing would change");
          else await ask(`up ${stack.name}: ${summary(changes)}`, options);
        }
        const { changes, outputs, output: _, ...more } = await stack.up(common);
        say(summary(changes));
        return { changes, outputs: withoutSecrets(outputs), ...more };
      },
      { create: true },
    ),
  );

command("refresh", "compare the engine's state with what is really there")
  .option("--yes", "do not ask")
  .action(
    operation(async (stack, common, options) => {
      await ask(`refresh ${stack.name}`, options);
      const { changes, output: _, ...more } = await stack.refresh(common);
      say(changed(changes) ? summary(changes) : "nothing has drifted");
      return { changes, ...more };
    }),
  );

command("destroy", "delete everything that the stack made")
  .option("--yes", "do not ask")
  .action(
    operation(async (stack, common, options) => {
      await ask(`destroy ${stack.name}`, options);
      const { changes, output: _, ...more } = await stack.destroy(common);
      say(summary(changes));
      return { changes, ...more };
    }),
  );

command("outputs", "print the outputs; secrets are left out").action(
  operation(async (stack, _, { json }) => {
    const outputs = withoutSecrets(await stack.outputs());
    if (!json) {
      for (const [name, value] of Object.entries(outputs)) {
        process.stdout.write(`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`);
      }
    }
    return { outputs };
  }),
);

command("cancel", "give up the lock of an operation whose process is gone")
  .option("--yes", "do not ask")
  .action(
    operation(async (stack, _, options) => {
      await ask(`cancel what is under way on ${stack.name}`, options);
      await stack.cancel();
      return { cancelled: true };
    }),
  );

/** What it means that an operation did not come to its end. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof ConfigError || error instanceof ConfigMissingError) return exitCodes.usage;
  if (error instanceof StackMissingError) return exitCodes.usage;
  if (error instanceof BusyStackError) return exitCodes.busy;
  if (error instanceof CancelledError) return exitCodes.cancelled;
  return error instanceof EngineMissingError ? exitCodes.engineMissing : undefined;
}

await run(cli, { codeOf });

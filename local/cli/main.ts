import type { Command } from "commander";
import { commandLine, exitCodes, run } from "../../terminal.ts";
import { addedLibraryPath, searchPath } from "../machine/paths.ts";
import { BusyError } from "../state.ts";

// Everything that local starts finds local's own programs first.
process.env.PATH = searchPath;
process.env.LD_LIBRARY_PATH = [addedLibraryPath, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
// The engine is the one that local built: no need to ask it for its version each time.
process.env.PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK = "true";

const cli = commandLine(
  "npm run local --",
  "AWS, Kubernetes and the Pulumi engine on this machine, running the same program as `pulumi up`. Without a command: `up`.",
)
  .enablePositionalOptions() // what follows `exec` is the command's own, options too
  .addHelpText(
    "after",
    `
Exit codes: ${exitCodes.done} done, ${exitCodes.failed} failed, or a proof does not hold, ${exitCodes.usage} bad --config or
command line, ${exitCodes.busy} another command of local is at work, ${exitCodes.notConfirmed} not confirmed.`,
  );

const collect = (value: string, values: string[]): string[] => [...values, value];
const withConfig = (command: Command): Command =>
  command.option(
    "--config <KEY=VALUE>",
    "set an eks-irsa: key for this run, such as namespace=team-a or cluster.nodes.max=5; repeatable",
    collect,
    [],
  );

/** A command whose code is loaded only when it is called: `env` need not wait for the Pulumi SDK. */
function action<Options>(load: () => Promise<(options: Options) => Promise<void>>) {
  return async (options: Options): Promise<void> => (await load())(options);
}

withConfig(cli.command("up"))
  .description("bring everything up, and prove that it works; repeating it changes nothing")
  .option("--json", "print one JSON object on standard output: outputs, log, buckets, proofs, seconds")
  .option("--yes", "do not ask before anything is downloaded")
  .action(action(async () => (await import("./up.ts")).up));

cli
  .command("install")
  .description("download and build what `up` needs, and start nothing")
  .option("--yes", "do not ask before anything is downloaded")
  .action(action(async () => (await import("./install.ts")).install));

withConfig(cli.command("preview"))
  .description("show what `up` would change")
  .action(action(async () => (await import("./engine-operations.ts")).preview));

withConfig(cli.command("refresh"))
  .description("compare the engine's state with what is really there")
  .action(action(async () => (await import("./engine-operations.ts")).refresh));

withConfig(cli.command("destroy"))
  .description("delete what the program made; the local AWS and Kubernetes stay up")
  .action(action(async () => (await import("./engine-operations.ts")).destroy));

cli
  .command("down")
  .description("end every process, and remove everything but the caches")
  .action(action(async () => (await import("./down.ts")).down));

cli
  .command("status")
  .description("show what runs, where, and with how much memory")
  .option("--json", "as JSON")
  .action(action(async () => (await import("./status.ts")).status));

cli
  .command("logs")
  .description("show the log of the lister's pod")
  .option("-f, --follow", "go on until Ctrl-C")
  .action(action(async () => (await import("./logs.ts")).logs));

cli
  .command("exec")
  .description("open a shell in the toolbox (`up --config toolbox=true`), or run a command in it")
  .argument("[command...]", "default a shell")
  .passThroughOptions()
  .action(async (command: string[]) => (await import("./exec.ts")).exec(command));

cli
  .command("env")
  .description('print export lines for a shell: eval "$(npm run --silent local -- env)"')
  .action(action(async () => (await import("./env.ts")).env));

// Not as commander's default command, which takes a word that it does not know for an argument of `up`.
const args = process.argv.slice(2);
const [first = ""] = args;
const isUp = first === "" || (first.startsWith("-") && !["-h", "--help"].includes(first));

/** A `ConfigError` by its name: its class comes with the whole Pulumi SDK, which `env` need not wait for. */
const isConfigError = (error: unknown): boolean => error instanceof Error && error.name === "ConfigError";

await run(cli, {
  args: isUp ? ["up", ...args] : args,
  codeOf: (error) => {
    if (isConfigError(error)) return exitCodes.usage;
    return error instanceof BusyError ? exitCodes.busy : undefined;
  },
});

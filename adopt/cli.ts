import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { adoptionOf } from "./adoption.ts";
import { reportOf } from "./adoption-report.ts";
import { readEstate } from "./estate-reader.ts";
import { clusterImport, importFile } from "./import-file.ts";
import { configOf, stackFile } from "./stack-settings.ts";

interface Options {
  readonly cluster: string;
  readonly namespace: readonly string[];
  readonly region?: string;
  readonly context?: string;
  readonly json?: boolean;
  readonly out: string;
}

const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

const several = (one: string, all: string[]): string[] => [...all, one];
const say = (line: string): void => void process.stderr.write(`${line}\n`);

new Command("npm run adopt --")
  .description(
    "Reads a cluster and its account, and writes the bindings that describe every ServiceAccount with a role, whatever made it, and the files by which `pulumi import` takes them over without a change. It changes nothing.",
  )
  .requiredOption("--cluster <name>", "EKS cluster")
  .option("--namespace <name>", "a namespace to look at; repeatable; default all", several, [])
  .option("--region <region>", "region of the cluster; default $AWS_REGION")
  .option("--context <name>", "context of the kubeconfig; default the cluster's own address")
  .option("--out <folder>", "where the files go", "adopted")
  .option("--json", "print one JSON object")
  .addHelpText("after", "\nExit codes: 0 done, 1 could not look, 2 bad command line.")
  .showHelpAfterError("(--help lists the options)")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage))
  .action(async (options: Options) => {
    const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    const region = options.region ?? AWS_REGION ?? AWS_DEFAULT_REGION;
    if (!region) {
      say("--region must be given, or $AWS_REGION set.");
      process.exit(exitCodes.usage);
    }
    const { cluster, namespace: namespaces, context } = options;
    const adoption = adoptionOf(
      await readEstate({ cluster, region, namespaces, ...(context && { context }) }),
    );
    const files = {
      "stack.yaml": stackFile(adoption),
      "import-cluster.json": `${JSON.stringify(clusterImport, undefined, 2)}\n`,
      "import.json": `${JSON.stringify(importFile(adoption), undefined, 2)}\n`,
    };
    await mkdir(options.out, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(options.out, name), text);
    if (options.json) {
      const { described, undescribed } = adoption;
      const found = { config: configOf(adoption), described, undescribed };
      process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    } else {
      process.stdout.write(`${reportOf(adoption)}\n`);
    }
    say(
      `Written to ${options.out}: ${Object.keys(files).join(", ")}. docs/adopt.md says how \`pulumi import\` takes them.`,
    );
  })
  .parseAsync()
  .catch((error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exit(exitCodes.failed);
  });

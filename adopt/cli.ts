import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { columnsOf, commandLine, run, UsageError } from "../terminal.ts";
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

const several = (one: string, all: string[]): string[] => [...all, one];

const cli = commandLine(
  "npm run adopt --",
  "Reads a cluster and its account, and writes the bindings that describe every ServiceAccount with a role, whatever made it, and the files by which `pulumi import` takes them over without a change. It changes nothing.",
)
  .requiredOption("--cluster <name>", "EKS cluster")
  .option("--namespace <name>", "a namespace to look at; repeatable; default all", several, [])
  .option("--region <region>", "region of the cluster; default $AWS_REGION")
  .option("--context <name>", "context of the kubeconfig; default the cluster's own address")
  .option("--out <folder>", "where the files go", "adopted")
  .option("--json", "print one JSON object")
  .addHelpText("after", "\nExit codes: 0 done, 1 could not look, 2 bad command line.")
  .action(async ({ cluster, namespace: namespaces, context, out, json, ...options }: Options) => {
    const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
    const region = options.region ?? AWS_REGION ?? AWS_DEFAULT_REGION;
    if (!region) throw new UsageError("--region must be given, or $AWS_REGION set.");
    const adoption = adoptionOf(
      await readEstate({ cluster, region, namespaces, ...(context && { context }) }),
    );
    const files = {
      "stack.yaml": stackFile(adoption),
      "import-cluster.json": `${JSON.stringify(clusterImport, undefined, 2)}\n`,
      "import.json": `${JSON.stringify(importFile(adoption), undefined, 2)}\n`,
    };
    await mkdir(out, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(out, name), text);
    const { described, undescribed } = adoption;
    const printed = json
      ? JSON.stringify({ config: configOf(adoption), described, undescribed }, undefined, 2)
      : reportOf(adoption, columnsOf(process.stdout));
    process.stdout.write(`${printed}\n`);
    process.stderr.write(
      `Written to ${out}: ${Object.keys(files).join(", ")}. docs/adopt.md says how \`pulumi import\` takes them.\n`,
    );
  });

await run(cli);

import { readFile, writeFile } from "node:fs/promises";
import { stackOutputs } from "../doctor/stack-outputs.ts";
import manifest from "../package.json" with { type: "json" };
import { coloured, commandLine, run } from "../terminal.ts";
import { audit } from "./audit.ts";
import { type Flags, targetOf } from "./flags.ts";
import { severities } from "./kinds.ts";
import { page } from "./page.ts";
import { sarif } from "./sarif.ts";
import { parts } from "./snapshot.ts";
import { describe, outcomeOf, type Style } from "./summary.ts";
import { takeSnapshot } from "./take.ts";

/** Exit codes. What could not be looked at is not clean: a pipeline must not take it for that. */
const exitCodes = { clean: 0, findings: 1, unseen: 2 } as const;

const several = (one: string, all: string[]): string[] => [...all, one];

const colours = { critical: "red", high: "red", medium: "yellow", low: "dim" } as const;
const style: Style = (severity, text) => coloured(colours[severity], text, process.stdout);

const cli = commandLine(
  "npm run audit --",
  "Who may do what in a cluster: every ServiceAccount with a role, what it effectively may do, and what is wrong with it. It only reads.",
)
  .argument("[stack]", "a stack of this program, whose outputs name the rest")
  .option("--cluster <name>", "EKS cluster")
  .option("--region <region>", "region of the cluster; default $AWS_REGION")
  .option("--namespace <name>", "Kubernetes namespace; repeatable; default all", several, [])
  .option("--kubeconfig <file>", "default: the stack's, or $KUBECONFIG, or ~/.kube/config")
  .option("--context <name>", "context of the kubeconfig; default the current one")
  .option("--skip <part>", `what not to look at: ${parts.join(", ")}; repeatable`, several, [])
  .option("--fail-on <severity>", `findings that count: ${severities.join(", ")}, and those above`, "low")
  .option("--json", "print one JSON object")
  .option("--html <file>", "write a page to search, with each ServiceAccount's reach drawn")
  .option("--sarif <file>", "write the findings as SARIF 2.1.0")
  .addHelpText(
    "after",
    "\nExit codes: 0 no finding at or above --fail-on, 1 findings, 2 could not look, or a bad\ncommand line: nothing was found, but something could not be looked at.",
  )
  .action(async (name: string | undefined, flags: Flags) => {
    const stack = name === undefined ? undefined : { name, outputs: await stackOutputs(name) };
    const kubeconfig = flags.kubeconfig && (await readFile(flags.kubeconfig, "utf8"));
    const { failOn, ...target } = targetOf(flags, stack, process.env, kubeconfig);
    const result = audit(await takeSnapshot(target));
    if (flags.html) await writeFile(flags.html, page(result, failOn));
    if (flags.sarif) {
      await writeFile(flags.sarif, `${JSON.stringify(sarif(result, manifest.version), undefined, 2)}\n`);
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else process.stdout.write(`${describe(result, failOn, style)}\n`);
    process.exitCode = exitCodes[outcomeOf(result, failOn)];
  });

await run(cli, { codeOf: () => exitCodes.unseen });

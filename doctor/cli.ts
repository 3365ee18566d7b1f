import { readFile, writeFile } from "node:fs/promises";
import { coloured, columnsOf, commandLine, folded, run, UsageError } from "../terminal.ts";
import { awsWorld } from "./aws.ts";
import { diagnose } from "./diagnosis.ts";
import { page } from "./html.ts";
import { imageWorld } from "./images.ts";
import { kubernetesWorld } from "./kubernetes.ts";
import { kubeconfigOf, type Options, patientOf } from "./options.ts";
import { conclusion, describeLink } from "./report.ts";
import { stackOutputs } from "./stack-outputs.ts";

/** Exit codes. What cannot be told is not healthy: a pipeline must not take it for that. */
const exitCodes = { healthy: 0, broken: 1, unseen: 2 } as const;

const colours = { holds: "green", broken: "red", unseen: "yellow", "not reached": "dim" } as const;
const painted = (state: keyof typeof colours, mark: string): string =>
  coloured(colours[state], mark, process.stdout);
// What reads a pipe reads lines.
const columns = process.stdout.isTTY ? columnsOf(process.stdout) : Number.POSITIVE_INFINITY;
const look = { paint: painted, columns };

const readKubeconfig = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`--kubeconfig cannot be read: ${error.message}.`);
  });

const several = (one: string, all: string[]): string[] => [...all, one];

const cli = commandLine(
  "npm run doctor --",
  "Walks the chain by which a ServiceAccount's pods get their role (IRSA or EKS Pod Identity) link by link, and says which is broken and how to mend it. It only reads.",
)
  .argument("[stack]", "a stack of this program, whose outputs name the rest")
  .option("--cluster <name>", "EKS cluster")
  .option("--namespace <name>", "Kubernetes namespace")
  .option("--service-account <name>", "Kubernetes ServiceAccount")
  .option("--region <region>", "region of the cluster; default $AWS_REGION")
  .option("--kubeconfig <file>", "default: the stack's, or $KUBECONFIG, or ~/.kube/config")
  .option("--context <name>", "context of the kubeconfig; default the current one")
  .option("--pod <name>", "one of its pods; default the newest that runs")
  .option("--container <name>", "a container that calls AWS; repeatable; default all", several, [])
  .option(
    "--action <action>",
    "what the workload does in AWS: s3:GetObject, or s3:GetObject=arn:aws:s3:::bucket/*; repeatable; with a stack s3:ListAllMyBuckets",
    several,
    [],
  )
  .option(
    "--assume-role <arn>",
    "the role that the workload goes on to assume, with its own role's credentials",
  )
  .option("--external-id <id>", "the external id that it gives then")
  .option("--role-profile <name>", "AWS profile that looks at IAM where the pod's role is")
  .option("--target-profile <name>", "AWS profile that looks at IAM where the role to be assumed is")
  .option(
    "--session-duration <seconds>",
    "how long the workload asks its sessions to last; default 3600, as SDKs do",
    Number,
  )
  .option("--json", "print one JSON object")
  .option("--html <file>", "write a page with the chain drawn")
  .addHelpText(
    "after",
    "\nExit codes: 0 healthy, 1 broken, 2 could not look, or a bad command line: nothing\nbroken was seen, but something could not be told.",
  )
  .action(async (name: string | undefined, options: Options) => {
    const stack = name === undefined ? undefined : { name, outputs: await stackOutputs(name) };
    const patient = patientOf(options, stack, process.env);
    const file = options.kubeconfig && (await readKubeconfig(options.kubeconfig));
    const world = {
      ...awsWorld(patient.region, patient.profiles),
      kubernetes: kubernetesWorld(file ?? kubeconfigOf(stack), options.context),
      images: imageWorld(),
    };
    const diagnosis = await diagnose(world, patient, (link) => {
      if (!options.json) process.stdout.write(`${describeLink(link, look)}\n`);
    });
    if (options.html) await writeFile(options.html, page(diagnosis));
    if (options.json) process.stdout.write(`${JSON.stringify(diagnosis, undefined, 2)}\n`);
    else process.stdout.write(`\n${folded(conclusion(diagnosis), columns).join("\n")}\n`);
    process.exitCode = exitCodes[diagnosis.state];
  });

await run(cli, { codeOf: () => exitCodes.unseen });

import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { awsWorld } from "./aws.ts";
import { diagnose, type Patient } from "./chain.ts";
import { page } from "./html.ts";
import { imageWorld } from "./images.ts";
import { kubernetesWorld } from "./kubernetes.ts";
import { links } from "./links/index.ts";
import { conclusion, describeLink } from "./report.ts";

/** Exit codes. */
const exitCodes = { healthy: 0, broken: 1, unseen: 2 } as const;

interface Options {
  cluster?: string;
  namespace?: string;
  serviceAccount?: string;
  region?: string;
  kubeconfig?: string;
  context?: string;
  pod?: string;
  action: string[];
  sessionDuration?: number;
  json?: boolean;
  html?: string;
}

new Command("npm run doctor --")
  .description(
    "Walks the IRSA chain of a ServiceAccount link by link, and says which is broken and how to mend it. It only reads.",
  )
  .argument("[stack]", "a stack of this program, whose outputs name the rest")
  .option("--cluster <name>", "EKS cluster")
  .option("--namespace <name>", "Kubernetes namespace")
  .option("--service-account <name>", "Kubernetes ServiceAccount")
  .option("--region <region>", "region of the cluster; default $AWS_REGION")
  .option("--kubeconfig <file>", "default: the stack's, or $KUBECONFIG, or ~/.kube/config")
  .option("--context <name>", "context of the kubeconfig; default the current one")
  .option("--pod <name>", "one of its pods; default the newest that runs")
  .option(
    "--action <action>",
    "what the workload does in AWS: s3:GetObject, or s3:GetObject=arn:aws:s3:::bucket/*; repeatable; with a stack s3:ListAllMyBuckets",
    (one: string, all: string[]) => [...all, one],
    [],
  )
  .option(
    "--session-duration <seconds>",
    "how long the workload asks its sessions to last; default 3600, as SDKs do",
    Number,
  )
  .option("--json", "print one JSON object")
  .option("--html <file>", "write a page with the chain drawn")
  .addHelpText("after", "\nExit codes: 0 healthy, 1 broken, 2 could not look.")
  .showHelpAfterError("(--help lists the options)")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.unseen))
  .action(async (stack: string | undefined, options: Options) => {
    const { patient, kubeconfig } = await patientOf(stack, options);
    const file = options.kubeconfig && (await readFile(options.kubeconfig, "utf8"));
    const world = {
      ...awsWorld(patient.region),
      kubernetes: kubernetesWorld(file ?? kubeconfig, options.context),
      images: imageWorld(patient.region),
    };
    const diagnosis = await diagnose(links, world, patient, (link) => {
      if (!options.json) process.stdout.write(`${describeLink(link)}\n`);
    });
    if (options.html) await writeFile(options.html, page(diagnosis));
    if (options.json) process.stdout.write(`${JSON.stringify(diagnosis, undefined, 2)}\n`);
    else process.stdout.write(`\n${conclusion(diagnosis)}\n`);
    process.exitCode = exitCodes[diagnosis.state];
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(exitCodes.unseen);
  });

/** Whom to look at: what the command line says, and what it leaves out by the outputs of the stack. */
async function patientOf(
  stack: string | undefined,
  options: Options,
): Promise<{ patient: Patient; kubeconfig?: string }> {
  const outputs = stack === undefined ? {} : await outputsOf(stack);
  const text = (name: string): string | undefined => {
    const value = outputs[name];
    return typeof value === "string" ? value : undefined;
  };
  const given = {
    cluster: options.cluster ?? text("clusterName"),
    region: options.region ?? text("region") ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION,
    namespace: options.namespace ?? text("namespace"),
    serviceAccount: options.serviceAccount ?? text("serviceAccount"),
  };
  const { cluster, region, namespace, serviceAccount } = given;
  if (!cluster || !region || !namespace || !serviceAccount) {
    const flags = {
      cluster: "--cluster",
      region: "--region",
      namespace: "--namespace",
      serviceAccount: "--service-account",
    };
    const missing = Object.entries(flags).filter(([name]) => !given[name as keyof typeof given]);
    throw new Error(
      `${missing.map(([, flag]) => flag).join(", ")} must be given${stack === undefined ? ", or the name of a stack that has them as outputs" : `: the stack ${stack} has no such output`}.`,
    );
  }
  const { sessionDuration: sessionSeconds, pod } = options;
  if (sessionSeconds !== undefined && !Number.isInteger(sessionSeconds)) {
    throw new Error("--session-duration must be a whole number of seconds.");
  }
  // A stack's lister lists buckets; what another ServiceAccount's workload does only its owner knows.
  const lister = stack !== undefined && serviceAccount === text("serviceAccount");
  const actions = options.action.length === 0 && lister ? ["s3:ListAllMyBuckets"] : options.action;
  return {
    patient: { cluster, region, namespace, serviceAccount, pod, actions, sessionSeconds },
    kubeconfig: text("kubeconfig"),
  };
}

/** Outputs of a stack of this program, secrets in clear: the kubeconfig is one. */
async function outputsOf(stackName: string): Promise<Record<string, unknown>> {
  const { LocalWorkspace } = await import("@pulumi/pulumi/automation/index.js");
  const { project } = await import("../config.ts");
  const stack = await LocalWorkspace.selectStack({
    stackName,
    projectName: project,
    program: async () => {},
  });
  return Object.fromEntries(Object.entries(await stack.outputs()).map(([name, { value }]) => [name, value]));
}

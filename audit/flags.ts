import { kubeconfigOf, type StackOutputs } from "../doctor/options.ts";
import { type Severity, severities } from "./kinds.ts";
import { type Part, parts } from "./snapshot.ts";
import type { Target } from "./take.ts";

/** What the command line says. */
export interface Flags {
  readonly cluster?: string;
  readonly region?: string;
  readonly namespace: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly skip: readonly string[];
  readonly failOn: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly sarif?: string;
}

/**
 * What to look at: what the command line says, and what it leaves out by the outputs of the stack.
 *
 * @param kubeconfig text of the file that `--kubeconfig` names, where it names one.
 * @throws Error that names the flags which must be given, or the one that holds what it cannot.
 */
export function targetOf(
  flags: Flags,
  stack: StackOutputs | undefined,
  environment: NodeJS.ProcessEnv,
  kubeconfig?: string,
): Target & { readonly failOn: Severity } {
  const output = (name: string): string | undefined => {
    const value = stack?.outputs[name];
    return typeof value === "string" ? value : undefined;
  };
  const cluster = flags.cluster ?? output("clusterName");
  const region = flags.region ?? output("region") ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (!cluster || !region) {
    const missing = [...(cluster ? [] : ["--cluster"]), ...(region ? [] : ["--region"])].join(", ");
    throw new Error(
      `${missing} must be given${stack ? `: the stack ${stack.name} has no such output` : ", or the name of a stack that has them as outputs"}.`,
    );
  }
  const text = kubeconfig ?? kubeconfigOf(stack);
  return {
    cluster,
    region,
    ...(flags.namespace.length > 0 && { namespaces: flags.namespace }),
    ...(text !== undefined && { kubeconfig: text }),
    ...(flags.context !== undefined && { context: flags.context }),
    skip: flags.skip.map((one) => oneOf("--skip", one, parts)) satisfies Part[],
    failOn: oneOf("--fail-on", flags.failOn, severities),
  };
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Error(`${flag} holds ${value}; it may hold ${known.join(", ")}.`);
  return found;
}

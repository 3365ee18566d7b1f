import type { Patient } from "./chain.ts";

/** What the command line says. */
export interface Options {
  readonly cluster?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly region?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly pod?: string;
  readonly container: readonly string[];
  readonly action: readonly string[];
  readonly assumeRole?: string;
  readonly externalId?: string;
  readonly roleProfile?: string;
  readonly targetProfile?: string;
  readonly sessionDuration?: number;
  readonly json?: boolean;
  readonly html?: string;
}

/** A stack, and its outputs. */
export interface StackOutputs {
  readonly name: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

const flags = {
  cluster: "--cluster",
  region: "--region",
  namespace: "--namespace",
  serviceAccount: "--service-account",
} as const;

/**
 * Whom to look at: what the command line says, and what it leaves out by the outputs of the stack.
 *
 * @throws Error that names the flags which must be given, or the one that holds what it cannot.
 */
export function patientOf(
  options: Options,
  stack: StackOutputs | undefined,
  environment: NodeJS.ProcessEnv,
): Patient {
  const output = (name: string): string | undefined => {
    const value = stack?.outputs[name];
    return typeof value === "string" ? value : undefined;
  };
  const given = {
    cluster: options.cluster ?? output("clusterName"),
    region: options.region ?? output("region") ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
    namespace: options.namespace ?? output("namespace"),
    serviceAccount: options.serviceAccount ?? output("serviceAccount"),
  };
  const { cluster, region, namespace, serviceAccount } = given;
  if (!cluster || !region || !namespace || !serviceAccount) {
    const missing = Object.entries(flags).filter(([name]) => !given[name as keyof typeof flags]);
    const instead = stack
      ? `: the stack ${stack.name} has no such output`
      : ", or the name of a stack that has them as outputs";
    throw new Error(`${missing.map(([, flag]) => flag).join(", ")} must be given${instead}.`);
  }
  const { sessionDuration: sessionSeconds, pod, assumeRole, externalId, container } = options;
  const { roleProfile, targetProfile } = options;
  const ofStack = options.kubeconfig === undefined && kubeconfigOf(stack) !== undefined;
  const kubeconfig =
    options.kubeconfig || options.context || ofStack
      ? { file: options.kubeconfig, context: options.context, ofStack }
      : undefined;
  if (sessionSeconds !== undefined && !Number.isInteger(sessionSeconds)) {
    throw new Error("--session-duration must be a whole number of seconds.");
  }
  if (assumeRole !== undefined && !/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(assumeRole)) {
    throw new Error(`--assume-role holds ${assumeRole}; it must be a role's ARN.`);
  }
  const bad = options.action.find((one) => !/^[a-z0-9-]+:[a-z0-9*?]+(=.+)?$/i.test(one));
  if (bad !== undefined) {
    throw new Error(
      `--action holds ${bad}; it must be an action, s3:ListAllMyBuckets, or an action on a resource, s3:GetObject=arn:aws:s3:::bucket/*.`,
    );
  }
  // What is not the stack's own, the stack does not mend; nor is it known what it does in AWS.
  const own =
    stack !== undefined && namespace === output("namespace") && serviceAccount === output("serviceAccount");
  return {
    cluster,
    region,
    namespace,
    serviceAccount,
    pod,
    assumeRole,
    externalId,
    sessionSeconds,
    ...(own && { stack: stack.name }),
    ...(kubeconfig && { kubeconfig }),
    ...((roleProfile || targetProfile) && { profiles: { role: roleProfile, target: targetProfile } }),
    ...(container.length > 0 && { containers: container }),
    actions: options.action.length === 0 && own ? ["s3:ListAllMyBuckets"] : options.action,
  };
}

/** The stack's kubeconfig, where it has one. */
export const kubeconfigOf = (stack: StackOutputs | undefined): string | undefined => {
  const kubeconfig = stack?.outputs.kubeconfig;
  return typeof kubeconfig === "string" ? kubeconfig : undefined;
};

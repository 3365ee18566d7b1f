// What a person reads of an error that the engine, a provider or a service met: what was wrong, where, and what to do.

/** What went wrong with a resource, or with the whole. */
export interface Failure {
  /** The resource; absent where it is none's. */
  readonly urn?: string | undefined;
  /** What the engine or the provider said. */
  readonly reason: string;
}

interface Advice {
  /** Only of resources of this type. */
  readonly type?: string;
  readonly said: RegExp;
  /** What to do: sentences that follow what was said. */
  readonly todo?: (...groups: string[]) => string;
  /** Where what was said is of no use to a person: all of it in other words. */
  readonly instead?: (...groups: string[]) => string;
}

const signIn = "Sign in to AWS (`aws sso login`, or keys in the environment)";

/** The first that fits is taken. */
const advice: readonly Advice[] = [
  {
    // The program reads a ServiceAccount that it adopts before it patches it.
    type: "kubernetes:core/v1:ServiceAccount",
    said: /resource '([^/']+)\/([^']+)' does not exist/,
    instead: (namespace, name) =>
      `There is no ServiceAccount ${namespace}/${name} to adopt. Make it ` +
      `(\`kubectl create serviceaccount --namespace ${namespace} ${name}\`), or leave out \`adopt\`, and the stack makes it.`,
  },
  {
    said: /namespaces "([^"]+)" not found/,
    instead: (namespace) =>
      `There is no namespace ${namespace}. Make it (\`kubectl create namespace ${namespace}\`), or set ` +
      "`createNamespace: true` where it is named, and the stack makes it.",
  },
  {
    type: "kubernetes:core/v1:Namespace",
    said: /namespaces "[^"]+" already exists/,
    todo: () => "Set `createNamespace: false` where it is named, and the stack uses it as it is.",
  },
  {
    type: "kubernetes:core/v1:ServiceAccount",
    said: /serviceaccounts "[^"]+" already exists/,
    todo: () =>
      "Set `adopt: true` where it is bound, and the stack annotates it; or delete it, and the stack makes it.",
  },
  {
    said: /\w+(?:\.[\w.-]+)? "[^"]+" already exists/,
    todo: () => "It is not this stack's: delete it, or give it to the stack by `pulumi import`.",
  },
  {
    // The provider passes on what containers say, and not what the scheduler does.
    type: "kubernetes:apps/v1:Deployment",
    said: /timed out waiting to be Ready(?![\s\S]*\[Pod )/,
    todo: () =>
      "No pod of it says why, as where no node takes one: " +
      "`kubectl get events --all-namespaces --field-selector reason=FailedScheduling` has the scheduler's words.",
  },
  {
    type: "pulumi:pulumi:StackReference",
    said: /unknown stack "([^"]+)"|Stack '([^']+)' not found/,
    instead: (local, cloud) =>
      `There is no stack ${local ?? cloud} that you may read. \`pulumi stack ls --all\` lists those that there are; ` +
      "eks-irsa:cluster.stack takes one as organization/project/stack.",
  },
  {
    said: /ExpiredToken|security token included in the request is expired|SSO session .* expired/i,
    todo: () => `${signIn} again, then repeat it: what was done stays done.`,
  },
  {
    said: /No valid credential sources|NoCredentialProviders|Unable to locate credentials|failed to refresh cached credentials/i,
    todo: () => `There are no AWS credentials. ${signIn}, or name a profile in aws:profile.`,
  },
  {
    said: /is not authorized to perform:? ([\w-]+:\w+)/,
    todo: (action) => `Have ${action} allowed to whom it names, then repeat it.`,
  },
  {
    said: /User "([^"]*)" cannot (\w+) resource "([^"]+)"/,
    todo: (user, verb, resource) =>
      `Have a role of the cluster that may ${verb} ${resource} bound to ${user}, or an EKS access policy to its entry.`,
  },
  {
    said: /the server has asked for the client to provide credentials|\bUnauthorized\b/,
    todo: () =>
      "The cluster does not know whoever these AWS credentials are: give them an access entry " +
      "(eks-irsa:cluster.admins where a stack makes the cluster).",
  },
  {
    said: /The specified principalArn is invalid: invalid principal/,
    todo: () =>
      "There is no such role or user, or its ARN lacks the path, as that of a role of IAM Identity Center must have: " +
      "`aws iam get-role --role-name NAME` has the whole ARN.",
  },
  {
    said: /Cannot connect to the Docker daemon|docker daemon (is )?not running|failed to connect to the docker API/i,
    todo: () =>
      "Images are built with Docker, in a preview too: start it, or say in DOCKER_HOST where it is.",
  },
  {
    said: /cluster is unreachable|dial tcp:? .*(refused|timeout|no such host|no route)/i,
    todo: () =>
      "It must be reached from here: a private endpoint from its own network, or through a VPN that its security group lets in.",
  },
];

/** A failure in a person's words, on one line or more. */
export function explained({ urn, reason: said }: Failure): string {
  // The engine begins with what it was at, and with the whole URN.
  const reason = said.replace(/^\w+ing urn:\S+: /, "");
  const [, , types, name] = urn?.split("::") ?? [];
  const type = types?.split("$").at(-1);
  const of = type === undefined || type === "pulumi:pulumi:Stack" ? "" : `${type} ${name}: `;
  for (const { type: only, said: pattern, todo, instead } of advice) {
    const groups = only === undefined || only === type ? pattern.exec(reason)?.slice(1) : undefined;
    if (groups === undefined) continue;
    if (instead) return `${of}${instead(...groups)}`;
    return `${of}${withStop(oneLine(reason))} ${todo?.(...groups)}`;
  }
  return `${of}${reason}`;
}

/** What an SDK of AWS and a provider say, without the parts that only a log needs. */
const oneLine = (reason: string): string =>
  reason
    .replace(/\d+ errors? occurred:\s*\* /, "")
    .replace(/operation error .*? RequestID: [^,\s]*, (api error )?/s, "")
    .replace(/\s+/g, " ")
    .trim();

const withStop = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** What the engine says on its standard error of a call that failed, without the call's code and streams around it. */
export function saidBy(message: string): string {
  const said = /^\s*(?:stderr: )?error: ([\s\S]+?)(?=\n\s*(?:err\?:|stdout:|$))/m.exec(message)?.[1];
  return (said ?? message).trim();
}

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { logs } from "../../local/machine/paths.ts";

// What AWS and its agent were asked, and what they answered, from the log of local's servers: whatever becomes of a pod, each of
// its calls is there.

const file = join(logs, "services.log");

export interface Calls {
  /** Listings of buckets that were answered. */
  readonly listings: number;
  /** Answers to pods that are none: of S3, STS and the agent. */
  readonly refusals: readonly string[];
  /** How often each ServiceAccount of the namespace was given credentials. */
  readonly sessions: ReadonlyMap<string, number>;
}

/** Where the log ends now. */
export const endOfLog = (): number => statSync(file).size;

/** The calls since then. What the agent asks of its own accord, also for pods that are gone, is no call of a pod. */
export function callsSince(offset: number, namespace: string): Calls {
  const text = read(offset);
  let listings = 0;
  const refusals: string[] = [];
  const sessions = new Map<string, number>();
  for (const line of text.split("\n")) {
    const said = line.slice(line.indexOf(" ") + 1);
    if (/^aws: GET \/ 200 /.test(said)) listings += 1;
    else if (isRefusal(said)) refusals.push(line);
    const [, byToken, pod] =
      said.match(/: credentials for (?:system:serviceaccount:([^ ]+)|the pod ([^ ]+))$/) ?? [];
    // A pod is called as its ServiceAccount and Deployment are, and two random words.
    const of = byToken?.replace(":", "/") ?? pod?.replace(/-[^-]+-[^-]+$/, "");
    if (of?.startsWith(`${namespace}/`)) {
      const name = of.slice(namespace.length + 1);
      sessions.set(name, (sessions.get(name) ?? 0) + 1);
    }
  }
  return { listings, refusals, sessions };
}

/** How many calls of an engine, by which a binding goes from one mechanism to another, AWS has carried out since then. */
export const changesSince = (offset: number): number => read(offset).match(change)?.length ?? 0;

const change = / aws: \w+ (?:iam:UpdateAssumeRolePolicy|eks:(?:Create|Delete)PodIdentityAssociation) 200 /g;

/**
 * Whether a line of the log is an answer to a pod that is none. One that is `aborted` was broken off by whoever asked: at
 * once by a pod that ends; after a second and more by one that has waited too long.
 */
export const isRefusal = (said: string): boolean => refusal.test(said);
const refusal =
  /^(aws: (GET \/ (?!200 |aborted \d{1,3} ms)|AssumeRoleWithWebIdentity [^ ]+: (?!credentials for )|POST sts:(GetCallerIdentity|AssumeRole\w*) (?!200 |aborted \d{1,3} ms))|agent: Error )/;

function read(offset: number): string {
  const buffer = Buffer.alloc(statSync(file).size - offset);
  const descriptor = openSync(file, "r");
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, offset);
    return buffer.toString("utf8", 0, length);
  } finally {
    closeSync(descriptor);
  }
}

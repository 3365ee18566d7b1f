import { readdir, readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import type { V1Pod } from "@kubernetes/client-node";
import { irsaProofs } from "./irsa-proofs.ts";
import { isRefused } from "./lister-log.ts";
import { agentAddress } from "./machine/bridge.ts";
import { command } from "./machine/command.ts";
import { podIdentityProofs } from "./pod-identity-proofs.ts";
import { check, clientOf, type Proof, type ProofTarget } from "./proof-questions.ts";

export type { Proof, ProofTarget } from "./proof-questions.ts";

/**
 * Asks the live parts every question that the lister's mechanism, IRSA or EKS Pod Identity, must answer rightly: who gets
 * credentials, who does not, and what the credentials are good for.
 */
export async function prove(target: ProofTarget): Promise<Proof[]> {
  await untilReady(target);
  const { namespace, deployment: name } = target;
  const { spec } = await target.apps.readNamespacedDeployment({ namespace, name });
  const answers = isByPodIdentity(spec?.template) ? podIdentityProofs(target) : irsaProofs(target);
  const [first, asked, last] = await Promise.all([theRightPod(target), answers, noOtherCredentials(target)]);
  return [first, ...asked, last];
}

/** Whether a pod, or a template for pods, is one that EKS Pod Identity is to give its role. */
const isByPodIdentity = (pod: Pick<V1Pod, "metadata"> | undefined): boolean =>
  pod?.metadata?.annotations?.["eks-irsa/identity"] === "pod-identity";

/** What the lister's own page says: who it is, what it listed, and when. */
interface Listing {
  identity: string;
  listedAt: string;
  buckets: { name: string }[];
}

async function theRightPod(target: ProofTarget): Promise<Proof> {
  const role = target.roleArn.replace(/^.*\//, "");
  return check("the pod lists the buckets as its role", `${role}: every bucket of the account`, async () => {
    const wrong = await rolloutFault(target);
    if (wrong !== undefined) return wrong;
    const pod = await readyPod(target);
    const listing = await newListing(pod, target);
    const all = await new S3Client({ ...clientOf(target, target.admin), forcePathStyle: true }).send(
      new ListBucketsCommand({}),
    );
    const missing = (all.Buckets ?? [])
      .map((bucket) => bucket.Name)
      .filter((name) => !listing.buckets.some((one) => one.name === name));
    const who = /:assumed-role\/([^/]+)\//.exec(listing.identity)?.[1] ?? listing.identity;
    if (listing.buckets.length === 0) return `${who}: no bucket`;
    return missing.length === 0
      ? `${who}: every bucket of the account`
      : `${who}: all but ${missing.join(", ")}`;
  });
}

/** Looks into the running container from outside: its environment, its files, its network. */
function noOtherCredentials(target: ProofTarget): Promise<Proof> {
  return check("the pod's other credentials", "none", async () => {
    const pod = await theReadyPod(target);
    const pid = await processOf(pod.metadata?.uid ?? "");
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    const own = isByPodIdentity(pod)
      ? agentVariables
      : [...webIdentityVariables, ...((await holdsWebIdentity(target)) ? agentVariables : [])];
    const found = environment
      .map((entry) => entry.split("=")[0] ?? "")
      .filter((name) => leadsToCredentials.test(name) && !own.includes(name));
    for (const path of ["root/.aws", ".aws", "var/run/secrets/kubernetes.io", "run/secrets/kubernetes.io"]) {
      if (await stat(`/proc/${pid}/root/${path}`).catch(() => undefined)) found.push(`/${path}`);
    }
    // The node's role would come from the instance metadata service.
    const reached = await command(
      "nsenter",
      [`--net=/proc/${pid}/ns/net`, process.execPath, "-e", askMetadata],
      { log: "proofs" },
    );
    if (reached.trim() !== "unreachable") found.push("instance metadata");
    return found.join(", ") || "none";
  });
}

/**
 * Whether the pods' template itself holds the web identity, as on the way between the mechanisms: it wins over what an
 * association that is still there has given.
 */
async function holdsWebIdentity({ apps, namespace, deployment: name }: ProofTarget): Promise<boolean> {
  const { spec } = await apps.readNamespacedDeployment({ namespace, name });
  const variables = spec?.template.spec?.containers.flatMap(({ env = [] }) => env) ?? [];
  return variables.some((one) => one.name === "AWS_WEB_IDENTITY_TOKEN_FILE");
}

const webIdentityVariables = ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];
const agentVariables = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
const leadsToCredentials =
  /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|ROLE_ARN|WEB_IDENTITY_.*|CONTAINER_.*|.*CREDENTIALS.*)$/;

const askMetadata = `
const socket = require("node:net").connect({ host: "169.254.169.254", port: 80, timeout: 1000 });
const say = (what) => { console.log(what); process.exit(0); };
socket.on("connect", () => say("reached")).on("error", () => say("unreachable")).on("timeout", () => say("unreachable"));
`;

/** Seconds that a pod may need to list again after its permissions were mended: IAM takes up to a minute on AWS too. */
const recoverySeconds = 60;

/**
 * Waits until the lister's pods are as they should be, or AWS refuses the newest; the proofs then say it if they did not
 * come to be.
 */
async function untilReady(target: ProofTarget): Promise<void> {
  const deadline = Date.now() + recoverySeconds * 1000;
  while ((await rolloutFault(target)) !== undefined && Date.now() < deadline) {
    if (await isNewestRefused(target)) return;
    await sleep(500);
  }
}

async function isNewestRefused(target: ProofTarget): Promise<boolean> {
  const { core, namespace, since } = target;
  const name = (await listerPods(target))[0]?.metadata?.name;
  if (name === undefined) return false;
  // There is none before its container has started.
  const log = await core.readNamespacedPodLog({ namespace, name, tailLines: 100 }).catch(() => "");
  return isRefused(log.split("\n"), since);
}

/**
 * What is wrong with the lister's pods; undefined where all that are wanted are ready, of the newest template, and run as
 * the role that the outputs say.
 */
export async function rolloutFault(
  target: Pick<ProofTarget, "core" | "apps" | "namespace" | "deployment" | "roleArn">,
): Promise<string | undefined> {
  const { namespace, deployment: name } = target;
  const { metadata, spec, status } = await target.apps.readNamespacedDeployment({ namespace, name });
  const wanted = spec?.replicas ?? 1;
  const pods = await listerPods(target);
  const ready = pods.filter(isReady);
  if (status?.observedGeneration !== metadata?.generation || status?.updatedReplicas !== wanted) {
    return "a rollout is under way";
  }
  if (ready.length < wanted || pods.length > wanted) return `${ready.length} of ${wanted} pods ready`;
  const roles = ready.map((pod) => roleOf(pod).replace(/^.*\//, ""));
  const other = roles.find((role) => role !== target.roleArn.replace(/^.*\//, ""));
  return other === undefined ? undefined : `${other}, which the pod was admitted with`;
}

/** The role that a pod was admitted with. To the agent of Pod Identity it brings its token, and the annotation says which. */
function roleOf(pod: V1Pod): string {
  if (!isByPodIdentity(pod)) return awsVariable(pod, "AWS_ROLE_ARN") ?? "no role";
  const agent = awsVariable(pod, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  return agent?.includes(agentAddress) ? (pod.metadata?.annotations?.["eks-irsa/role-arn"] ?? "") : "no role";
}

const awsVariable = (pod: V1Pod, name: string): string | undefined =>
  pod.spec?.containers[0]?.env?.find((variable) => variable.name === name)?.value;

/** Seconds to wait for the next listing. Local's lister lists every 5 s unless told otherwise. */
const listingSeconds = 30;

/** What a pod has listed since then. @throws Error when it lists too seldom, or may not. */
async function newListing(pod: { ip: string }, target: ProofTarget): Promise<Listing> {
  const { since } = target;
  const deadline = Date.now() + listingSeconds * 1000;
  for (;;) {
    const response = await fetch(`http://${pod.ip}:8080/buckets`, { signal: AbortSignal.timeout(5000) });
    const listing = (await response.json()) as Listing;
    if (new Date(listing.listedAt) >= since) return listing;
    const refused = await isNewestRefused(target);
    if (refused || Date.now() > deadline) {
      throw new Error(`no listing since ${since.toISOString()}${refused ? ": AccessDenied" : ""}`);
    }
    await sleep(500);
  }
}

/** The pods of the lister that are to stay, the newest first. */
export async function listerPods({
  core,
  namespace,
  deployment,
}: Pick<ProofTarget, "core" | "namespace" | "deployment">): Promise<V1Pod[]> {
  const labelSelector = `app.kubernetes.io/instance=${deployment}`;
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  const made = ({ metadata }: V1Pod): number => metadata?.creationTimestamp?.getTime() ?? 0;
  return items
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .sort((one, other) => made(other) - made(one));
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;

/** A pod of the lister that is ready. */
export async function readyPod(
  target: Pick<ProofTarget, "core" | "namespace" | "deployment">,
): Promise<{ name: string; uid: string; ip: string }> {
  const { metadata, status } = await theReadyPod(target);
  return { name: metadata?.name ?? "", uid: metadata?.uid ?? "", ip: status?.podIP ?? "" };
}

async function theReadyPod(target: Pick<ProofTarget, "core" | "namespace" | "deployment">): Promise<V1Pod> {
  const pod = (await listerPods(target)).find(isReady);
  if (!pod?.metadata?.name || !pod.metadata.uid || !pod.status?.podIP) throw new Error("no pod is ready");
  return pod;
}

/** The lister's process in a pod: the one in the pod's cgroup that is not the pause container. */
export async function processOf(podUid: string): Promise<string> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const cgroup = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
    if (!cgroup.includes(podUid)) continue;
    const arguments_ = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (arguments_[0] !== "" && !arguments_[0]?.endsWith("/pause")) return pid;
  }
  throw new Error(`no process of pod ${podUid} runs`);
}

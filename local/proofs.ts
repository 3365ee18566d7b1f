import { randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateRoleCommand, DeleteRoleCommand, IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AppsV1Api, CoreV1Api, V1Pod } from "@kubernetes/client-node";
import {
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  importPKCS8,
  type JWTPayload,
  SignJWT,
} from "jose";
import { trustPolicy } from "../iam/trust-policy.ts";
import { command } from "./machine/command.ts";

/** One thing that must hold, and what was seen. */
export interface Proof {
  name: string;
  /** What AWS would answer. */
  expected: string;
  /** What the live parts answered. */
  got: string;
  ok: boolean;
}

/** The live parts that the proofs ask. */
export interface ProofTarget {
  /** URL of the AWS front door. */
  endpoint: string;
  region: string;
  /** Credentials of the account's administrator. */
  admin: { accessKeyId: string; secretAccessKey: string };
  core: CoreV1Api;
  apps: AppsV1Api;
  /** What the pods did before this moment proves nothing. */
  since: Date;
  /** The cluster's own key for ServiceAccount tokens, PKCS #8 PEM: to forge what only its owner could. */
  signingKey: string;
  roleArn: string;
  oidcProviderArn: string;
  namespace: string;
  serviceAccount: string;
  /** Name of the lister's Deployment. */
  deployment: string;
}

const audience = "sts.amazonaws.com";
const refused = {
  notAuthorized: "AccessDenied",
  invalid: "InvalidIdentityToken",
  expired: "ExpiredTokenException",
} as const;

/**
 * Asks the live parts every question that IRSA must answer rightly: who gets credentials, who does not, and what the
 * credentials are good for. Makes a namespace, a ServiceAccount and a role to ask with, and removes them.
 */
export async function prove(target: ProofTarget): Promise<Proof[]> {
  await untilReady(target);
  const suffix = randomBytes(4).toString("hex");
  const other = { namespace: `proof-${suffix}`, serviceAccount: `proof-${suffix}`, role: `proof-${suffix}` };
  const { core, namespace, serviceAccount } = target;
  const iam = new IAMClient(clientOf(target, target.admin));
  try {
    await core.createNamespace({ body: { metadata: { name: other.namespace } } });
    await core.createNamespacedServiceAccount({
      namespace: other.namespace,
      body: { metadata: { name: serviceAccount } },
    });
    await core.createNamespacedServiceAccount({
      namespace,
      body: { metadata: { name: other.serviceAccount } },
    });
    const stranger = await iam.send(
      new CreateRoleCommand({
        RoleName: other.role,
        AssumeRolePolicyDocument: JSON.stringify(
          trustPolicy({
            oidcProviderArn: target.oidcProviderArn,
            namespace: "kube-system",
            serviceAccount: "nobody",
          }),
        ),
      }),
    );

    const good = await mint(core, namespace, serviceAccount);
    const header = decodeProtectedHeader(good);
    const claims = decodeJwt(good);
    const clusterKey = await importPKCS8(target.signingKey, "RS256");
    const strangersKey = (await generateKeyPair("RS256")).privateKey;
    const sign = (payload: JWTPayload, key: Parameters<SignJWT["sign"]>[0]) =>
      new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: header.kid }).sign(key);
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;

    const answers = await Promise.all([
      theRightPod(target),
      answer(target, "the right ServiceAccount", "credentials", good),
      answer(
        target,
        "the same claims, signed by the cluster",
        "credentials",
        await sign(claims, clusterKey), // so that the forgeries below fail for what they forge, not for being made here
      ),
      answer(
        target,
        "another namespace",
        refused.notAuthorized,
        await mint(core, other.namespace, serviceAccount),
      ),
      answer(
        target,
        "another ServiceAccount",
        refused.notAuthorized,
        await mint(core, namespace, other.serviceAccount),
      ),
      answer(
        target,
        "a wrong audience",
        refused.invalid,
        await mint(core, namespace, serviceAccount, "https://kubernetes.default.svc"),
      ),
      answer(
        target,
        "an expired token",
        refused.expired,
        await sign({ ...claims, iat: hourAgo - 3600, nbf: hourAgo - 3600, exp: hourAgo }, clusterKey),
      ),
      answer(target, "a token signed by another key", refused.invalid, await sign(claims, strangersKey)),
      answer(target, "alg: none", refused.invalid, unsigned(claims)),
      answer(
        target,
        "an unregistered issuer",
        refused.invalid,
        await sign(
          { ...claims, iss: `https://oidc.eks.${target.region}.amazonaws.com/id/${"0".repeat(32)}` },
          clusterKey,
        ),
      ),
      answer(
        target,
        "a role that does not trust the ServiceAccount",
        refused.notAuthorized,
        good,
        required(stranger.Role?.Arn, "CreateRole's answer has no ARN"),
      ),
      anActionNotGranted(target, good),
      noOtherCredentials(target),
    ]);
    return answers;
  } finally {
    await Promise.allSettled([
      core.deleteNamespace({ name: other.namespace }),
      core.deleteNamespacedServiceAccount({ namespace, name: other.serviceAccount }),
      iam.send(new DeleteRoleCommand({ RoleName: other.role })),
    ]);
  }
}

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
    const listing = await newListing(pod, target.since);
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

function answer(
  target: ProofTarget,
  name: string,
  expected: string,
  token: string,
  roleArn = target.roleArn,
): Promise<Proof> {
  return check(name, expected, async () => {
    const sts = new STSClient({ ...clientOf(target, { accessKeyId: "none", secretAccessKey: "none" }) });
    const result = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: "proof",
        WebIdentityToken: token,
      }),
    );
    return result.Credentials?.SecretAccessKey ? "credentials" : "no credentials";
  });
}

function anActionNotGranted(target: ProofTarget, token: string): Promise<Proof> {
  return check("the role's credentials, for iam:ListUsers", "AccessDenied", async () => {
    const sts = new STSClient(clientOf(target, { accessKeyId: "none", secretAccessKey: "none" }));
    const { Credentials } = await sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: target.roleArn,
        RoleSessionName: "proof",
        WebIdentityToken: token,
      }),
    );
    const iam = new IAMClient(
      clientOf(target, {
        accessKeyId: required(Credentials?.AccessKeyId, "STS's answer has no access key"),
        secretAccessKey: required(Credentials?.SecretAccessKey, "STS's answer has no secret access key"),
        sessionToken: required(Credentials?.SessionToken, "STS's answer has no session token"),
      }),
    );
    await iam.send(new ListUsersCommand({}));
    return "allowed";
  });
}

/** Looks into the running container from outside: its environment, its files, its network. */
function noOtherCredentials(target: ProofTarget): Promise<Proof> {
  return check("the pod's other credentials", "none", async () => {
    const { uid } = await readyPod(target);
    const pid = await processOf(uid);
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    const found = environment
      .map((entry) => entry.split("=")[0] ?? "")
      .filter((name) =>
        /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|CONTAINER_.*|.*CREDENTIALS.*)$/.test(
          name,
        ),
      );
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

const askMetadata = `
const socket = require("node:net").connect({ host: "169.254.169.254", port: 80, timeout: 1000 });
const say = (what) => { console.log(what); process.exit(0); };
socket.on("connect", () => say("reached")).on("error", () => say("unreachable")).on("timeout", () => say("unreachable"));
`;

/** A question to the live parts; an error of AWS is its code. */
async function check(name: string, expected: string, ask: () => Promise<string>): Promise<Proof> {
  const got = await ask().catch((error: Error & { Code?: string }) => {
    // `Code` is what was on the wire; `name` may be the SDK's own word for it.
    return error.Code ?? (error.name === "Error" ? error.message : error.name);
  });
  return { name, expected, got, ok: got === expected };
}

/** What an answer must have in it: an empty text in its place would be refused too, and prove nothing. */
function required<T>(value: T | undefined, lack: string): T {
  if (value === undefined) throw new Error(lack);
  return value;
}

/** A token for a ServiceAccount, signed by the cluster, as the kubelet asks for it. */
async function mint(
  core: CoreV1Api,
  namespace: string,
  name: string,
  forAudience = audience,
): Promise<string> {
  const request = await core.createNamespacedServiceAccountToken({
    namespace,
    name,
    body: { spec: { audiences: [forAudience], expirationSeconds: 600 } },
  });
  return required(request.status?.token, "the API server's answer has no token");
}

function unsigned(claims: JWTPayload): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

/** Seconds that a pod may need to list again after its permissions were mended: IAM takes up to a minute on AWS too. */
const recoverySeconds = 60;

/** Waits until the lister's pods are as they should be; the proofs then say it if they did not come to be. */
async function untilReady(target: ProofTarget): Promise<void> {
  const deadline = Date.now() + recoverySeconds * 1000;
  while ((await rolloutFault(target)) !== undefined && Date.now() < deadline) await sleep(500);
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
  const roles = ready.map((pod) => (awsVariable(pod, "AWS_ROLE_ARN") ?? "no role").replace(/^.*\//, ""));
  const other = roles.find((role) => role !== target.roleArn.replace(/^.*\//, ""));
  return other === undefined ? undefined : `${other}, which the pod was admitted with`;
}

const awsVariable = (pod: V1Pod, name: string): string | undefined =>
  pod.spec?.containers[0]?.env?.find((variable) => variable.name === name)?.value;

/** Seconds to wait for the next listing. Local's lister lists every 5 s unless told otherwise. */
const listingSeconds = 30;

/** What a pod has listed since then. @throws Error when it lists too seldom, or cannot. */
async function newListing(pod: { ip: string }, since: Date): Promise<Listing> {
  const deadline = Date.now() + listingSeconds * 1000;
  for (;;) {
    const response = await fetch(`http://${pod.ip}:8080/buckets`, { signal: AbortSignal.timeout(5000) });
    const listing = (await response.json()) as Listing;
    if (new Date(listing.listedAt) >= since) return listing;
    if (Date.now() > deadline) throw new Error(`no listing since ${since.toISOString()}`);
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
  const pod = (await listerPods(target)).find(isReady);
  if (!pod?.metadata?.name || !pod.metadata.uid || !pod.status?.podIP) throw new Error("no pod is ready");
  return { name: pod.metadata.name, uid: pod.metadata.uid, ip: pod.status.podIP };
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

function clientOf(
  target: ProofTarget,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
) {
  return { endpoint: target.endpoint, region: target.region, credentials, maxAttempts: 1 };
}

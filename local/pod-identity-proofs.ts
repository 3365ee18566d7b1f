import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreatePodIdentityAssociationCommand,
  DeletePodIdentityAssociationCommand,
  EKSClient,
} from "@aws-sdk/client-eks";
import { CreateRoleCommand, DeleteRoleCommand, IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import {
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  importPKCS8,
  type JWTPayload,
  SignJWT,
} from "jose";
import { podIdentityTrustPolicy } from "../iam/trust-policy.ts";
import { assumeRoleForPodIdentity, EksAuthError } from "./eks/eks-auth-client.ts";
import { agentAddress, agentPort } from "./machine/bridge.ts";
import {
  type Bound,
  check,
  clientOf,
  mint,
  type Proof,
  type ProofTarget,
  required,
  unsigned,
} from "./proof-questions.ts";

const audience = "pods.eks.amazonaws.com";
const refused = {
  notAuthorized: "AccessDeniedException",
  notAssociated: "ResourceNotFoundException",
  invalid: "InvalidTokenException",
  expired: "ExpiredTokenException",
} as const;

/**
 * Asks who gets credentials of the agent and of EKS Auth for a pod's token, who does not, and what the credentials are good
 * for. Makes pods that never run, ServiceAccounts, a namespace, a role and an association to ask with, and removes them.
 */
export async function podIdentityProofs(target: ProofTarget): Promise<Proof[]> {
  const { core, namespace, serviceAccount, clusterName } = target;
  const unique = `proof-${randomBytes(4).toString("hex")}`;
  const iam = new IAMClient(clientOf(target, target.admin));
  const eks = new EKSClient(clientOf(target, target.admin));
  let associationId: string | undefined;
  try {
    await core.createNamespace({ body: { metadata: { name: unique } } });
    const right = { namespace, name: serviceAccount };
    const otherNamespace = { namespace: unique, name: serviceAccount };
    const otherAccount = { namespace, name: unique };
    const strangersAccount = { namespace: unique, name: unique };
    for (const { namespace, name } of [otherNamespace, otherAccount, strangersAccount]) {
      await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
    }
    const stranger = await iam.send(
      new CreateRoleCommand({
        RoleName: unique,
        AssumeRolePolicyDocument: JSON.stringify(
          podIdentityTrustPolicy([{ namespace: "kube-system", serviceAccount: "nobody" }]),
        ),
      }),
    );
    const made = await eks.send(
      new CreatePodIdentityAssociationCommand({
        clusterName,
        namespace: strangersAccount.namespace,
        serviceAccount: strangersAccount.name,
        roleArn: required(stranger.Role?.Arn, "CreateRole's answer has no ARN"),
      }),
    );
    associationId = made.association?.associationId;

    /** A token of a pod under a ServiceAccount. */
    const tokenOf = async (account: { namespace: string; name: string }, forAudience = audience) =>
      mint(
        core,
        account,
        forAudience,
        await waitingPod(target, account, `${unique}-${randomBytes(2).toString("hex")}`),
      );
    const good = await tokenOf(right);
    const claims = decodeJwt(good);
    const { kid } = decodeProtectedHeader(good);
    const clusterKey = await importPKCS8(target.signingKey, "RS256");
    const strangersKey = (await generateKeyPair("RS256")).privateKey;
    const sign = (payload: JWTPayload, key: Parameters<SignJWT["sign"]>[0]) =>
      new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid }).sign(key);
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;
    const answer = (name: string, expected: string, token: string): Promise<Proof> =>
      check(name, expected, async () => {
        await assumeRoleForPodIdentity(clusterName, token, { ...target, credentials: target.admin });
        return "credentials";
      });

    return await Promise.all([
      check("a pod's token, to the agent", "credentials", async () =>
        (await askAgent(good)).SecretAccessKey ? "credentials" : "no credentials",
      ),
      answer("the same claims, signed by the cluster", "credentials", await sign(claims, clusterKey)),
      answer("a pod of another namespace", refused.notAssociated, await tokenOf(otherNamespace)),
      answer("a pod of another ServiceAccount", refused.notAssociated, await tokenOf(otherAccount)),
      answer("a wrong audience", refused.invalid, await tokenOf(right, "sts.amazonaws.com")),
      answer("a token that is bound to no pod", refused.invalid, await mint(core, right, audience)),
      answer(
        "an expired token",
        refused.expired,
        await sign({ ...claims, iat: hourAgo - 3600, nbf: hourAgo - 3600, exp: hourAgo }, clusterKey),
      ),
      answer("a token signed by another key", refused.invalid, await sign(claims, strangersKey)),
      // An empty signature breaks the model already.
      answer("alg: none", refused.invalid, unsigned(claims, "AAAA")),
      answer(
        "another issuer",
        refused.invalid,
        await sign(
          { ...claims, iss: `https://oidc.eks.${target.region}.amazonaws.com/id/${"0".repeat(32)}` },
          clusterKey,
        ),
      ),
      check("a role that does not trust the ServiceAccount", refused.notAuthorized, async () => {
        const token = await tokenOf(strangersAccount);
        const ask = () =>
          assumeRoleForPodIdentity(clusterName, token, { ...target, credentials: target.admin });
        await onceAssociated(ask);
        return "credentials";
      }),
      anActionNotGranted(target, good),
    ]);
  } finally {
    await Promise.allSettled([
      associationId === undefined
        ? undefined
        : eks.send(new DeletePodIdentityAssociationCommand({ clusterName, associationId })),
      core.deleteNamespace({ name: unique }),
      core.deleteCollectionNamespacedPod({ namespace, labelSelector: `eks-irsa/proof=${unique}` }),
      core.deleteNamespacedServiceAccount({ namespace, name: unique }),
      iam.send(new DeleteRoleCommand({ RoleName: unique })),
    ]);
  }
}

/** A pod that is there and waits for a gate which nobody opens: a token can be bound to it, and no node runs it. */
async function waitingPod(
  { core }: ProofTarget,
  account: { namespace: string; name: string },
  name: string,
): Promise<Bound> {
  const { namespace, name: serviceAccountName } = account;
  const pod = await core.createNamespacedPod({
    namespace,
    body: {
      metadata: { name, labels: { "eks-irsa/proof": name.replace(/-[^-]*$/, "") } },
      spec: {
        serviceAccountName,
        schedulingGates: [{ name: "eks-irsa/proof" }],
        containers: [{ name: "none", image: "none" }],
      },
    },
  });
  return { name, uid: required(pod.metadata?.uid, "the API server's answer has no uid") };
}

/** Seconds in which an association takes effect at the latest. */
const effectSeconds = 30;

/** Asks until EKS Auth knows of the association that was just made. */
async function onceAssociated(ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + effectSeconds * 1000;
  for (;;) {
    const error = await ask().then(
      () => undefined,
      (refusal: unknown) => refusal,
    );
    const notYet = error instanceof EksAuthError && error.code === refused.notAssociated;
    if (error === undefined) return;
    if (!notYet || Date.now() > deadline) throw error;
    await sleep(500);
  }
}

interface ContainerCredentials {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token: string;
}

/** @throws Error with what the agent says. */
async function askAgent(token: string): Promise<ContainerCredentials> {
  const response = await fetch(`http://${agentAddress}:${agentPort}/v1/credentials`, {
    headers: { authorization: token },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).trim()}`);
  return (await response.json()) as ContainerCredentials;
}

function anActionNotGranted(target: ProofTarget, token: string): Promise<Proof> {
  return check("the role's credentials, for iam:ListUsers", "AccessDenied", async () => {
    const { AccessKeyId, SecretAccessKey, Token } = await askAgent(token);
    const session = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
    await new IAMClient(clientOf(target, session)).send(new ListUsersCommand({}));
    return "allowed";
  });
}

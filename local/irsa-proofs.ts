import { randomBytes } from "node:crypto";
import { CreateRoleCommand, DeleteRoleCommand, IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import {
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  importPKCS8,
  type JWTPayload,
  SignJWT,
} from "jose";
import { trustPolicy } from "../iam/trust-policy.ts";
import {
  check,
  clientOf,
  mint,
  type Proof,
  type ProofTarget,
  required,
  unsigned,
} from "./proof-questions.ts";

const audience = "sts.amazonaws.com";
/** The swap of a token is not signed. */
const nobody = { accessKeyId: "none", secretAccessKey: "none" };
const refused = {
  notAuthorized: "AccessDenied",
  invalid: "InvalidIdentityToken",
  expired: "ExpiredTokenException",
} as const;

/**
 * Asks who gets credentials of STS for a token of the cluster, who does not, and what the credentials are good for. Makes a
 * namespace, a ServiceAccount and a role to ask with, and removes them.
 */
export async function irsaProofs(target: ProofTarget): Promise<Proof[]> {
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

    const good = await mint(core, { namespace, name: serviceAccount }, audience);
    const header = decodeProtectedHeader(good);
    const claims = decodeJwt(good);
    const clusterKey = await importPKCS8(target.signingKey, "RS256");
    const strangersKey = (await generateKeyPair("RS256")).privateKey;
    const sign = (payload: JWTPayload, key: Parameters<SignJWT["sign"]>[0]) =>
      new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: header.kid }).sign(key);
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;

    return await Promise.all([
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
        await mint(core, { namespace: other.namespace, name: serviceAccount }, audience),
      ),
      answer(
        target,
        "another ServiceAccount",
        refused.notAuthorized,
        await mint(core, { namespace, name: other.serviceAccount }, audience),
      ),
      answer(
        target,
        "a wrong audience",
        refused.invalid,
        await mint(core, { namespace, name: serviceAccount }, "https://kubernetes.default.svc"),
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
    ]);
  } finally {
    await Promise.allSettled([
      core.deleteNamespace({ name: other.namespace }),
      core.deleteNamespacedServiceAccount({ namespace, name: other.serviceAccount }),
      iam.send(new DeleteRoleCommand({ RoleName: other.role })),
    ]);
  }
}

function answer(
  target: ProofTarget,
  name: string,
  expected: string,
  token: string,
  roleArn = target.roleArn,
): Promise<Proof> {
  return check(name, expected, async () => {
    const sts = new STSClient(clientOf(target, nobody));
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
    const sts = new STSClient(clientOf(target, nobody));
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

import type { RoleSession } from "../../../local/aws/eks-auth.ts";
import type {
  Assumption,
  PodIdentityAssociation,
  PodIdentityEnvironment,
} from "../../../local/aws/podidentity.ts";
import { accountId, issuer, now, type Signer, sign, subject } from "./tokens.ts";

// A pod of a cluster, its token, and what EKS Auth looks up for it.

export const cluster = "irsa";
export const podRoleArn = `arn:aws:iam::${accountId}:role/team/app`;
export const podAudience = "pods.eks.amazonaws.com";
export const pod = { name: "s3-lister-5d8f7c6b9-x2x4z", uid: "3f6c0e6a-0000-4000-8000-000000000001" };

/** A token as the kubelet projects it into a pod, with what the test changes. */
export const podToken = (
  by: Signer,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> => sign(by, { ...podClaims, ...claims }, header);

export const podClaims = {
  sub: subject,
  aud: [podAudience],
  "kubernetes.io": {
    namespace: "default",
    pod,
    serviceaccount: { name: "s3-irsa", uid: "3f6c0e6a-0000-4000-8000-000000000002" },
  },
};

export const podTrust = (statement: Record<string, unknown> = {}): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        ...statement,
      },
    ],
  });

const association: PodIdentityAssociation = {
  id: "a-1",
  arn: `arn:aws:eks:eu-central-1:${accountId}:podidentityassociation/${cluster}/a-1`,
  roleArn: podRoleArn,
  disableSessionTags: false,
};

/** A cluster with one association, and the role of that. */
export function podEnvironment(
  by: Signer,
  changes: Partial<PodIdentityEnvironment> & {
    trustPolicy?: string;
    associated?: Partial<PodIdentityAssociation>;
  } = {},
): PodIdentityEnvironment {
  const role = { arn: podRoleArn, trustPolicy: changes.trustPolicy ?? podTrust(), maxSessionSeconds: 3600 };
  return {
    accountId,
    region: "eu-central-1",
    issuer: async (name) => (name === cluster ? issuer : undefined),
    keys: async () => by.keys,
    isCurrent: async () => true,
    association: async (name, namespace, serviceAccount) =>
      `${name}/${namespace}/${serviceAccount}` === `${cluster}/default/s3-irsa`
        ? { ...association, ...changes.associated }
        : undefined,
    role: async (name) => (name === "app" ? role : undefined),
    now: () => new Date(now * 1000),
    ...changes,
  };
}

/** A session as MiniStack would give it. */
export const assumed = ({ roleArn, roleSessionName }: Assumption, as?: RoleSession): RoleSession => ({
  accessKeyId: as ? "ASIATARGET" : "ASIAPOD",
  secretAccessKey: "secret",
  sessionToken: "session",
  expiration: new Date((now + 3600) * 1000),
  arn: `arn:aws:sts::${roleArn.split(":")[4]}:assumed-role/${roleArn.split("/").at(-1)}/${roleSessionName}`,
  assumedRoleId: `AROA:${roleSessionName}`,
});

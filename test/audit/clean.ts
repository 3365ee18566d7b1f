import type {
  Association,
  AuditedPod,
  AuditedWorkload,
  RoleDetail,
  ServiceAccount,
  Snapshot,
} from "../../audit/snapshot.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { issuer, oidcProviderArn } from "../mocks.ts";

// A cluster in which all is well, as an audit sees it, and the parts that a test changes of it.

export const accountId = "111122223333";
export const region = "eu-central-1";
const taken = new Date("2026-11-24T12:00:00Z");
const recently = new Date("2026-11-23T12:00:00Z");
export const annotation = "eks.amazonaws.com/role-arn";
export const arnOf = (name: string): string => `arn:aws:iam::${accountId}:role/${name}`;
export { issuer, oidcProviderArn };

/** A change of one thing in a list or an object that the types of the product say is not changed. */
export type Mutable<T> = T extends Date
  ? T
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
export type World = Mutable<Snapshot>;

export const document = (...statements: object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
export const allow = (Action: string | string[], Resource: string | string[] = "*", more: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});

export const role = (name: string, more: Partial<RoleDetail> = {}): Mutable<RoleDetail> => ({
  name,
  arn: arnOf(name),
  trustPolicy: JSON.stringify(trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: name })),
  created: new Date("2026-01-01T00:00:00Z"),
  lastUsed: recently,
  inline: [{ name: "read", document: document(allow("s3:GetObject", "arn:aws:s3:::invoices/*")) }],
  attached: [],
  profiles: [],
  ...(more as object),
});

export const account = (name: string, annotations: Record<string, string> = {}): Mutable<ServiceAccount> => ({
  namespace: "team-a",
  name,
  annotations,
  annotated: new Date("2026-10-01T00:00:00Z"),
});

const quiet = { hostNetwork: false, hostPid: false, privileged: [], hostPaths: [] };
export const pod = (serviceAccount: string, more: Partial<AuditedPod> = {}): Mutable<AuditedPod> => ({
  namespace: "team-a",
  name: `${serviceAccount}-5d9c-x7x2p`,
  serviceAccount,
  phase: "Running",
  created: new Date("2026-11-01T00:00:00Z"),
  owner: { kind: "deployment", name: serviceAccount, serviceAccount },
  node: "node-a",
  containers: [{ name: "app", roleArn: arnOf(serviceAccount), tokens: ["irsa"] }],
  skipped: [],
  ...quiet,
  ...(more as object),
});

export const workload = (name: string, more: Partial<AuditedWorkload> = {}): Mutable<AuditedWorkload> =>
  ({
    namespace: "team-a",
    kind: "deployment",
    name,
    serviceAccount: name,
    ...quiet,
    ...more,
  }) as Mutable<AuditedWorkload>;

export const association: Association = {
  id: "a-0123456789",
  namespace: "team-a",
  serviceAccount: "writer",
  roleArn: arnOf("writer"),
  created: new Date("2026-10-01T00:00:00Z"),
  sessionTags: true,
};

const nodeRole: Mutable<RoleDetail> = role("node", {
  trustPolicy: document({
    Effect: "Allow",
    Principal: { Service: "ec2.amazonaws.com" },
    Action: "sts:AssumeRole",
  }),
  inline: [],
  attached: ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"],
});

/**
 * team-a/reader by IRSA, team-a/writer by Pod Identity, team-a/idle with no identity; a node group that pods cannot take
 * the role of; CNI and agent in kube-system; a role of another team and one of AWS's that have nothing to do with it.
 */
export function cleanWorld(): World {
  const snapshot: Snapshot = {
    taken,
    region,
    accountId,
    cluster: {
      name: "dev",
      arn: `arn:aws:eks:${region}:${accountId}:cluster/dev`,
      issuer: `https://${issuer}`,
    },
    roles: [
      role("reader"),
      role("writer", {
        trustPolicy: JSON.stringify(
          podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "writer" }]),
        ),
        inline: [
          {
            name: "secret",
            document: document(
              allow(
                "secretsmanager:GetSecretValue",
                "arn:aws:secretsmanager:eu-central-1:111122223333:secret:writer-*",
              ),
            ),
          },
        ],
      }),
      nodeRole,
      role("ci", {
        trustPolicy: document({
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: "sts:AssumeRole",
        }),
        inline: [{ name: "all", document: document(allow("*")) }],
      }),
    ],
    documents: {
      "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy": document(
        allow(["ec2:DescribeInstances", "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"]),
      ),
      "arn:aws:iam::aws:policy/AmazonS3FullAccess": document(allow(["s3:*", "s3-object-lambda:*"])),
      "arn:aws:iam::aws:policy/AdministratorAccess": document(allow("*")),
    },
    providers: [{ arn: oidcProviderArn, url: issuer, audiences: ["sts.amazonaws.com"] }],
    issuers: [`https://${issuer}`],
    associations: [association],
    podIdentityAgent: true,
    nodeGroups: [
      {
        name: "default",
        kind: "node group",
        roleArn: arnOf("node"),
        hopLimit: 1,
        tokens: "required",
        template: "lt-0123",
      },
    ],
    serviceAccounts: [
      account("reader", { [annotation]: arnOf("reader") }),
      account("writer"),
      account("idle"),
      { ...account("default"), namespace: "team-b" },
    ],
    pods: [
      pod("reader"),
      pod("writer", { containers: [{ name: "app", tokens: ["pod-identity"] }] }),
      pod("aws-node", {
        namespace: "kube-system",
        owner: { kind: "daemonset", name: "aws-node", serviceAccount: "aws-node" },
        hostNetwork: true,
        privileged: ["aws-vpc-cni-init"],
        hostPaths: ["/var/run/aws-node"],
        containers: [{ name: "aws-node", tokens: [] }],
      }),
    ],
    workloads: [
      workload("reader"),
      workload("writer"),
      workload("aws-node", { namespace: "kube-system", kind: "daemonset", hostNetwork: true }),
    ],
    storedKeys: [],
    unseen: [],
    skipped: [],
  };
  return structuredClone(snapshot) as World;
}

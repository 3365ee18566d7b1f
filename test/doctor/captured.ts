import type { Finding, Patient } from "../../doctor/chain.ts";
import { type Diagnosis, diagnose } from "../../doctor/diagnosis.ts";
import type {
  Container,
  Iam,
  ImageFile,
  Pod,
  PodIdentityAssociation,
  Role,
  StsAnswer,
  World,
} from "../../doctor/world.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { oidcProviderArn, issuer as url } from "../mocks.ts";
import { brokenOf } from "./broken-of.ts";

// A world as it was captured of a cluster in which all is well, and what a test changes of it. That each cause is found
// where it is really made is shown by the suites test/e2e/doctor-*.e2e.ts.

export { brokenOf };

export const issuer = `https://${url}`;
const accountId = "111122223333";
export const roleArn = `arn:aws:iam::${accountId}:role/reader`;
export const clusterArn = `arn:aws:eks:eu-central-1:${accountId}:cluster/dev`;
export const patient: Patient = {
  cluster: "dev",
  region: "eu-central-1",
  namespace: "team-a",
  serviceAccount: "reader",
  actions: ["s3:ListAllMyBuckets"],
};

/** A token as Kubernetes makes it, unsigned: nothing here checks that. */
export const token = (claims: object): string =>
  ["{}", JSON.stringify(claims), ""].map((part) => Buffer.from(part).toString("base64url")).join(".");
export const claims = {
  iss: issuer,
  sub: "system:serviceaccount:team-a:reader",
  aud: ["sts.amazonaws.com"],
};

const tokenFile = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token";
export const container: Container = {
  name: "app",
  image: "example.com/app:1",
  user: 65532,
  env: { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile },
  envSources: [],
  mounts: [{ volume: "aws-iam-token", path: "/var/run/secrets/eks.amazonaws.com/serviceaccount" }],
};
export const pod: Pod = {
  name: "reader-5d9c-x7x2p",
  phase: "Running",
  created: new Date("2026-11-24T10:00:00Z"),
  serviceAccount: "reader",
  labels: {},
  annotations: {},
  owner: { kind: "deployment", name: "reader", serviceAccount: "reader" },
  node: "node-a",
  windows: false,
  fsGroup: 65532,
  containers: [container],
  tokens: [{ volume: "aws-iam-token", path: "token", audience: "sts.amazonaws.com", mode: 0o644 }],
  configMaps: [],
};

export const role: Role = {
  name: "reader",
  arn: roleArn,
  trustPolicy: JSON.stringify(
    trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" }),
  ),
  maxSessionSeconds: 3600,
};
export const policy = (...statements: object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
export const allow = (Action: string | string[], Resource: string | string[] = "*", more: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});

export const session = (arn: string, next: StsAnswer = refusal): StsAnswer => ({
  admitted: true,
  session: { arn, assume: async () => next },
});
export const refusal: StsAnswer = { admitted: false, code: "AccessDenied", message: "Not authorized" };

export interface Change {
  eks?: Partial<World["eks"]>;
  iam?: Partial<Iam>;
  targetIam?: Partial<Iam>;
  kubernetes?: Partial<World["kubernetes"]>;
  sts?: World["sts"];
  images?: World["images"];
}

const own: Iam = {
  accountId: async () => accountId,
  oidcProviders: async () => [{ arn: oidcProviderArn, url, audiences: ["sts.amazonaws.com"] }],
  role: async () => role,
  policies: async () => [{ name: "list", document: policy(allow("s3:ListAllMyBuckets")) }],
  policyDocument: async () => undefined,
};

/** The world, but for what a test changes. */
export function world(change: Change = {}): World {
  return {
    eks: {
      cluster: async () => ({
        arn: clusterArn,
        status: "ACTIVE",
        endpoint: "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
        certificateAuthority: authority("dev"),
        issuer,
      }),
      clusterNames: async () => ["dev"],
      association: async () => undefined,
      addon: async () => undefined,
      ...change.eks,
    },
    iam: { ...own, ...change.iam },
    targetIam: { ...own, ...change.targetIam },
    sts: change.sts ?? { assume: async () => session("arn:aws:sts::111122223333:assumed-role/reader/x") },
    kubernetes: {
      server: "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
      certificateAuthority: authority("dev"),
      version: async () => "v1.34.4",
      issuer: async () => issuer,
      hasNamespace: async () => true,
      serviceAccount: async () => ({ annotations: { "eks.amazonaws.com/role-arn": roleArn } }),
      pods: async () => [pod],
      workloads: async () => [],
      nodeLabels: async () => ({}),
      keysOf: async () => "absent",
      configMapEntry: async () => ({}),
      podIdentityWebhook: async () => true,
      token: async () => token(claims),
      ...change.kubernetes,
    },
    images: change.images ?? named("usr/lib/python3/botocore-1.40.0.dist-info/METADATA"),
  };
}

/** A CA's certificate, as far as it is compared. */
export const authority = (name: string): string => Buffer.from(`PEM of ${name}\n`).toString("base64");

/** An image with these files, told by their names, or with texts in them. */
export const named = (...files: (string | ImageFile)[]): World["images"] => ({
  files: async () => files.map((one) => (typeof one === "string" ? { path: one, texts: [] } : one)),
});

export const withPod = (change: Partial<Pod>): Change => ({
  kubernetes: { pods: async () => [{ ...pod, ...change }] },
});
export const withContainers = (...changes: Partial<Container>[]): Change =>
  withPod({ containers: changes.map((change) => ({ ...container, ...change })) });

/** A ServiceAccount with an association of EKS Pod Identity, in a cluster in which that works. */
export const association: PodIdentityAssociation = { id: "a-0123", roleArn, sessionTags: true };
const agentTokenFile = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token";
export const agentPod: Pod = {
  ...pod,
  name: "eks-pod-identity-agent-x",
  serviceAccount: "eks-pod-identity-agent",
  labels: { "app.kubernetes.io/name": "eks-pod-identity-agent" },
};
export const podOfAssociation: Pod = {
  ...pod,
  containers: [
    {
      ...container,
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: agentTokenFile,
      },
      mounts: [
        { volume: "eks-pod-identity-token", path: "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount" },
      ],
    },
  ],
  tokens: [
    {
      volume: "eks-pod-identity-token",
      path: "eks-pod-identity-token",
      audience: "pods.eks.amazonaws.com",
      mode: 0o644,
    },
  ],
};
export const associated = (change: Change = {}): Change => ({
  ...change,
  eks: {
    association: async () => association,
    addon: async () => ({ status: "ACTIVE", issues: [] }),
    ...change.eks,
  },
  iam: {
    role: async () => ({
      ...role,
      trustPolicy: JSON.stringify(
        podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "reader" }]),
      ),
    }),
    ...change.iam,
  },
  kubernetes: {
    serviceAccount: async () => ({ annotations: {} }),
    pods: async (namespace) => (namespace === "kube-system" ? [agentPod] : [podOfAssociation]),
    ...change.kubernetes,
  },
});

export const look = (change: Change = {}, more: Partial<Patient> = {}): Promise<Diagnosis> =>
  diagnose(world(change), { ...patient, ...more });

/** What became of a link. */
export function findingOf({ links }: Diagnosis, id: string): Finding {
  const link = links.find((one) => one.id === id);
  if (!link) throw new Error(`The chain has no link ${id}; it has ${links.map((one) => one.id).join(", ")}.`);
  return link.finding;
}

/** The cause at which a chain is broken. */
export const cause = async (change: Change, more: Partial<Patient> = {}): Promise<string> =>
  brokenOf(await look(change, more)).cause;

/** A link that cannot be told, with why and what it would take. */
export function unseenOf(diagnosis: Diagnosis, id: string): { why: string; takes: string } {
  const finding = findingOf(diagnosis, id);
  if (finding.state !== "unseen") throw new Error(`${id}: ${JSON.stringify(finding)}`);
  return finding;
}

/** Every link's state, to be compared as a whole. */
export const states = ({ links }: Diagnosis): Record<string, string> =>
  Object.fromEntries(links.map(({ id, finding }) => [id, finding.state]));

/** A policy variable, as IAM writes it. */
export const variable = (name: string): string => `$\{${name}}`;

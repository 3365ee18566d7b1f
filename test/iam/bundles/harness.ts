import { runSimulation } from "@cloud-copilot/iam-simulate";
import { expect } from "chai";
import { type BundleName, type BundleReference, type Of, resolveBundle } from "../../../iam/bundles.ts";
import { resolvePolicies } from "../../../iam/policies.ts";

// Judged by @cloud-copilot's IAM evaluator, which is not ours.

export const account = "111122223333";
export const region = "eu-west-1";
export const kmsKey = `arn:aws:kms:${region}:${account}:key/1b2c3d4e-0000-0000-0000-000000000000`;

/** One reference of each bundle, with every field in use that can be. */
export const examples: { [N in BundleName]: Of<N> } = {
  "ebs-csi": { bundle: "ebs-csi", scope: "cluster", cluster: "prod", kmsKeys: [kmsKey] },
  "efs-csi": { bundle: "efs-csi", s3Files: true, tagKeys: ["team", "cost-centre"] },
  "vpc-cni": { bundle: "vpc-cni", ipv6: true, networkPolicyLogs: true },
  "load-balancer-controller": {
    bundle: "load-balancer-controller",
    vpc: "vpc-0a1b2c3d4e5f60718",
    globalAccelerator: true,
    certificateZones: ["ZALLOWED"],
    certificateAuthorities: [`arn:aws:acm-pca:${region}:${account}:certificate-authority/1b2c3d4e`],
  },
  "target-group-binding": {
    bundle: "target-group-binding",
    targetGroups: [`arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/web/0123456789abcdef`],
    securityGroupRules: true,
    assumeRoles: ["arn:aws:iam::444455556666:role/target-groups"],
  },
  "gateway-api-controller": { bundle: "gateway-api-controller" },
  "external-dns": { bundle: "external-dns", hostedZones: ["ZALLOWED"] },
  "cert-manager": { bundle: "cert-manager", hostedZones: ["ZALLOWED"] },
  "cluster-autoscaler": { bundle: "cluster-autoscaler", cluster: "prod" },
  karpenter: {
    bundle: "karpenter",
    cluster: "prod",
    nodeRole: `arn:aws:iam::${account}:role/nodes`,
    interruptionQueue: `arn:aws:sqs:${region}:${account}:karpenter`,
    region,
  },
  "node-termination-handler": {
    bundle: "node-termination-handler",
    queues: [`arn:aws:sqs:${region}:${account}:nodes`],
    heartbeats: true,
  },
  "external-secrets": {
    bundle: "external-secrets",
    secrets: ["app/db", "team-a/*", `arn:aws:secretsmanager:${region}:${account}:secret:by-arn-AbCdEf`],
    parameters: ["/app/db", `arn:aws:ssm:${region}:${account}:parameter/team-a/*`],
    find: true,
    push: true,
    pushResourcePolicies: true,
    pushReplicas: true,
    kmsKeys: [kmsKey],
  },
  "s3-csi": { bundle: "s3-csi", buckets: ["mine", "fast--euw1-az1--x-s3"], kmsKeys: [kmsKey] },
  "fsx-lustre-csi": { bundle: "fsx-lustre-csi", buckets: ["mine"] },
  "fsx-openzfs-csi": { bundle: "fsx-openzfs-csi" },
  velero: { bundle: "velero", buckets: ["backups"], kmsKeys: [kmsKey], volumeKmsKeys: [kmsKey] },
  prometheus: {
    bundle: "prometheus",
    workspaces: [`arn:aws:aps:${region}:${account}:workspace/ws-1b2c3d4e-0000-0000-0000-000000000000`],
  },
  "cloudwatch-observability": { bundle: "cloudwatch-observability" },
};

export const hasDocument = (reference: BundleReference): boolean =>
  resolveBundle(reference).some((policy) => "document" in policy);

/** What the documents of a bundle say together. */
export const documentOf = (reference: BundleReference, partition = "aws") => ({
  Version: "2012-10-17" as const,
  Statement: resolveBundle(reference).flatMap((policy) =>
    "document" in policy ? policy.document(partition).Statement : [],
  ),
});

/** The policies of AWS's own that a bundle comes to. */
export const pathsOf = (reference: BundleReference): string[] =>
  resolveBundle(reference).flatMap((policy) => ("path" in policy ? [policy.path] : []));

const defaultKeyPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" },
  ],
};

/** Whether a bundle alone lets a role of the account do it. */
export async function allowed(
  reference: BundleReference,
  action: string,
  resource: string,
  contextVariables: Record<string, string | string[]> = {},
): Promise<boolean> {
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${account}:role/app`,
        action,
        resource: { resource, accountId: account },
        contextVariables,
      },
      identityPolicies: [{ name: reference.bundle, policy: documentOf(reference) }],
      // A key lets its account's IAM decide only where its own policy says so, as the console's default does.
      ...(resource.startsWith("arn:aws:kms:") ? { resourcePolicy: defaultKeyPolicy } : {}),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
  return result.overallResult === "Allowed";
}

export const zone = (id: string) => `arn:aws:route53:::hostedzone/${id}`;
export const changeRecords = "route53:ChangeResourceRecordSets";
export const recordTypes = (...records: string[]) => ({
  "route53:ChangeResourceRecordSetsRecordTypes": records,
});

/** A test for each reference that must not be taken, and what of the error's sentence says why. */
export function refuse(
  refused: readonly (readonly [what: string, reference: object, message: string])[],
): void {
  for (const [what, reference, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => resolvePolicies([reference as BundleReference])).to.throw(
        new RegExp(`^policies\\[0\\].*${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`),
      );
    });
  }
}

import * as z from "zod";
import { clusterAutoscaler, karpenter, nodeTerminationHandler } from "./bundles/autoscaling.ts";
import type { BundlePolicy, Definition } from "./bundles/definition.ts";
import { certManager, externalDns } from "./bundles/dns.ts";
import { loadBalancerController, targetGroupBinding } from "./bundles/load-balancing.ts";
import { gatewayApiController, vpcCni } from "./bundles/network.ts";
import { cloudWatchObservability, prometheus } from "./bundles/observability.ts";
import { externalSecrets } from "./bundles/secrets.ts";
import { ebsCsi, efsCsi, fsxLustreCsi, fsxOpenZfsCsi, s3Csi, velero } from "./bundles/storage.ts";
import { longestPartition, partitionIn, partitionOfRegion } from "./partition.ts";
import { characters, type PolicyDocument } from "./policy-document.ts";
import { managedPolicyCharacters } from "./quotas.ts";
import { check, fail, nearest, object, oneOf, readInside } from "./validation.ts";

// The policies of controllers that people attach over and over. Where AWS keeps the right managed policy for one, that is
// it; else the document that its project publishes, scoped to what the caller names. Each definition names its source;
// docs/bundles.md has the versions that they were compared with.

/** A well-known set of permissions, by name. */
export type BundleReference = {
  /**
   * How the role gets its documents: `inline`, as a part of it; or `managed`, as policies of their own, for a role whose
   * inline policies would have more than IAM's 10,240 characters together. Policies that AWS keeps are attached in any
   * case. Default `inline`.
   */
  readonly attach?: "inline" | "managed";
} & (
  | {
      /** Amazon EBS CSI driver. */
      readonly bundle: "ebs-csi";
      /**
       * Which volumes and snapshots: `driver`, those tagged `ebs.csi.aws.com/cluster: true`, as the driver tags what it
       * makes; `cluster`, those tagged `ebs.csi.aws.com/cluster-name: <cluster>`, as driver 1.58 does with
       * `k8sTagClusterId`; `account`, all of the account's. What others made needs the tag first. Default `driver`.
       */
      readonly scope?: "driver" | "cluster" | "account";
      /** The cluster, with `scope: cluster`. */
      readonly cluster?: string;
      /** ARNs of the KMS keys that encrypt volumes, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
    }
  | {
      /** Amazon EFS CSI driver. */
      readonly bundle: "efs-csi";
      /** Whose role it is: that of the controller, or of the nodes, which is for S3 Files only. Default `controller`. */
      readonly pods?: "controller" | "node";
      /** Keys of the tags that the controller gives to access points (`controller.tags`). Default its own only. */
      readonly tagKeys?: readonly string[];
      /** Whether the controller makes access points of S3 Files too. Default false. */
      readonly s3Files?: boolean;
      /** Buckets that nodes read without a detour through the file system, by name. Default all that there are. */
      readonly buckets?: readonly string[];
    }
  | {
      /** Amazon VPC CNI. */
      readonly bundle: "vpc-cni";
      /** Whether the cluster is one for IPv6. Default false. */
      readonly ipv6?: boolean;
      /** Whether the network policy agent sends its logs to CloudWatch. Default false. */
      readonly networkPolicyLogs?: boolean;
    }
  | {
      /** AWS Load Balancer Controller. It changes only what carries a cluster's tag. */
      readonly bundle: "load-balancer-controller";
      /** The cluster, as the controller's `--cluster-name`: then only what carries its tag. Default any cluster's. */
      readonly cluster?: string;
      /** Id of the VPC whose security groups it may make, and change the rules of. Default any VPC's. */
      readonly vpc?: string;
      /** Whether it manages accelerators (`GlobalAccelerator`, since 3.4). Default false. */
      readonly globalAccelerator?: boolean;
      /** Route 53 hosted zones in which it proves certificates that it requests of ACM. Default none. */
      readonly certificateZones?: readonly string[];
      /** ARNs of private certificate authorities that issue certificates to it. Default none. */
      readonly certificateAuthorities?: readonly string[];
    }
  | {
      /** AWS Load Balancer Controller that only registers pods with target groups that are there. */
      readonly bundle: "target-group-binding";
      /** ARNs of the target groups. */
      readonly targetGroups: readonly string[];
      /** Whether it opens the nodes' security groups to the load balancers. Default false. */
      readonly securityGroupRules?: boolean;
      /** ARNs of roles in other accounts that it assumes for target groups there. Default none. */
      readonly assumeRoles?: readonly string[];
    }
  | {
      /** AWS Gateway API Controller, for VPC Lattice. */
      readonly bundle: "gateway-api-controller";
      /** Whether it sets up access logs (`AccessLogPolicy`). Default true. */
      readonly accessLogs?: boolean;
    }
  | {
      /** external-dns. It reads all zones, and changes records in these. */
      readonly bundle: "external-dns";
      /** Ids of Route 53 hosted zones (`Z...`). */
      readonly hostedZones: readonly string[];
    }
  | {
      /** cert-manager's DNS-01 solver. It changes TXT records in these zones. */
      readonly bundle: "cert-manager";
      /** Ids of Route 53 hosted zones (`Z...`). */
      readonly hostedZones: readonly string[];
    }
  | {
      /** Cluster Autoscaler, for the node groups that carry this cluster's discovery tag. */
      readonly bundle: "cluster-autoscaler";
      readonly cluster: string;
    }
  | {
      /** Karpenter 1.x. */
      readonly bundle: "karpenter";
      readonly cluster: string;
      /** ARN of the role that it gives to its nodes; its account is the cluster's. */
      readonly nodeRole: string;
      /** ARN of the SQS queue that it reads interruptions from. Default none. */
      readonly interruptionQueue?: string;
      /** The cluster's region. Default the queue's. */
      readonly region?: string;
    }
  | {
      /** AWS Node Termination Handler, as queue processor. */
      readonly bundle: "node-termination-handler";
      /** ARNs of the SQS queues that it reads. */
      readonly queues: readonly string[];
      /** Whether it keeps lifecycle actions alive while it drains (`--heartbeat-interval`). Default false. */
      readonly heartbeats?: boolean;
    }
  | {
      /** External Secrets Operator. At least one of `secrets` and `parameters`. */
      readonly bundle: "external-secrets";
      /** Secrets of Secrets Manager, by name or pattern (`team-a/*`), or by full ARN. */
      readonly secrets?: readonly string[];
      /** SSM parameters, by name or pattern, or by ARN. */
      readonly parameters?: readonly string[];
      /** Whether it may look for them by name and tag (`dataFrom.find`), and so see the names of all. Default false. */
      readonly find?: boolean;
      /** Whether it writes them (`PushSecret`), and deletes those that it made. Default false. */
      readonly push?: boolean;
      /** Whether it gives secrets resource policies (`resourcePolicy` of a PushSecret's metadata). Default false. */
      readonly pushResourcePolicies?: boolean;
      /** Whether it replicates secrets (`replicationLocations`). Default false. */
      readonly pushReplicas?: boolean;
      /** ARNs of the KMS keys that encrypt them, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
    }
  | {
      /** Mountpoint for Amazon S3 CSI driver. */
      readonly bundle: "s3-csi";
      /** Buckets, by name; directory buckets (`...--x-s3`) among them. */
      readonly buckets: readonly string[];
      /** What is mounted of each bucket (`team-a/`). Default all of it. Not with directory buckets. */
      readonly prefixes?: readonly string[];
      /** Default false. Not with directory buckets. */
      readonly readOnly?: boolean;
      /** ARNs of the KMS keys that encrypt them, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
    }
  | {
      /** Amazon FSx for Lustre CSI driver. */
      readonly bundle: "fsx-lustre-csi";
      /** Buckets that file systems are linked to (`s3ImportPath`), by name. Default none. */
      readonly buckets?: readonly string[];
    }
  | {
      /** Amazon FSx for OpenZFS CSI driver. */
      readonly bundle: "fsx-openzfs-csi";
      /** Whether it makes and deletes snapshots. Default true. */
      readonly snapshots?: boolean;
    }
  | {
      /** Velero with its plugin for AWS. */
      readonly bundle: "velero";
      /** Buckets that hold backups, by name. */
      readonly buckets: readonly string[];
      /** Whether it makes snapshots of EBS volumes, and volumes of them. Default true. */
      readonly snapshots?: boolean;
      /** ARNs of the KMS keys that encrypt the buckets, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
      /** ARNs of the KMS keys that encrypt volumes that it makes (`ebsKmsKeyId`). Default none. */
      readonly volumeKmsKeys?: readonly string[];
    }
  | {
      /** Prometheus, or what sends metrics like it, with Amazon Managed Service for Prometheus. */
      readonly bundle: "prometheus";
      /** ARNs of the workspaces. */
      readonly workspaces: readonly string[];
      /** `write` or `query`. Default both. */
      readonly access?: "write" | "query";
    }
  | {
      /** CloudWatch agent of the Amazon CloudWatch Observability add-on. */
      readonly bundle: "cloudwatch-observability";
      /** Whether it sends traces to X-Ray (Application Signals). Default true. */
      readonly traces?: boolean;
    }
);

export type BundleName = BundleReference["bundle"];

/** The reference to one bundle. */
export type Of<N extends BundleName> = Extract<BundleReference, { bundle: N }>;

const definitions: { readonly [N in BundleName]: Definition<Of<N>> } = {
  "ebs-csi": ebsCsi,
  "efs-csi": efsCsi,
  "vpc-cni": vpcCni,
  "load-balancer-controller": loadBalancerController,
  "target-group-binding": targetGroupBinding,
  "gateway-api-controller": gatewayApiController,
  "external-dns": externalDns,
  "cert-manager": certManager,
  "cluster-autoscaler": clusterAutoscaler,
  karpenter,
  "node-termination-handler": nodeTerminationHandler,
  "external-secrets": externalSecrets,
  "s3-csi": s3Csi,
  "fsx-lustre-csi": fsxLustreCsi,
  "fsx-openzfs-csi": fsxOpenZfsCsi,
  velero,
  prometheus,
  "cloudwatch-observability": cloudWatchObservability,
};

/** The names that there are. */
export const bundleNames = Object.keys(definitions) as BundleName[];

/** One of the policies that a bundle comes to, under a name that is stable and plain. */
export type ResolvedBundlePolicy = { readonly name: string } & (
  | { readonly kind: "aws-managed"; readonly path: string }
  | {
      readonly kind: "inline" | "customer-managed";
      readonly document: (partition: string) => PolicyDocument;
    }
);

/** What a bundle comes to: policies of AWS's own, documents, or both. */
export type ResolvedBundle = readonly ResolvedBundlePolicy[];

/** What the fields of each must be. */
const schemas: ReadonlyMap<string, z.ZodType<ResolvedBundle>> = new Map(
  bundleNames.map((name) => [name, schemaOf(name, definitions[name] as Definition<BundleReference>)]),
);

function schemaOf(name: BundleName, { parameters, fault, resolve }: Definition<BundleReference>) {
  const attach = oneOf(["inline", "managed"]).optional();
  return object({ bundle: z.literal(name), ...parameters, attach }).transform(
    (given, context): ResolvedBundle => {
      const reference = given as BundleReference;
      const partitions = partitionsOf(reference);
      if (partitions.length > 1) {
        fail(context, [], `it is of more than one partition: ${partitions.join(", ")}`);
      }
      const wrong = fault?.(reference);
      if (wrong) {
        fail(context, [wrong[0]], wrong[1]);
        return z.NEVER;
      }
      const policies = resolve(reference);
      if (reference.attach !== undefined && policies.every(({ kind }) => kind === "aws-managed")) {
        fail(
          context,
          ["attach"],
          "it comes to policies of AWS's own, which are attached as they are; leave it out",
        );
      }
      return policies.flatMap((policy) => named(name, policy, reference.attach));
    },
  );
}

function named(bundle: BundleName, { part, ...policy }: BundlePolicy, attach = "inline"): ResolvedBundle {
  const name = part === undefined ? bundle : `${bundle}-${part}`;
  if (policy.kind === "aws-managed") return [{ name, ...policy }];
  if (attach === "inline") return [{ name, ...policy }];
  return pieces(policy.document).map((document, index) => ({
    name: index === 0 ? name : `${name}-${index + 1}`,
    kind: "customer-managed",
    document,
  }));
}

type Document = (partition: string) => PolicyDocument;

/** A document as managed policies, none of which is too long: statements that only allow mean the same in any of them. */
function pieces(document: Document): Document[] {
  const { Statement } = document(longestPartition);
  const starts = [0];
  for (const index of Statement.keys()) {
    const piece = { ...document(longestPartition), Statement: Statement.slice(starts.at(-1), index + 1) };
    if (characters(piece) > managedPolicyCharacters) starts.push(index);
  }
  return starts.map((start, index) => (partition) => {
    const whole = document(partition);
    return { ...whole, Statement: whole.Statement.slice(start, starts[index + 1]) };
  });
}

/** What has a `bundle`, as what that comes to. */
export const bundleSchema = z.looseObject({ bundle: z.unknown() }).transform((reference, context) => {
  const schema = schemas.get(String(reference.bundle));
  if (schema === undefined) {
    const near = nearest(String(reference.bundle), bundleNames);
    const guess = near === undefined ? "" : `; do you mean ${near}?`;
    fail(context, ["bundle"], `there is no such bundle; there are ${bundleNames.join(", ")}${guess}`);
    return z.NEVER;
  }
  return readInside(schema, reference, context) ?? z.NEVER;
});

/**
 * Reads a reference to a bundle.
 *
 * @example resolveBundle({ bundle: "external-dns", hostedZones: ["Z2FDTNDATAQYW2"] })
 * @throws ArgumentError that says what is wrong with it.
 */
export const resolveBundle = (reference: BundleReference): ResolvedBundle => check(bundleSchema, reference);

/** The partition that a bundle's ARNs, or its region, are of; undefined when it names none, and so fits any. */
export const partitionOfBundle = (reference: BundleReference): string | undefined =>
  partitionsOf(reference)[0];

const partitionsOf = (reference: BundleReference): string[] => [
  ...new Set(
    Object.entries(reference).flatMap(([key, value]) =>
      [value]
        .flat()
        .filter((one) => typeof one === "string")
        .map((one) => (key === "region" ? partitionOfRegion(one) : partitionIn(one)))
        .filter((partition) => partition !== undefined),
    ),
  ),
];

import * as z from "zod";
import { clusterAutoscaler, karpenter } from "./bundles/autoscaling.ts";
import type { Definition, ResolvedBundle } from "./bundles/definition.ts";
import { certManager, externalDns } from "./bundles/dns.ts";
import { loadBalancerController, vpcCni } from "./bundles/network.ts";
import { externalSecrets } from "./bundles/secrets.ts";
import { ebsCsi, efsCsi, s3Csi } from "./bundles/storage.ts";
import { partitionIn } from "./partition.ts";
import { check, fail, object, readInside } from "./validation.ts";

// The policies of controllers that people attach over and over. Where AWS keeps a managed policy for one, that is it;
// else the document that its project publishes, scoped to what the caller names. Each definition names its source.

export type { ResolvedBundle } from "./bundles/definition.ts";

/** A well-known set of permissions, by name. */
export type BundleReference =
  | {
      /** Amazon EBS CSI driver: a policy of AWS's own. */
      readonly bundle: "ebs-csi";
      /**
       * Which volumes and snapshots: `account`, all of the account's; `driver`, those tagged `ebs.csi.aws.com/cluster:
       * true`, as the driver tags what it makes; `cluster`, those tagged `ebs.csi.aws.com/cluster-name` (driver 1.58) as
       * the role is tagged `eks-cluster-name`. AWS recommends the last two; what others made needs the tag first.
       * Default `account`.
       */
      readonly scope?: "account" | "driver" | "cluster";
    }
  /** Amazon EFS CSI driver: a policy of AWS's own. */
  | { readonly bundle: "efs-csi" }
  /** Amazon VPC CNI: AWS's own policy; for IPv6 clusters the document of the EKS User Guide. */
  | { readonly bundle: "vpc-cni"; readonly ipv6?: boolean }
  | {
      /** AWS Load Balancer Controller. It changes only what carries a cluster's tag. */
      readonly bundle: "load-balancer-controller";
      /** The cluster, as the controller's `--cluster-name`: then only what carries its tag. Default any cluster's. */
      readonly cluster?: string;
    }
  /** external-dns, for these Route 53 hosted zones (`Z...`). */
  | { readonly bundle: "external-dns"; readonly hostedZones: readonly string[] }
  /** cert-manager's DNS-01 solver, for TXT records in these Route 53 hosted zones (`Z...`). */
  | { readonly bundle: "cert-manager"; readonly hostedZones: readonly string[] }
  /** Cluster Autoscaler, for the node groups that carry this cluster's discovery tag. */
  | { readonly bundle: "cluster-autoscaler"; readonly cluster: string }
  | {
      /** Karpenter 1.x. */
      readonly bundle: "karpenter";
      readonly cluster: string;
      /** ARN of the role that it gives to its nodes. */
      readonly nodeRole: string;
      /** ARN of the SQS queue that it reads interruptions from. Default none. */
      readonly interruptionQueue?: string;
      /** Default every region; what it makes is told from others' by the cluster's tags in any case. */
      readonly region?: string;
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
      /** ARNs of the KMS keys that encrypt them, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
    }
  | {
      /** Mountpoint for Amazon S3 CSI driver. */
      readonly bundle: "s3-csi";
      /** Buckets, by name; directory buckets (`...--x-s3`) among them. */
      readonly buckets: readonly string[];
      /** Default false. */
      readonly readOnly?: boolean;
      /** ARNs of the KMS keys that encrypt them, but for AWS's own. Default none. */
      readonly kmsKeys?: readonly string[];
    };

export type BundleName = BundleReference["bundle"];

/** The reference to one bundle. */
export type Of<N extends BundleName> = Extract<BundleReference, { bundle: N }>;

const definitions: { readonly [N in BundleName]: Definition<Of<N>> } = {
  "ebs-csi": ebsCsi,
  "efs-csi": efsCsi,
  "vpc-cni": vpcCni,
  "load-balancer-controller": loadBalancerController,
  "external-dns": externalDns,
  "cert-manager": certManager,
  "cluster-autoscaler": clusterAutoscaler,
  karpenter,
  "external-secrets": externalSecrets,
  "s3-csi": s3Csi,
};

/** The names that there are. */
export const bundleNames = Object.keys(definitions) as BundleName[];

/** What the fields of each must be. */
const schemas: ReadonlyMap<string, z.ZodType<ResolvedBundle>> = new Map(
  bundleNames.map((name) => [name, schemaOf(name, definitions[name] as Definition<BundleReference>)]),
);

function schemaOf(name: BundleName, { parameters, resolve }: Definition<BundleReference>) {
  return object({ bundle: z.literal(name), ...parameters }).transform((reference, context) => {
    const partitions = partitionsOf(reference);
    if (partitions.length > 1) {
      fail(context, [], `it names ARNs of more than one partition: ${partitions.join(", ")}`);
    }
    try {
      return resolve(reference as BundleReference);
    } catch (error) {
      fail(context, [], (error as Error).message);
      return z.NEVER;
    }
  });
}

/** What has a `bundle`, as what that comes to. */
export const bundleSchema = z.looseObject({ bundle: z.unknown() }).transform((reference, context) => {
  const schema = schemas.get(String(reference.bundle));
  if (schema === undefined) {
    fail(context, ["bundle"], `there is no such bundle; there are ${bundleNames.join(", ")}`);
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

/** The partition that a bundle's ARNs are of; undefined when it names none, and so fits any. */
export const partitionOfBundle = (reference: BundleReference): string | undefined =>
  partitionsOf(reference)[0];

const partitionsOf = (reference: object): string[] => [
  ...new Set(
    Object.values(reference)
      .flat()
      .map((value) => (typeof value === "string" ? partitionIn(value) : undefined))
      .filter((partition) => partition !== undefined),
  ),
];

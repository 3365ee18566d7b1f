import type { Of } from "../bundles.ts";
import type { Statement } from "../policy-document.ts";
import {
  allow,
  type Definition,
  flag,
  inline,
  kmsKeys,
  list,
  managed,
  oneOf,
  optional,
} from "./definition.ts";

const ebsPolicies = {
  account: "service-role/AmazonEBSCSIDriverPolicy",
  driver: "AmazonEBSCSIDriverPolicyV2",
  cluster: "AmazonEBSCSIDriverEKSClusterScopedPolicy",
} as const;

/** Source: the AWS Managed Policy Reference, and github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/2918 (April 2026). */
export const ebsCsi: Definition<Of<"ebs-csi">> = {
  parameters: { scope: optional(oneOf(...Object.keys(ebsPolicies))) },
  resolve: ({ scope = "account" }) => managed(ebsPolicies[scope]),
};

/** Source: the AWS Managed Policy Reference. */
export const efsCsi: Definition<Of<"efs-csi">> = {
  parameters: {},
  resolve: () => managed("service-role/AmazonEFSCSIDriverPolicy"),
};

/** Directory buckets (S3 Express One Zone) are called `<name>--<zone>--x-s3` and are reached by sessions. */
const isDirectoryBucket = (bucket: string): boolean => bucket.endsWith("--x-s3");

/**
 * Source: "IAM permissions", doc/CONFIGURATION.md of github.com/awslabs/mountpoint-s3 (1.x), which the CSI driver 1.x and
 * 2.x and the EKS User Guide refer to; "IAM identity-based policies for directory buckets", S3 User Guide.
 */
export const s3Csi: Definition<Of<"s3-csi">> = {
  parameters: {
    buckets: list(
      'a list of bucket names such as ["my-bucket"]',
      /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    ),
    readOnly: flag,
    kmsKeys,
  },
  resolve: ({ buckets, readOnly, kmsKeys = [] }) =>
    inline((partition) => {
      const general = buckets.filter((bucket) => !isDirectoryBucket(bucket));
      const directories = buckets.filter(isDirectoryBucket);
      const statements: Statement[] = [];
      if (general.length > 0) {
        statements.push(
          allow(
            "s3:ListBucket",
            general.map((bucket) => `arn:${partition}:s3:::${bucket}`),
          ),
          allow(
            readOnly
              ? "s3:GetObject"
              : ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
            general.map((bucket) => `arn:${partition}:s3:::${bucket}/*`),
          ),
        );
      }
      if (directories.length > 0) {
        statements.push(
          allow(
            "s3express:CreateSession",
            directories.map((bucket) => `arn:${partition}:s3express:*:*:bucket/${bucket}`),
            readOnly ? { StringEquals: { "s3express:SessionMode": "ReadOnly" } } : undefined,
          ),
        );
      }
      if (kmsKeys.length > 0) {
        statements.push(allow(readOnly ? "kms:Decrypt" : ["kms:Decrypt", "kms:GenerateDataKey"], kmsKeys));
      }
      return statements;
    }),
};

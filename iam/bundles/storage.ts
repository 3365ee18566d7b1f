import type { Of } from "../bundles.ts";
import type { Conditions, Statement } from "../policy-document.ts";
import {
  actionsOf,
  allow,
  both,
  bucketArns,
  buckets,
  bucketsOfAnyKind,
  clusterName,
  type Definition,
  flag,
  inline,
  isDirectoryBucket,
  kmsKeys,
  list,
  managed,
  oneOf,
  optional,
  prefixes,
  when,
} from "./definition.ts";

const ec2 = actionsOf("ec2");
const kms = actionsOf("kms");

const ebsScopes = ["driver", "cluster", "account"] as const;

/**
 * Source: docs/install.md of github.com/kubernetes-sigs/aws-ebs-csi-driver, which has the driver's own volumes first, and
 * the AWS Managed Policy Reference; of the cluster's volumes docs/AmazonEBSCSIDriverEKSClusterScopedPolicy.json.
 */
export const ebsCsi: Definition<Of<"ebs-csi">> = {
  parameters: { scope: optional(oneOf(...ebsScopes)), cluster: optional(clusterName), kmsKeys },
  fault: ({ scope, cluster }) => {
    if ((scope === "cluster") === (cluster !== undefined)) return undefined;
    return [
      "cluster",
      scope === "cluster"
        ? "with scope: cluster it must be the cluster's name, as the driver's k8sTagClusterId"
        : "it is for scope: cluster; leave it out, or set that",
    ];
  },
  resolve: ({ scope = "driver", cluster, kmsKeys }) => [
    cluster !== undefined
      ? inline((partition) => clusterVolumes(partition, cluster))
      : managed(scope === "account" ? "service-role/AmazonEBSCSIDriverPolicy" : "AmazonEBSCSIDriverPolicyV2"),
    ...(kmsKeys === undefined
      ? []
      : [
          inline(
            () => [
              allow(kms("Decrypt", "GenerateDataKeyWithoutPlaintext"), kmsKeys),
              // EBS holds the grant, for as long as a volume is attached.
              allow(kms("CreateGrant"), kmsKeys, { Bool: { "kms:GrantIsForAWSResource": "true" } }),
            ],
            "keys",
          ),
        ]),
  ],
};

/**
 * AWS's own policy of this scope takes the cluster's name from a tag of the role or of the session. With the name itself
 * in it the role needs no tag, and what AWS's leaves out can be in it too: nodes of Karpenter and of EKS Auto Mode.
 */
function clusterVolumes(partition: string, cluster: string): Statement[] {
  const [volumes, snapshots, instances] = ["volume/*", "snapshot/*", "instance/*"].map(
    (resource) => `arn:${partition}:ec2:*:*:${resource}`,
  ) as [string, string, string];
  const name = "ebs.csi.aws.com/cluster-name";
  const made: Conditions = { StringEquals: { [`aws:RequestTag/${name}`]: cluster } };
  const taggedAs = (tag: string): Conditions => ({ StringEquals: { [`ec2:ResourceTag/${tag}`]: cluster } });
  const own = taggedAs(name);
  return [
    allow(
      ec2(
        ...["DescribeAvailabilityZones", "DescribeInstances", "DescribeInstanceTypes", "DescribeSnapshots"],
        ...["DescribeVolumes", "DescribeVolumesModifications", "DescribeVolumeStatus"],
      ),
      "*",
    ),
    allow(ec2("CreateVolume", "CopyVolumes"), volumes, made),
    allow(ec2("CopyVolumes"), `arn:${partition}:ec2:*:*:volume/vol-*`, own),
    allow(ec2("CreateSnapshot"), snapshots, made),
    allow(
      ec2("CreateSnapshot", "ModifyVolume", "AttachVolume", "DetachVolume", "DeleteVolume"),
      volumes,
      own,
    ),
    allow(
      ec2("CreateVolume", "EnableFastSnapshotRestores", "DeleteSnapshot", "LockSnapshot"),
      snapshots,
      own,
    ),
    // As EKS tags the nodes of its node groups; as Karpenter and EKS Auto Mode tag theirs; as a person tags others.
    ...["eks:cluster-name", "eks:eks-cluster-name", name].map((tag) =>
      allow(ec2("AttachVolume", "DetachVolume"), instances, taggedAs(tag)),
    ),
    allow(ec2("CreateTags"), [volumes, snapshots], {
      StringEquals: { "ec2:CreateAction": ["CreateVolume", "CreateSnapshot", "CopyVolumes"] },
    }),
    // The tags that say whose a volume is stay.
    allow(
      ec2("CreateTags", "DeleteTags"),
      volumes,
      both(own, {
        Null: { "aws:TagKeys": "false" },
        "ForAllValues:StringNotEquals": {
          "aws:TagKeys": ["ebs.csi.aws.com/cluster", name, "kubernetes.io/created-for/pvc/name"],
        },
      }),
    ),
  ];
}

const efsTag = "efs.csi.aws.com/cluster";

/**
 * Source: docs/iam-policy-create.md of github.com/kubernetes-sigs/aws-efs-csi-driver (3.x), and the AWS Managed Policy
 * Reference. AWS's policies admit the driver's own tag only, so that an access point with one more could not be made.
 */
export const efsCsi: Definition<Of<"efs-csi">> = {
  parameters: {
    pods: optional(oneOf("controller", "node")),
    tagKeys: optional(
      list('a list of tag keys such as ["team"]', /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu),
    ),
    s3Files: flag,
    buckets: optional(buckets),
  },
  fault: ({ pods = "controller", tagKeys, s3Files, buckets }) => {
    if (pods === "node") {
      if (tagKeys !== undefined)
        return ["tagKeys", "the controller makes access points, the node does not; leave it out"];
      if (s3Files === false) return ["s3Files", "a node needs permissions for S3 Files only; leave it out"];
    } else if (buckets !== undefined) {
      return ["buckets", "nodes read from buckets, the controller does not; leave it out, or set pods: node"];
    }
    return undefined;
  },
  resolve: ({ pods = "controller", tagKeys, s3Files, buckets }) =>
    pods === "node"
      ? [
          managed("AmazonS3FilesClientFullAccess"),
          managed("AmazonElasticFileSystemsUtils", "logs"),
          buckets === undefined
            ? managed("AmazonS3ReadOnlyAccess", "buckets")
            : inline((partition) => readBuckets(bucketArns(partition, buckets)), "buckets"),
        ]
      : [
          managed("service-role/AmazonEFSCSIDriverPolicy"),
          ...when(
            s3Files,
            managed("service-role/AmazonS3FilesCSIDriverPolicy", "s3-files"),
            managed("AmazonS3FilesClientFullAccess", "s3-files-client"),
          ),
          ...(tagKeys === undefined
            ? []
            : [
                inline(
                  () =>
                    ["elasticfilesystem", ...when(s3Files, "s3files")].flatMap((service) =>
                      taggedAccessPoints(service, tagKeys),
                    ),
                  "tags",
                ),
              ]),
        ],
};

function taggedAccessPoints(service: string, tagKeys: readonly string[]): Statement[] {
  const tags: Conditions = {
    Null: { [`aws:RequestTag/${efsTag}`]: "false" },
    "ForAllValues:StringEquals": { "aws:TagKeys": [efsTag, ...tagKeys] },
  };
  return [
    allow(`${service}:CreateAccessPoint`, "*", tags),
    allow(
      `${service}:TagResource`,
      "*",
      both(tags, { StringEquals: { [`${service}:CreateAction`]: "CreateAccessPoint" } }),
    ),
  ];
}

const readBuckets = (arns: readonly string[]): Statement[] => [
  allow("s3:ListBucket", arns),
  allow(
    actionsOf("s3")("GetObject", "GetObjectVersion"),
    arns.map((arn) => `${arn}/*`),
  ),
];

/**
 * Source: "IAM permissions", doc/CONFIGURATION.md of github.com/awslabs/mountpoint-s3 (1.x), which the CSI driver 1.x and
 * 2.x and the EKS User Guide refer to. A directory bucket is reached by sessions, which know neither prefixes nor, as
 * Mountpoint asks for them, reading only (issue 1076 there).
 */
export const s3Csi: Definition<Of<"s3-csi">> = {
  parameters: { buckets: bucketsOfAnyKind, prefixes, readOnly: flag, kmsKeys },
  fault: ({ buckets, prefixes, readOnly }) => {
    const directory = buckets.find(isDirectoryBucket);
    if (directory === undefined) return undefined;
    if (prefixes !== undefined) {
      return [
        "prefixes",
        `a session on a directory bucket, ${directory}, reaches all of it; scope an access point of it instead`,
      ];
    }
    if (readOnly) {
      return [
        "readOnly",
        `Mountpoint opens sessions on a directory bucket, ${directory}, for writing too, whatever its options (mountpoint-s3#1076); scope an access point of it instead`,
      ];
    }
    return undefined;
  },
  resolve: ({ buckets, prefixes, readOnly, kmsKeys }) => [
    inline((partition) => {
      const general = bucketArns(
        partition,
        buckets.filter((bucket) => !isDirectoryBucket(bucket)),
      );
      const directories = buckets.filter(isDirectoryBucket);
      const inPrefixes = (prefixes ?? [""]).map((prefix) => `${prefix}*`);
      return [
        ...when(
          general.length > 0,
          // What is listed is told by a prefix of the request, not of the resource.
          allow(
            "s3:ListBucket",
            general,
            prefixes === undefined ? undefined : { StringLike: { "s3:prefix": inPrefixes } },
          ),
          allow(
            readOnly
              ? "s3:GetObject"
              : actionsOf("s3")("GetObject", "PutObject", "AbortMultipartUpload", "DeleteObject"),
            general.flatMap((arn) => inPrefixes.map((prefix) => `${arn}/${prefix}`)),
          ),
        ),
        ...when(
          directories.length > 0,
          allow(
            "s3express:CreateSession",
            directories.map((bucket) => `arn:${partition}:s3express:*:*:bucket/${bucket}`),
          ),
        ),
        ...(kmsKeys === undefined
          ? []
          : [allow(kms("Decrypt", ...when(!readOnly, "GenerateDataKey")), kmsKeys)]),
      ];
    }),
  ],
};

const fsx = actionsOf("fsx");

/** Roles that FSx makes for itself. Source: the project's own document, as the driver's. */
const fsxRoles = (partition: string, service: string): Statement =>
  allow(
    actionsOf("iam")("CreateServiceLinkedRole", "AttachRolePolicy", "PutRolePolicy"),
    `arn:${partition}:iam::*:role/aws-service-role/${service}/*`,
  );
const fsxServiceLinkedRole = allow("iam:CreateServiceLinkedRole", "*", {
  StringLike: { "iam:AWSServiceName": "fsx.amazonaws.com" },
});

/** Source: docs/install.md of github.com/kubernetes-sigs/aws-fsx-csi-driver (1.x), whose buckets are scoped here. */
export const fsxLustreCsi: Definition<Of<"fsx-lustre-csi">> = {
  parameters: { buckets: optional(buckets) },
  resolve: ({ buckets }) => [
    inline((partition) => [
      fsxServiceLinkedRole,
      allow(
        fsx(
          ...["CreateFileSystem", "DeleteFileSystem", "DescribeFileSystems"],
          ...["TagResource", "UpdateFileSystem"],
        ),
        "*",
      ),
      ...(buckets === undefined
        ? []
        : [
            fsxRoles(partition, "s3.data-source.lustre.fsx.amazonaws.com"),
            allow("s3:ListBucket", bucketArns(partition, buckets)),
          ]),
    ]),
  ],
};

/** Source: docs/example-iam-policy.json of github.com/kubernetes-sigs/aws-fsx-openzfs-csi-driver (1.x). */
export const fsxOpenZfsCsi: Definition<Of<"fsx-openzfs-csi">> = {
  parameters: { snapshots: flag },
  resolve: ({ snapshots = true }) => [
    inline((partition) => [
      fsxRoles(partition, "fsx.amazonaws.com"),
      fsxServiceLinkedRole,
      allow(
        fsx(
          ...["CreateFileSystem", "UpdateFileSystem", "DeleteFileSystem", "DescribeFileSystems"],
          ...["CreateVolume", "DeleteVolume", "DescribeVolumes"],
          ...when(snapshots, "CreateSnapshot", "DeleteSnapshot", "DescribeSnapshots"),
          ...["TagResource", "ListTagsForResource"],
        ),
        "*",
      ),
    ]),
  ],
};

/**
 * Source: "Set permissions for Velero" and "KMS Encryption for Volume Restoration", README of
 * github.com/vmware-tanzu/velero-plugin-for-aws (1.13).
 */
export const velero: Definition<Of<"velero">> = {
  parameters: { buckets, snapshots: flag, kmsKeys, volumeKmsKeys: kmsKeys },
  fault: ({ snapshots, volumeKmsKeys }) =>
    snapshots === false && volumeKmsKeys !== undefined
      ? ["volumeKmsKeys", "they are for volumes made of snapshots; leave them out, or snapshots: false"]
      : undefined,
  resolve: ({ buckets, snapshots = true, kmsKeys, volumeKmsKeys }) => [
    inline((partition) => {
      const arns = bucketArns(partition, buckets);
      return [
        ...when(
          snapshots,
          allow(
            ec2(
              ...["DescribeVolumes", "DescribeSnapshots", "CreateTags"],
              ...["CreateVolume", "CreateSnapshot", "DeleteSnapshot"],
            ),
            "*",
          ),
        ),
        allow(
          actionsOf("s3")(
            ...["GetObject", "DeleteObject", "PutObject", "PutObjectTagging"],
            ...["AbortMultipartUpload", "ListMultipartUploadParts"],
          ),
          arns.map((arn) => `${arn}/*`),
        ),
        allow("s3:ListBucket", arns),
        ...(kmsKeys === undefined ? [] : [allow(kms("Decrypt", "GenerateDataKey"), kmsKeys)]),
        ...(volumeKmsKeys === undefined
          ? []
          : [
              allow(
                kms(
                  ...["ReEncrypt*", "GenerateDataKey*", "Encrypt", "DescribeKey", "Decrypt"],
                  ...["CreateGrant", "ListGrants", "RevokeGrant", "RetireGrant"],
                ),
                volumeKmsKeys,
              ),
              allow(kms("ListRetirableGrants"), "*"),
            ]),
      ];
    }),
  ],
};

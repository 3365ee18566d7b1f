import { expect } from "chai";
import fc from "fast-check";
import type { BundleReference } from "../../../iam/bundles.ts";
import { account, allowed, documentOf, examples, kmsKey, pathsOf, refuse, region } from "./harness.ts";

describe("bundles of storage", () => {
  describe("ebs-csi", () => {
    const arn = (resource: string) => `arn:aws:ec2:${region}:${account}:${resource}`;
    const tag = (key: string, value = "prod") => ({ [`ec2:ResourceTag/${key}`]: value });
    const scoped = examples["ebs-csi"];
    const name = "ebs.csi.aws.com/cluster-name";

    it("of one cluster needs no tag of the role, and touches that cluster's volumes only", async () => {
      expect(JSON.stringify(documentOf(scoped))).not.to.contain("PrincipalTag");
      for (const action of ["ec2:AttachVolume", "ec2:DeleteVolume", "ec2:ModifyVolume"]) {
        expect(await allowed(scoped, action, arn("volume/vol-1"), tag(name)), action).to.equal(true);
        expect(await allowed(scoped, action, arn("volume/vol-1"), tag(name, "dev")), action).to.equal(false);
      }
      const made = (cluster: string) => ({ [`aws:RequestTag/${name}`]: cluster });
      expect(await allowed(scoped, "ec2:CreateVolume", arn("volume/vol-1"), made("prod"))).to.equal(true);
      expect(await allowed(scoped, "ec2:CreateVolume", arn("volume/vol-1"), made("dev"))).to.equal(false);
    });

    it("of one cluster attaches them to nodes of EKS, of Karpenter, and to those that a person tagged", async () => {
      const attach = (tags: Record<string, string>) =>
        allowed(scoped, "ec2:AttachVolume", arn("instance/i-1"), tags);
      for (const key of ["eks:cluster-name", "eks:eks-cluster-name", name]) {
        expect(await attach(tag(key)), key).to.equal(true);
        expect(await attach(tag(key, "dev")), key).to.equal(false);
      }
      expect(await attach({})).to.equal(false);
    });

    it("of one cluster keeps the tags that say whose a volume is", async () => {
      const retag = (key: string) =>
        allowed(scoped, "ec2:CreateTags", arn("volume/vol-1"), { ...tag(name), "aws:TagKeys": [key] });
      expect(await retag("team")).to.equal(true);
      expect(await retag(name)).to.equal(false);
    });

    it("uses keys of its own beside any scope, and gives grants to AWS only", async () => {
      for (const reference of [
        scoped,
        { bundle: "ebs-csi", kmsKeys: [kmsKey] },
        { bundle: "ebs-csi", scope: "account", kmsKeys: [kmsKey] },
      ] satisfies BundleReference[]) {
        expect(await allowed(reference, "kms:GenerateDataKeyWithoutPlaintext", kmsKey)).to.equal(true);
        const grant = (forAws: string) =>
          allowed(reference, "kms:CreateGrant", kmsKey, { "kms:GrantIsForAWSResource": forAws });
        expect(await grant("true")).to.equal(true);
        expect(await grant("false")).to.equal(false);
      }
      expect(pathsOf({ bundle: "ebs-csi", kmsKeys: [kmsKey] })).to.deep.equal(["AmazonEBSCSIDriverPolicyV2"]);
    });
  });

  it("efs-csi makes access points with the tags that it is told of, and no others", async () => {
    const own = "efs.csi.aws.com/cluster";
    for (const [service, resource] of [
      ["elasticfilesystem", `arn:aws:elasticfilesystem:${region}:${account}:file-system/fs-1`],
      ["s3files", `arn:aws:s3files:${region}:${account}:file-system/fs-1`],
    ] as const) {
      const create = (...keys: string[]) =>
        allowed(examples["efs-csi"], `${service}:CreateAccessPoint`, resource, {
          "aws:TagKeys": keys,
          ...Object.fromEntries(keys.map((key) => [`aws:RequestTag/${key}`, "true"])),
        });
      expect(await create(own, "team"), service).to.equal(true);
      expect(await create(own, "team", "secret"), service).to.equal(false);
      expect(await create("team"), service).to.equal(false);
    }
  });

  it("velero keeps backups in its own buckets, and makes snapshots unless told not to", async () => {
    const reference = examples.velero;
    expect(await allowed(reference, "s3:PutObject", "arn:aws:s3:::backups/a")).to.equal(true);
    expect(await allowed(reference, "s3:PutObject", "arn:aws:s3:::other/a")).to.equal(false);
    const snapshot = `arn:aws:ec2:${region}::snapshot/snap-1`;
    expect(await allowed(reference, "ec2:DeleteSnapshot", snapshot)).to.equal(true);
    const { volumeKmsKeys: _, ...rest } = reference;
    expect(await allowed({ ...rest, snapshots: false }, "ec2:DeleteSnapshot", snapshot)).to.equal(false);
    expect(await allowed(rest, "kms:CreateGrant", kmsKey)).to.equal(false);
    expect(await allowed(reference, "kms:CreateGrant", kmsKey)).to.equal(true);
  });

  it("fsx-lustre-csi has to do with S3 only where file systems are linked to buckets", async () => {
    const linked = examples["fsx-lustre-csi"];
    expect(await allowed(linked, "s3:ListBucket", "arn:aws:s3:::mine")).to.equal(true);
    expect(await allowed(linked, "s3:ListBucket", "arn:aws:s3:::other")).to.equal(false);
    const role = `arn:aws:iam::${account}:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/x`;
    expect(await allowed(linked, "iam:PutRolePolicy", role)).to.equal(true);
    const unlinked: BundleReference = { bundle: "fsx-lustre-csi" };
    expect(await allowed(unlinked, "iam:PutRolePolicy", role)).to.equal(false);
    expect(
      await allowed(unlinked, "fsx:CreateFileSystem", `arn:aws:fsx:${region}:${account}:file-system/*`),
    ).to.equal(true);
  });

  it("s3-csi reads and writes its buckets only, and only reads when told so", async () => {
    const object = (bucket: string) => `arn:aws:s3:::${bucket}/key`;
    expect(await allowed(examples["s3-csi"], "s3:PutObject", object("mine"))).to.equal(true);
    expect(await allowed(examples["s3-csi"], "s3:PutObject", object("mine-too"))).to.equal(false);
    expect(await allowed(examples["s3-csi"], "s3:ListBucket", "arn:aws:s3:::mine")).to.equal(true);
    expect(await allowed(examples["s3-csi"], "s3:DeleteBucket", "arn:aws:s3:::mine")).to.equal(false);
    expect(await allowed(examples["s3-csi"], "kms:GenerateDataKey", kmsKey)).to.equal(true);
    const readOnly = { ...examples["s3-csi"], buckets: ["mine"], readOnly: true };
    expect(await allowed(readOnly, "s3:GetObject", object("mine"))).to.equal(true);
    expect(await allowed(readOnly, "s3:PutObject", object("mine"))).to.equal(false);
    expect(await allowed(readOnly, "kms:Decrypt", kmsKey)).to.equal(true);
    expect(await allowed(readOnly, "kms:GenerateDataKey", kmsKey)).to.equal(false);
  });

  it("s3-csi opens sessions on its directory buckets only", async () => {
    const open = (name: string) =>
      allowed(
        examples["s3-csi"],
        "s3express:CreateSession",
        `arn:aws:s3express:${region}:${account}:bucket/${name}`,
      );
    expect(await open("fast--euw1-az1--x-s3")).to.equal(true);
    expect(await open("slow--euw1-az1--x-s3")).to.equal(false);
  });

  it("s3-csi of some prefixes lists and reads below them only", async () => {
    const reference: BundleReference = { bundle: "s3-csi", buckets: ["mine"], prefixes: ["team-a/"] };
    const see = (prefix: string) =>
      allowed(reference, "s3:ListBucket", "arn:aws:s3:::mine", { "s3:prefix": prefix });
    expect(await see("team-a/")).to.equal(true);
    expect(await see("team-a/in/")).to.equal(true);
    expect(await see("team-b/")).to.equal(false);
    expect(await see("")).to.equal(false);
    expect(await allowed(reference, "s3:ListBucket", "arn:aws:s3:::mine")).to.equal(false);
    expect(await allowed(reference, "s3:PutObject", "arn:aws:s3:::mine/team-a/x")).to.equal(true);
    expect(await allowed(reference, "s3:PutObject", "arn:aws:s3:::mine/team-ab/x")).to.equal(false);
  });

  it("s3-csi lets through just the buckets that it names, whatever they are called", async () => {
    // S3 knows no two dots in a row, and no addresses.
    const bucketName = fc
      .stringMatching(/^[a-z][a-z0-9.-]{1,20}[a-z0-9]$/)
      .filter((bucket) => !bucket.includes(".."));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(bucketName, { minLength: 2, maxLength: 5 }),
        async ([other = "", ...buckets]) => {
          const reference: BundleReference = { bundle: "s3-csi", buckets };
          for (const bucket of buckets) {
            expect(await allowed(reference, "s3:GetObject", `arn:aws:s3:::${bucket}/a/b`)).to.equal(true);
          }
          expect(await allowed(reference, "s3:GetObject", `arn:aws:s3:::${other}/a/b`)).to.equal(false);
        },
      ),
      { numRuns: 30 },
    );
  });

  refuse([
    [
      "an empty list",
      { bundle: "s3-csi", buckets: [] },
      ".buckets holds []; it must be a list of bucket names",
    ],
    [
      "a bucket that S3 would not take",
      { bundle: "s3-csi", buckets: ["a..b"] },
      '.buckets holds ["a..b"]; it must be a list of bucket names',
    ],
    [
      "buckets by pattern",
      { bundle: "s3-csi", buckets: ["team-*"] },
      '.buckets holds ["team-*"]; it must be a list of bucket names',
    ],
    [
      "a flag that is text",
      { bundle: "s3-csi", buckets: ["mine"], readOnly: "false" },
      '.readOnly holds "false"; it must be true or false',
    ],
    [
      "a scope that there is not",
      { bundle: "ebs-csi", scope: "volume" },
      '.scope holds "volume"; it must be one of driver, cluster, account',
    ],
    [
      "a cluster's scope without the cluster",
      { bundle: "ebs-csi", scope: "cluster" },
      ".cluster is not set; with scope: cluster it must be the cluster's name",
    ],
    [
      "a cluster without its scope",
      { bundle: "ebs-csi", cluster: "prod" },
      '.cluster holds "prod"; it is for scope: cluster',
    ],
    [
      "an alias of a key",
      { bundle: "ebs-csi", kmsKeys: [`arn:aws:kms:${region}:${account}:alias/ebs`] },
      "; it must be a list of ARNs of KMS keys (arn:aws:kms:eu-central-1:111122223333:key/...), not of aliases",
    ],
    [
      "a directory bucket that is only read, which Mountpoint cannot mount",
      { ...examples["s3-csi"], readOnly: true },
      ".readOnly holds true; Mountpoint opens sessions on a directory bucket, fast--euw1-az1--x-s3, for writing",
    ],
    [
      "prefixes of a directory bucket",
      { ...examples["s3-csi"], prefixes: ["team-a/"] },
      '.prefixes holds ["team-a/"]; a session on a directory bucket',
    ],
    ...["team-a", "/team-a/", "team-*/", "*", ""].map((prefix): [string, object, string] => [
      `the prefix ${JSON.stringify(prefix)}`,
      { bundle: "s3-csi", buckets: ["mine"], prefixes: [prefix] },
      `.prefixes holds [${JSON.stringify(prefix)}]; it must be a list of prefixes that end in /`,
    ]),
    ...["10.0.0.1", "xn--mine", "amzn-s3-demo-bucket", "mine-s3alias", "Mine", "no_such", "x--x-s3"].map(
      (bucket): [string, object, string] => [
        `the bucket ${bucket}, which S3 would not have`,
        { bundle: "velero", buckets: [bucket] },
        `.buckets holds ["${bucket}"]; it must be a list of bucket names`,
      ],
    ),
    [
      "tags of access points on a node's role",
      { bundle: "efs-csi", pods: "node", tagKeys: ["team"] },
      ".tagKeys holds",
    ],
    [
      "buckets on the controller's role",
      { bundle: "efs-csi", buckets: ["mine"] },
      '.buckets holds ["mine"]; nodes read from buckets',
    ],
    [
      "keys of volumes where no volumes are made",
      { bundle: "velero", buckets: ["mine"], snapshots: false, volumeKmsKeys: [kmsKey] },
      ".volumeKmsKeys holds",
    ],
    [
      "how policies of AWS's own are attached",
      { bundle: "efs-csi", attach: "managed" },
      '.attach holds "managed"; it comes to policies of AWS\'s own',
    ],
  ]);
});

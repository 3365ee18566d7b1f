import { expect } from "chai";
import type { BundleReference } from "../../../iam/bundles.ts";
import { resolvePolicies } from "../../../iam/policies.ts";
import { characters } from "../../../iam/policy-document.ts";
import { managedPolicyCharacters } from "../../../iam/quotas.ts";
import { account, allowed, documentOf, examples, refuse, region } from "./harness.ts";

const nodeRole = `arn:aws:iam::${account}:role/nodes`;

describe("bundles of autoscaling", () => {
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

  refuse([
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
      "a queue by its URL",
      { bundle: "node-termination-handler", queues: ["https://sqs.eu-west-1.amazonaws.com/1/q"] },
      "; it must be a list of ARNs of SQS queues",
    ],
  ]);
});

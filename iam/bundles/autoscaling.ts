import type { Of } from "../bundles.ts";
import { region } from "../partition.ts";
import type { Statement } from "../policy-document.ts";
import { allow, clusterName, type Definition, inline, optional, text } from "./definition.ts";

/** Source: "Full Cluster Autoscaler Features Policy", cluster-autoscaler/cloudprovider/aws/README.md of github.com/kubernetes/autoscaler. */
export const clusterAutoscaler: Definition<Of<"cluster-autoscaler">> = {
  parameters: { cluster: clusterName },
  resolve: ({ cluster }) =>
    inline(() => [
      allow(
        [
          "autoscaling:DescribeAutoScalingGroups",
          "autoscaling:DescribeAutoScalingInstances",
          "autoscaling:DescribeLaunchConfigurations",
          "autoscaling:DescribeScalingActivities",
          "autoscaling:DescribeTags",
          "ec2:DescribeImages",
          "ec2:DescribeInstanceTypes",
          "ec2:DescribeLaunchTemplateVersions",
          "ec2:GetInstanceTypesFromInstanceRequirements",
          "eks:DescribeNodegroup",
        ],
        "*",
      ),
      // EKS gives its managed node groups this tag; self-managed ones need it for discovery anyway.
      allow(["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"], "*", {
        StringEquals: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: "owned" },
      }),
    ]),
};

/**
 * Source: the controller policy in the CloudFormation template of karpenter.sh, 1.x, with what came later: capacity
 * reservations (1.3), placement groups (1.11), instance status and zonal shifts (1.12).
 */
export const karpenter: Definition<Of<"karpenter">> = {
  parameters: {
    cluster: clusterName,
    nodeRole: text("the ARN of the nodes' role", /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/),
    interruptionQueue: optional(
      text("the ARN of an SQS queue", /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w.-]+$/),
    ),
    region: optional(region),
  },
  resolve: (reference) => inline((partition) => karpenterStatements(reference, partition)),
};

function karpenterStatements(reference: Of<"karpenter">, partition: string): Statement[] {
  const { cluster, nodeRole, interruptionQueue, region } = reference;
  const where = region ?? "*";
  const ec2 = (...kinds: string[]): string[] =>
    kinds.map((kind) => `arn:${partition}:ec2:${where}:*:${kind}/*`);
  const clusterArn = `arn:${partition}:eks:${where}:*:cluster/${cluster}`;
  const instanceProfiles = `arn:${partition}:iam::*:instance-profile/*`;
  const made = [
    ...["fleet", "instance", "volume", "network-interface"],
    ...["launch-template", "spot-instances-request"],
  ];

  // Karpenter gives all that it makes these tags.
  const owner = `kubernetes.io/cluster/${cluster}`;
  const nodePool = "karpenter.sh/nodepool";
  const nodeClass = "karpenter.k8s.aws/ec2nodeclass";
  const requested = { [`aws:RequestTag/${owner}`]: "owned", "aws:RequestTag/eks:eks-cluster-name": cluster };
  const own = { [`aws:ResourceTag/${owner}`]: "owned" };
  const ownNode = { StringEquals: own, StringLike: { [`aws:ResourceTag/${nodePool}`]: "*" } };
  // IAM is not regional, so the region of an instance profile is in its tag only.
  const inRegion = (of: "RequestTag" | "ResourceTag"): Record<string, string> =>
    region === undefined ? {} : { [`aws:${of}/topology.kubernetes.io/region`]: region };

  return [
    allow(
      ["ec2:RunInstances", "ec2:CreateFleet"],
      [
        `arn:${partition}:ec2:${where}::image/*`,
        `arn:${partition}:ec2:${where}::snapshot/*`,
        ...ec2("security-group", "subnet", "capacity-reservation", "placement-group"),
      ],
    ),
    allow(["ec2:RunInstances", "ec2:CreateFleet"], ec2("launch-template"), ownNode),
    allow(["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"], ec2(...made), {
      StringEquals: requested,
      StringLike: { [`aws:RequestTag/${nodePool}`]: "*" },
    }),
    allow("ec2:CreateTags", ec2(...made), {
      StringEquals: {
        ...requested,
        "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
      },
      StringLike: { [`aws:RequestTag/${nodePool}`]: "*" },
    }),
    allow("ec2:CreateTags", ec2("instance"), {
      ...ownNode,
      StringEqualsIfExists: { "aws:RequestTag/eks:eks-cluster-name": cluster },
      "ForAllValues:StringEquals": {
        "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"],
      },
    }),
    allow(
      ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
      ec2("instance", "launch-template"),
      ownNode,
    ),
    allow(
      [
        ...["ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances"],
        ...["ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes"],
        ...["ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups"],
        ...["ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets"],
      ],
      "*",
      region === undefined ? undefined : { StringEquals: { "aws:RequestedRegion": region } },
    ),
    // The price list is in few regions, instance profiles are in none.
    allow(["pricing:GetProducts", "iam:ListInstanceProfiles"], "*"),
    allow("ssm:GetParameter", `arn:${partition}:ssm:${where}::parameter/aws/service/*`),
    allow("eks:DescribeCluster", clusterArn),
    allow("arc-zonal-shift:GetManagedResource", "*", {
      StringLike: { "arc-zonal-shift:ResourceIdentifier": clusterArn },
    }),
    allow("iam:PassRole", nodeRole, {
      StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] },
    }),
    allow("iam:GetInstanceProfile", instanceProfiles),
    allow("iam:CreateInstanceProfile", instanceProfiles, {
      StringEquals: { ...requested, ...inRegion("RequestTag") },
      StringLike: { [`aws:RequestTag/${nodeClass}`]: "*" },
    }),
    allow("iam:TagInstanceProfile", instanceProfiles, {
      StringEquals: { ...own, ...requested, ...inRegion("ResourceTag"), ...inRegion("RequestTag") },
      StringLike: { [`aws:ResourceTag/${nodeClass}`]: "*", [`aws:RequestTag/${nodeClass}`]: "*" },
    }),
    allow(
      ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"],
      instanceProfiles,
      {
        StringEquals: { ...own, ...inRegion("ResourceTag") },
        StringLike: { [`aws:ResourceTag/${nodeClass}`]: "*" },
      },
    ),
    ...(interruptionQueue === undefined
      ? []
      : [allow(["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"], interruptionQueue)]),
  ];
}

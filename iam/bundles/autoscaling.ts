import type { Of } from "../bundles.ts";
import { region } from "../partition.ts";
import type { Statement } from "../policy-document.ts";
import {
  actionsOf,
  allow,
  clusterName,
  type Definition,
  flag,
  inline,
  list,
  optional,
  queueArn,
  text,
  when,
} from "./definition.ts";

/** Source: "Full Cluster Autoscaler Features Policy", cluster-autoscaler/cloudprovider/aws/README.md of github.com/kubernetes/autoscaler. */
export const clusterAutoscaler: Definition<Of<"cluster-autoscaler">> = {
  parameters: { cluster: clusterName },
  resolve: ({ cluster }) => [
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
      // EKS gives its managed node groups this tag; self-managed ones need it for discovery anyway, with any value.
      allow(["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"], "*", {
        Null: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: "false" },
      }),
    ]),
  ],
};

const regionOfArn = (arn: string | undefined): string | undefined => arn?.split(":")[3];

/**
 * Source: the controller's policies in the CloudFormation template of karpenter.sh (1.14), with their region and account:
 * Karpenter works in one of each. Since 1.3 it reads capacity reservations, 1.11 placement groups, 1.12 zonal shifts.
 */
export const karpenter: Definition<Of<"karpenter">> = {
  parameters: {
    cluster: clusterName,
    nodeRole: text("the ARN of the nodes' role", /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/),
    interruptionQueue: optional(text("the ARN of an SQS queue", queueArn)),
    region: optional(region),
  },
  fault: ({ region, interruptionQueue }) => {
    const own = regionOfArn(interruptionQueue);
    if (region === undefined && own === undefined) {
      return ["region", "it must be the cluster's region, unless interruptionQueue tells it"];
    }
    if (region !== undefined && own !== undefined && region !== own) {
      return ["region", `it must be the cluster's region, as interruptionQueue's is, ${own}`];
    }
    return undefined;
  },
  resolve: (reference) => [inline((partition) => karpenterStatements(reference, partition))],
};

function karpenterStatements(reference: Of<"karpenter">, partition: string): Statement[] {
  const { cluster, nodeRole, interruptionQueue } = reference;
  const region = reference.region ?? regionOfArn(interruptionQueue) ?? "";
  const account = nodeRole.split(":")[4] ?? "";
  const ec2 = (...kinds: string[]): string[] =>
    kinds.map((kind) => `arn:${partition}:ec2:${region}:*:${kind}/*`);
  const clusterArn = `arn:${partition}:eks:${region}:${account}:cluster/${cluster}`;
  const instanceProfiles = `arn:${partition}:iam::${account}:instance-profile/*`;
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
  const inRegion = (of: "RequestTag" | "ResourceTag"): Record<string, string> => ({
    [`aws:${of}/topology.kubernetes.io/region`]: region,
  });

  return [
    allow(
      ["ec2:RunInstances", "ec2:CreateFleet"],
      [
        `arn:${partition}:ec2:${region}::image/*`,
        `arn:${partition}:ec2:${region}::snapshot/*`,
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
      { StringEquals: { "aws:RequestedRegion": region } },
    ),
    // The price list is in few regions, instance profiles are in none.
    allow(["pricing:GetProducts", "iam:ListInstanceProfiles"], "*"),
    allow("ssm:GetParameter", `arn:${partition}:ssm:${region}::parameter/aws/service/*`),
    allow("eks:DescribeCluster", clusterArn),
    allow("arc-zonal-shift:GetManagedResource", "*", {
      StringEquals: { "arc-zonal-shift:ResourceIdentifier": clusterArn },
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

/**
 * Source: "Create an IAM Role for the Pods", README of github.com/aws/aws-node-termination-handler (queue processor, 1.25);
 * for heartbeats, which that page leaves out, pkg/monitor/sqsevent/asg-lifecycle-event.go.
 */
export const nodeTerminationHandler: Definition<Of<"node-termination-handler">> = {
  parameters: {
    queues: list("a list of ARNs of SQS queues (arn:aws:sqs:eu-central-1:111122223333:NAME)", queueArn),
    heartbeats: flag,
  },
  resolve: ({ queues, heartbeats }) => [
    inline(() => [
      allow(
        [
          ...actionsOf("autoscaling")(
            "CompleteLifecycleAction",
            "DescribeAutoScalingInstances",
            "DescribeTags",
          ),
          ...when(
            heartbeats,
            ...actionsOf("autoscaling")("DescribeLifecycleHooks", "RecordLifecycleActionHeartbeat"),
          ),
          "ec2:DescribeInstances",
        ],
        "*",
      ),
      allow(actionsOf("sqs")("DeleteMessage", "ReceiveMessage"), queues),
    ]),
  ],
};

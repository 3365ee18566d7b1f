import type { Of } from "../bundles.ts";
import { actionsOf, allow, type Definition, flag, inline, managed, when } from "./definition.ts";

/**
 * Source: docs/iam-policy.md of github.com/aws/amazon-vpc-cni-k8s; for the logs of network policies "Configure your
 * cluster for Kubernetes network policies", EKS User Guide. It looks for subnets and security groups since 1.22, and
 * without either `aws-node` does not start.
 */
export const vpcCni: Definition<Of<"vpc-cni">> = {
  parameters: { ipv6: flag, networkPolicyLogs: flag },
  resolve: ({ ipv6, networkPolicyLogs }) => [
    ipv6
      ? inline((partition) => [
          allow(
            actionsOf("ec2")(
              ...["AssignIpv6Addresses", "DescribeInstances", "DescribeInstanceTypes"],
              ...["DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets", "DescribeTags"],
            ),
            "*",
          ),
          allow("ec2:CreateTags", `arn:${partition}:ec2:*:*:network-interface/*`),
        ])
      : managed("AmazonEKS_CNI_Policy"),
    ...when(
      networkPolicyLogs,
      inline(
        (partition) => [
          allow("logs:DescribeLogGroups", "*"),
          allow(
            actionsOf("logs")("CreateLogGroup", "CreateLogStream", "PutLogEvents"),
            ["", ":log-stream:*"].map((stream) => `arn:${partition}:logs:*:*:log-group:/aws/eks/*${stream}`),
          ),
        ],
        "logs",
      ),
    ),
  ],
};

/**
 * Source: files/controller-installation/recommended-inline-policy.json of github.com/aws/aws-application-networking-k8s
 * (2.x). It is as wide as there: VPC Lattice's resources are told apart by the controller, not by tags of the cluster.
 */
export const gatewayApiController: Definition<Of<"gateway-api-controller">> = {
  parameters: { accessLogs: flag },
  resolve: ({ accessLogs = true }) => [
    inline((partition) => {
      const serviceLinkedRole = (service: string, role: string) =>
        allow(
          "iam:CreateServiceLinkedRole",
          `arn:${partition}:iam::*:role/aws-service-role/${service}/${role}`,
          {
            StringLike: { "iam:AWSServiceName": service },
          },
        );
      return [
        allow(
          [
            "vpc-lattice:*",
            ...actionsOf("ec2")(
              ...["DescribeVpcs", "DescribeSubnets", "DescribeTags", "DescribeSecurityGroups"],
            ),
            ...actionsOf("tag")("GetResources", "TagResources", "UntagResources"),
            "acm:ListCertificates",
          ],
          "*",
        ),
        serviceLinkedRole("vpc-lattice.amazonaws.com", "AWSServiceRoleForVpcLattice"),
        // Of an AccessLogPolicy: to a log group, a delivery stream or a bucket.
        ...when(
          accessLogs,
          allow(
            [
              ...actionsOf("logs")(
                ...["CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"],
                ...[
                  "ListLogDeliveries",
                  "DescribeLogGroups",
                  "PutResourcePolicy",
                  "DescribeResourcePolicies",
                ],
              ),
              "firehose:TagDeliveryStream",
              ...actionsOf("s3")("GetBucketPolicy", "PutBucketPolicy"),
            ],
            "*",
          ),
          serviceLinkedRole("delivery.logs.amazonaws.com", "AWSServiceRoleForLogDelivery"),
        ),
      ];
    }),
  ],
};

import type { Of } from "../bundles.ts";
import type { Conditions, Statement } from "../policy-document.ts";
import { allow, clusterName, type Definition, flag, inline, managed, optional } from "./definition.ts";

/** Source: "Configure Amazon VPC CNI plugin to use IRSA", EKS User Guide. */
export const vpcCni: Definition<Of<"vpc-cni">> = {
  parameters: { ipv6: flag },
  resolve: ({ ipv6 }) =>
    ipv6
      ? inline((partition) => [
          allow(
            [
              "ec2:AssignIpv6Addresses",
              "ec2:DescribeInstances",
              "ec2:DescribeInstanceTypes",
              "ec2:DescribeNetworkInterfaces",
              "ec2:DescribeTags",
            ],
            "*",
          ),
          allow("ec2:CreateTags", `arn:${partition}:ec2:*:*:network-interface/*`),
        ])
      : managed("AmazonEKS_CNI_Policy"),
};

/**
 * Source: docs/install/iam_policy.json of github.com/kubernetes-sigs/aws-load-balancer-controller, 2.13 and 2.14. The
 * controller's Global Accelerator part (3.4), which has a policy of its own, is not in it.
 */
export const loadBalancerController: Definition<Of<"load-balancer-controller">> = {
  parameters: { cluster: optional(clusterName) },
  resolve: ({ cluster }) => inline((partition) => loadBalancerStatements(partition, cluster)),
};

const tag = "elbv2.k8s.aws/cluster";

function loadBalancerStatements(partition: string, cluster: string | undefined): Statement[] {
  const elb = (...actions: string[]): string[] => actions.map((action) => `elasticloadbalancing:${action}`);
  const ec2 = (...actions: string[]): string[] => actions.map((action) => `ec2:${action}`);
  const elbArns = (...paths: string[]): string[] =>
    paths.map((path) => `arn:${partition}:elasticloadbalancing:*:*:${path}`);
  const securityGroups = `arn:${partition}:ec2:*:*:security-group/*`;
  const ownKinds = elbArns("targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*");
  const listeners = elbArns(
    ...["listener/net/*/*/*", "listener/app/*/*/*", "listener-rule/net/*/*/*", "listener-rule/app/*/*/*"],
  );

  // What the controller makes carries its cluster's tag. `Null: false` says that the tag is there, whatever it holds.
  const tagged = (of: "RequestTag" | "ResourceTag"): Conditions =>
    cluster === undefined
      ? { Null: { [`aws:${of}/${tag}`]: "false" } }
      : { StringEquals: { [`aws:${of}/${tag}`]: cluster } };
  const both = (one: Conditions, other: Conditions): Conditions =>
    Object.fromEntries(
      Object.keys({ ...one, ...other }).map((operator) => [
        operator,
        { ...one[operator], ...other[operator] },
      ]),
    );
  // Its other tags may change, that one may not.
  const ownButForItsTag = both(tagged("ResourceTag"), { Null: { [`aws:RequestTag/${tag}`]: "true" } });

  return [
    allow("iam:CreateServiceLinkedRole", "*", {
      StringEquals: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" },
    }),
    allow(
      [
        ...ec2(
          ...["DescribeAccountAttributes", "DescribeAddresses", "DescribeAvailabilityZones"],
          ...["DescribeInternetGateways", "DescribeVpcs", "DescribeVpcPeeringConnections", "DescribeSubnets"],
          ...["DescribeSecurityGroups", "DescribeInstances", "DescribeNetworkInterfaces", "DescribeTags"],
          ...["GetCoipPoolUsage", "DescribeCoipPools", "GetSecurityGroupsForVpc", "DescribeIpamPools"],
          "DescribeRouteTables",
        ),
        ...elb(
          ...["DescribeLoadBalancers", "DescribeLoadBalancerAttributes", "DescribeListeners"],
          ...["DescribeListenerCertificates", "DescribeSSLPolicies", "DescribeRules", "DescribeTargetGroups"],
          ...["DescribeTargetGroupAttributes", "DescribeTargetHealth", "DescribeTags", "DescribeTrustStores"],
          ...["DescribeListenerAttributes", "DescribeCapacityReservation"],
        ),
      ],
      "*",
    ),
    allow(
      [
        ...["cognito-idp:DescribeUserPoolClient", "acm:ListCertificates", "acm:DescribeCertificate"],
        ...["iam:ListServerCertificates", "iam:GetServerCertificate"],
        ...["waf-regional:GetWebACL", "waf-regional:GetWebACLForResource"],
        ...["waf-regional:AssociateWebACL", "waf-regional:DisassociateWebACL"],
        ...["wafv2:GetWebACL", "wafv2:GetWebACLForResource"],
        ...["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"],
        ...["shield:GetSubscriptionState", "shield:DescribeProtection"],
        ...["shield:CreateProtection", "shield:DeleteProtection"],
      ],
      "*",
    ),
    // Those of nodes as well, which do not carry the tag.
    allow(ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "CreateSecurityGroup"), "*"),
    allow(
      "ec2:CreateTags",
      securityGroups,
      both({ StringEquals: { "ec2:CreateAction": "CreateSecurityGroup" } }, tagged("RequestTag")),
    ),
    allow(ec2("CreateTags", "DeleteTags"), securityGroups, ownButForItsTag),
    allow("ec2:DeleteSecurityGroup", "*", tagged("ResourceTag")),
    allow(elb("CreateLoadBalancer", "CreateTargetGroup"), "*", tagged("RequestTag")),
    allow(elb("CreateListener", "DeleteListener", "CreateRule", "DeleteRule"), "*"),
    allow(elb("AddTags", "RemoveTags"), ownKinds, ownButForItsTag),
    allow(elb("AddTags", "RemoveTags"), listeners),
    allow(
      elb(
        ...["ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets"],
        ...["DeleteLoadBalancer", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
        ...["ModifyListenerAttributes", "ModifyCapacityReservation", "ModifyIpPools"],
      ),
      "*",
      tagged("ResourceTag"),
    ),
    allow(
      elb("AddTags"),
      ownKinds,
      both(
        {
          StringEquals: { "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] },
        },
        tagged("RequestTag"),
      ),
    ),
    allow(elb("RegisterTargets", "DeregisterTargets"), elbArns("targetgroup/*/*")),
    allow(
      elb(
        ...["SetWebAcl", "ModifyListener", "AddListenerCertificates", "RemoveListenerCertificates"],
        ...["ModifyRule", "SetRulePriorities"],
      ),
      "*",
    ),
  ];
}

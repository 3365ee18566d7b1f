import type { Of } from "../bundles.ts";
import type { Conditions, Statement } from "../policy-document.ts";
import {
  actionsOf,
  allow,
  both,
  clusterName,
  type Definition,
  flag,
  hostedZones,
  inline,
  list,
  optional,
  text,
  when,
  zoneArns,
} from "./definition.ts";

const tag = "elbv2.k8s.aws/cluster";

/** What the controller makes carries its cluster's tag. `Null: false` says that the tag is there, whatever it holds. */
const tagged = (of: "RequestTag" | "ResourceTag", cluster: string | undefined): Conditions =>
  cluster === undefined
    ? { Null: { [`aws:${of}/${tag}`]: "false" } }
    : { StringEquals: { [`aws:${of}/${tag}`]: cluster } };

/** The other tags of what is its own may change, that one may not. */
const ownButForItsTag = (cluster: string | undefined): Conditions =>
  both(tagged("ResourceTag", cluster), { Null: { [`aws:RequestTag/${tag}`]: "true" } });

const elb = actionsOf("elasticloadbalancing");
const ec2 = actionsOf("ec2");
const globalAccelerator = actionsOf("globalaccelerator");

/**
 * Source: docs/install/iam_policy.json of github.com/kubernetes-sigs/aws-load-balancer-controller, with
 * `wafv2:ListWebACLs`, which its annotations.md asks for beside it (`wafv2-acl-name`). Of the optional parts:
 * aga_controller_iam_policy.json and iam_policy_acm_certs.json, beside that file; and for the VPC docs/deploy/installation.md.
 */
export const loadBalancerController: Definition<Of<"load-balancer-controller">> = {
  parameters: {
    cluster: optional(clusterName),
    vpc: optional(
      text("the id of a VPC such as vpc-0a1b2c3d4e5f60718", /^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/),
    ),
    globalAccelerator: flag,
    certificateZones: optional(hostedZones),
    certificateAuthorities: optional(
      list(
        "a list of ARNs of private certificate authorities (arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/...)",
        /^arn:aws[a-z-]*:acm-pca:[a-z0-9-]+:\d{12}:certificate-authority\/[\w-]+$/,
      ),
    ),
  },
  resolve: (reference) => {
    const { cluster, globalAccelerator, certificateZones, certificateAuthorities } = reference;
    return [
      inline((partition) => loadBalancerStatements(partition, reference)),
      ...when(
        globalAccelerator,
        inline((partition) => acceleratorStatements(partition, cluster), "global-accelerator"),
      ),
      ...when(
        certificateZones !== undefined || certificateAuthorities !== undefined,
        inline((partition) => certificateStatements(partition, reference), "certificates"),
      ),
    ];
  },
};

function loadBalancerStatements(
  partition: string,
  { cluster, vpc }: Of<"load-balancer-controller">,
): Statement[] {
  const elbArns = (...paths: string[]): string[] =>
    paths.map((path) => `arn:${partition}:elasticloadbalancing:*:*:${path}`);
  const securityGroups = `arn:${partition}:ec2:*:*:security-group/*`;
  const vpcArn = `arn:${partition}:ec2:*:*:vpc/${vpc}`;
  const ownKinds = elbArns("targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*");
  const listeners = elbArns(
    ...["listener/net/*/*/*", "listener/app/*/*/*", "listener-rule/net/*/*/*", "listener-rule/app/*/*/*"],
  );

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
        ...["cognito-idp:DescribeUserPoolClient", "acm:ListCertificates", "acm:DescribeCertificate"],
        ...["iam:ListServerCertificates", "iam:GetServerCertificate"],
        ...actionsOf("waf-regional")("GetWebACL", "GetWebACLForResource"),
        ...actionsOf("waf-regional")("AssociateWebACL", "DisassociateWebACL"),
        ...actionsOf("wafv2")("GetWebACL", "GetWebACLForResource", "ListWebACLs"),
        ...actionsOf("wafv2")("AssociateWebACL", "DisassociateWebACL"),
        ...actionsOf("shield")("GetSubscriptionState", "DescribeProtection"),
        ...actionsOf("shield")("CreateProtection", "DeleteProtection"),
      ],
      "*",
    ),
    // Those of nodes as well, which do not carry the tag.
    ...(vpc === undefined
      ? [
          allow(
            ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "CreateSecurityGroup"),
            "*",
          ),
        ]
      : [
          allow(ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"), "*", {
            ArnLike: { "ec2:Vpc": vpcArn },
          }),
          allow(ec2("CreateSecurityGroup"), [securityGroups, vpcArn]),
        ]),
    allow(
      "ec2:CreateTags",
      securityGroups,
      both({ StringEquals: { "ec2:CreateAction": "CreateSecurityGroup" } }, tagged("RequestTag", cluster)),
    ),
    allow(ec2("CreateTags", "DeleteTags"), securityGroups, ownButForItsTag(cluster)),
    allow("ec2:DeleteSecurityGroup", "*", tagged("ResourceTag", cluster)),
    allow(elb("CreateLoadBalancer", "CreateTargetGroup"), "*", tagged("RequestTag", cluster)),
    allow(elb("AddTags", "RemoveTags"), ownKinds, ownButForItsTag(cluster)),
    allow(elb("AddTags", "RemoveTags"), listeners),
    allow(
      elb(
        ...["ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets"],
        ...["DeleteLoadBalancer", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
        ...["ModifyListenerAttributes", "ModifyCapacityReservation", "ModifyIpPools"],
      ),
      "*",
      tagged("ResourceTag", cluster),
    ),
    allow(
      elb("AddTags"),
      ownKinds,
      both(
        {
          StringEquals: { "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] },
        },
        tagged("RequestTag", cluster),
      ),
    ),
    allow(elb("RegisterTargets", "DeregisterTargets"), elbArns("targetgroup/*/*")),
    allow(
      elb(
        ...["CreateListener", "DeleteListener", "CreateRule", "DeleteRule"],
        ...["SetWebAcl", "ModifyListener", "AddListenerCertificates", "RemoveListenerCertificates"],
        ...["ModifyRule", "SetRulePriorities"],
      ),
      "*",
    ),
  ];
}

function acceleratorStatements(partition: string, cluster: string | undefined): Statement[] {
  const accelerators = `arn:${partition}:globalaccelerator::*:accelerator/*`;
  const all = [accelerators, `${accelerators}/listener/*`, `${accelerators}/listener/*/endpoint-group/*`];
  const marked = (of: "RequestTag" | "ResourceTag"): Conditions => ({
    StringEquals: { [`aws:${of}/aga.k8s.aws/resource`]: "GlobalAccelerator" },
  });
  const own = both(tagged("ResourceTag", cluster), marked("ResourceTag"));
  const made = both(tagged("RequestTag", cluster), marked("RequestTag"));
  return [
    allow("iam:CreateServiceLinkedRole", "*", {
      StringEquals: { "iam:AWSServiceName": "globalaccelerator.amazonaws.com" },
    }),
    allow(
      [
        ...globalAccelerator("ListAccelerators", "ListEndpointGroups", "ListListeners"),
        ...globalAccelerator("ListTagsForResource"),
        ...["ec2:DescribeRegions", "tag:GetResources"],
      ],
      "*",
    ),
    allow(
      globalAccelerator(
        ...["DescribeAccelerator", "DescribeEndpointGroup", "DescribeListener"],
        ...["UpdateAccelerator", "DeleteAccelerator", "CreateListener", "UpdateListener", "DeleteListener"],
        ...["CreateEndpointGroup", "UpdateEndpointGroup", "DeleteEndpointGroup"],
        ...["AddEndpoints", "RemoveEndpoints"],
      ),
      all,
      own,
    ),
    allow(globalAccelerator("CreateAccelerator"), "*", made),
    allow(
      globalAccelerator("TagResource"),
      accelerators,
      both(ownButForItsTag(cluster), marked("ResourceTag")),
    ),
    allow(globalAccelerator("UntagResource"), accelerators, own),
    allow(globalAccelerator("TagResource"), accelerators, made),
  ];
}

/** Upstream's lets it change any zone, and use any private authority. */
function certificateStatements(
  partition: string,
  { cluster, certificateZones = [], certificateAuthorities = [] }: Of<"load-balancer-controller">,
): Statement[] {
  return [
    allow(actionsOf("acm")("ListTagsForCertificate", "AddTagsToCertificate"), "*"),
    allow("acm:RequestCertificate", "*", tagged("RequestTag", cluster)),
    allow("acm:DeleteCertificate", "*", tagged("ResourceTag", cluster)),
    ...when(
      certificateZones.length > 0,
      allow(actionsOf("route53")("ListHostedZones", "ListHostedZonesByName"), "*"),
      allow("route53:ChangeResourceRecordSets", zoneArns(partition, certificateZones)),
    ),
    ...when(
      certificateAuthorities.length > 0,
      allow(
        actionsOf("acm-pca")("IssueCertificate", "GetCertificate", "ListPermissions"),
        certificateAuthorities,
      ),
    ),
  ];
}

/** Source: "Special IAM cases", docs/deploy/installation.md of the same project; for the rules the Terraform module's. */
export const targetGroupBinding: Definition<Of<"target-group-binding">> = {
  parameters: {
    targetGroups: list(
      "a list of ARNs of target groups (arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/NAME/ID)",
      /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup\/[A-Za-z0-9-]{1,32}\/[0-9a-f*]+$/,
    ),
    securityGroupRules: flag,
    assumeRoles: optional(
      list(
        "a list of ARNs of roles (arn:aws:iam::111122223333:role/NAME)",
        /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/,
      ),
    ),
  },
  resolve: ({ targetGroups, securityGroupRules, assumeRoles }) => [
    inline(() => [
      allow(
        [
          ...ec2("DescribeVpcs", "DescribeSecurityGroups", "DescribeInstances"),
          ...elb("DescribeTargetGroups", "DescribeTargetHealth"),
          ...when(securityGroupRules, ...ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress")),
        ],
        "*",
      ),
      allow(
        elb(
          ...["ModifyTargetGroup", "ModifyTargetGroupAttributes"],
          ...["RegisterTargets", "DeregisterTargets"],
        ),
        targetGroups,
      ),
      ...(assumeRoles === undefined ? [] : [allow("sts:AssumeRole", assumeRoles)]),
    ]),
  ],
};

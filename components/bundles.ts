import type { PolicyDocument, Statement } from "./policy-document";

// The policies of controllers that people attach over and over. Where AWS keeps a managed policy for one, that is it;
// else the document that its project publishes, scoped to what the caller names.

/** A well-known set of permissions, by name. */
export type BundleReference =
  /** Amazon EBS CSI driver: AWS's own policy. */
  | { readonly bundle: "ebs-csi" }
  /** Amazon EFS CSI driver: AWS's own policy. */
  | { readonly bundle: "efs-csi" }
  /** Amazon VPC CNI: AWS's own policy; for IPv6 clusters the document of the EKS User Guide. */
  | { readonly bundle: "vpc-cni"; readonly ipv6?: boolean }
  /** AWS Load Balancer Controller. It changes only what carries its own cluster tag. */
  | { readonly bundle: "load-balancer-controller" }
  /** external-dns, for these Route 53 hosted zones (`Z...`). */
  | { readonly bundle: "external-dns"; readonly hostedZones: readonly string[] }
  /** cert-manager's DNS-01 solver, for these Route 53 hosted zones (`Z...`). */
  | { readonly bundle: "cert-manager"; readonly hostedZones: readonly string[] }
  /** Cluster Autoscaler, for the node groups of this cluster that carry its discovery tag. */
  | { readonly bundle: "cluster-autoscaler"; readonly cluster: string }
  /** Karpenter 1.x, for this cluster; it gives its nodes this role, and reads interruptions from this queue. */
  | {
      readonly bundle: "karpenter";
      readonly cluster: string;
      /** ARN of the nodes' role. */
      readonly nodeRole: string;
      /** ARN of the SQS queue. Default none. */
      readonly interruptionQueue?: string;
    }
  /** External Secrets Operator: reads these Secrets Manager secrets and SSM parameters, by ARN. */
  | {
      readonly bundle: "external-secrets";
      readonly secrets?: readonly string[];
      readonly parameters?: readonly string[];
    }
  /** Mountpoint for Amazon S3 CSI driver, for these buckets, by name. */
  | { readonly bundle: "s3-csi"; readonly buckets: readonly string[]; readonly readOnly?: boolean };

export type BundleName = BundleReference["bundle"];

/** What a bundle comes to. */
export type ResolvedBundle =
  | { readonly kind: "aws-managed"; readonly path: string }
  | { readonly kind: "inline"; readonly document: (partition: string) => PolicyDocument };

interface Parameter {
  readonly name: string;
  readonly required: boolean;
  /** What it must be, as the end of a sentence. */
  readonly rule: string;
  readonly test: (value: unknown) => boolean;
}

interface Definition {
  readonly parameters: readonly Parameter[];
  // The parameters have been checked against the list above.
  readonly resolve: (reference: never) => ResolvedBundle;
}

const listOf =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === "string" && pattern.test(one));
const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === "string" && pattern.test(value);
const flag = (value: unknown): boolean => typeof value === "boolean";

const hostedZones: Parameter = {
  name: "hostedZones",
  required: true,
  rule: 'a list of Route 53 hosted zone ids such as ["Z2FDTNDATAQYW2"]',
  test: listOf(/^Z[A-Z0-9]{1,31}$/),
};
const cluster: Parameter = {
  name: "cluster",
  required: true,
  rule: "the name of an EKS cluster",
  test: matches(/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/),
};

const managed = (path: string): ResolvedBundle => ({ kind: "aws-managed", path });
const inline = (statements: (partition: string) => Statement[]): ResolvedBundle => ({
  kind: "inline",
  document: (partition) => ({ Version: "2012-10-17", Statement: statements(partition) }),
});
type Of<N extends BundleName> = Extract<BundleReference, { bundle: N }>;

const definitions: { readonly [N in BundleName]: Definition } = {
  "ebs-csi": { parameters: [], resolve: () => managed("service-role/AmazonEBSCSIDriverPolicy") },

  "efs-csi": { parameters: [], resolve: () => managed("service-role/AmazonEFSCSIDriverPolicy") },

  // Source: "Configure Amazon VPC CNI plugin to use IRSA", EKS User Guide.
  "vpc-cni": {
    parameters: [{ name: "ipv6", required: false, rule: "true or false", test: flag }],
    resolve: ({ ipv6 }: Of<"vpc-cni">) =>
      ipv6
        ? inline((partition) => [
            {
              Effect: "Allow",
              Action: [
                "ec2:AssignIpv6Addresses",
                "ec2:DescribeInstances",
                "ec2:DescribeTags",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeInstanceTypes",
              ],
              Resource: "*",
            },
            {
              Effect: "Allow",
              Action: "ec2:CreateTags",
              Resource: `arn:${partition}:ec2:*:*:network-interface/*`,
            },
          ])
        : managed("AmazonEKS_CNI_Policy"),
  },

  "load-balancer-controller": { parameters: [], resolve: () => inline(loadBalancerController) },

  // Source: docs/tutorials/aws.md of github.com/kubernetes-sigs/external-dns.
  "external-dns": {
    parameters: [hostedZones],
    resolve: ({ hostedZones }: Of<"external-dns">) =>
      inline((partition) => [
        {
          Effect: "Allow",
          Action: ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
          Resource: zoneArns(partition, hostedZones),
        },
        {
          Effect: "Allow",
          Action: ["route53:ListHostedZones", "route53:ListTagsForResources"],
          Resource: "*",
        },
      ]),
  },

  // Source: "Route53", configuration of the DNS01 challenge, cert-manager.io.
  "cert-manager": {
    parameters: [hostedZones],
    resolve: ({ hostedZones }: Of<"cert-manager">) =>
      inline((partition) => [
        { Effect: "Allow", Action: "route53:GetChange", Resource: `arn:${partition}:route53:::change/*` },
        {
          Effect: "Allow",
          Action: ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
          Resource: zoneArns(partition, hostedZones),
        },
        { Effect: "Allow", Action: "route53:ListHostedZonesByName", Resource: "*" },
      ]),
  },

  // Source: cluster-autoscaler/cloudprovider/aws/README.md of github.com/kubernetes/autoscaler.
  "cluster-autoscaler": {
    parameters: [cluster],
    resolve: ({ cluster }: Of<"cluster-autoscaler">) =>
      inline(() => [
        {
          Effect: "Allow",
          Action: [
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
          Resource: "*",
        },
        {
          Effect: "Allow",
          Action: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
          Resource: "*",
          Condition: {
            StringEquals: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster}`]: "owned" },
          },
        },
      ]),
  },

  karpenter: {
    parameters: [
      cluster,
      {
        name: "nodeRole",
        required: true,
        rule: "the ARN of the nodes' role",
        test: matches(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/),
      },
      {
        name: "interruptionQueue",
        required: false,
        rule: "the ARN of an SQS queue",
        test: matches(/^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:.+$/),
      },
    ],
    resolve: (reference: Of<"karpenter">) => inline((partition) => karpenter(reference, partition)),
  },

  // Source: "AWS Secrets Manager" and "Parameter Store", provider pages of external-secrets.io.
  "external-secrets": {
    parameters: [
      {
        name: "secrets",
        required: false,
        rule: "a list of ARNs of secrets",
        test: listOf(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9*-]+:(\d{12}|\*):secret:.+$/),
      },
      {
        name: "parameters",
        required: false,
        rule: "a list of ARNs of SSM parameters",
        test: listOf(/^arn:aws[a-z-]*:ssm:[a-z0-9*-]+:(\d{12}|\*):parameter\/.+$/),
      },
    ],
    resolve: ({ secrets = [], parameters = [] }: Of<"external-secrets">) => {
      if (secrets.length + parameters.length === 0) {
        throw new Error("the bundle external-secrets needs secrets or parameters: lists of ARNs");
      }
      return inline(() => [
        ...(secrets.length > 0
          ? [
              allow(
                [
                  "secretsmanager:DescribeSecret",
                  "secretsmanager:GetResourcePolicy",
                  "secretsmanager:GetSecretValue",
                  "secretsmanager:ListSecretVersionIds",
                ],
                secrets,
              ),
            ]
          : []),
        ...(parameters.length > 0
          ? [allow(["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"], parameters)]
          : []),
      ]);
    },
  },

  // Source: "Configuring access to S3", docs/install.md of github.com/awslabs/mountpoint-s3-csi-driver.
  "s3-csi": {
    parameters: [
      {
        name: "buckets",
        required: true,
        rule: 'a list of bucket names such as ["my-bucket"]',
        test: listOf(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
      },
      { name: "readOnly", required: false, rule: "true or false", test: flag },
    ],
    resolve: ({ buckets, readOnly }: Of<"s3-csi">) =>
      inline((partition) => [
        allow(
          ["s3:ListBucket"],
          buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`),
        ),
        allow(
          readOnly
            ? ["s3:GetObject"]
            : ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
          buckets.map((bucket) => `arn:${partition}:s3:::${bucket}/*`),
        ),
      ]),
  },
};

/** The names that there are. */
export const bundleNames = Object.keys(definitions) as BundleName[];

/**
 * Reads a reference to a bundle.
 *
 * @throws Error that says what is wrong with it, as the end of a sentence.
 */
export function resolveBundle(reference: BundleReference): ResolvedBundle {
  const definition = Object.hasOwn(definitions, reference.bundle) ? definitions[reference.bundle] : undefined;
  if (definition === undefined) {
    throw new Error(
      `there is no bundle ${JSON.stringify(reference.bundle)}; there are ${bundleNames.join(", ")}`,
    );
  }
  const values = reference as unknown as Record<string, unknown>;
  for (const { name, required, rule, test } of definition.parameters) {
    if (values[name] === undefined ? required : !test(values[name])) {
      throw new Error(`${name} of the bundle ${reference.bundle} must be ${rule}`);
    }
  }
  const known = ["bundle", ...definition.parameters.map(({ name }) => name)];
  const extra = Object.keys(values).find((key) => !known.includes(key));
  if (extra !== undefined) {
    throw new Error(
      `the bundle ${reference.bundle} has no ${JSON.stringify(extra)}; it has ${known.join(", ")}`,
    );
  }
  return definition.resolve(reference as never);
}

const allow = (Action: string[], Resource: string | readonly string[]): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

const zoneArns = (partition: string, zones: readonly string[]): string[] =>
  zones.map((zone) => `arn:${partition}:route53:::hostedzone/${zone}`);

/** Source: docs/install/iam_policy.json of github.com/kubernetes-sigs/aws-load-balancer-controller, 2.13. */
function loadBalancerController(partition: string): Statement[] {
  const elb = (...actions: string[]): string[] => actions.map((action) => `elasticloadbalancing:${action}`);
  const ec2 = (...actions: string[]): string[] => actions.map((action) => `ec2:${action}`);
  const elbArns = (...paths: string[]): string[] =>
    paths.map((path) => `arn:${partition}:elasticloadbalancing:*:*:${path}`);
  const securityGroups = `arn:${partition}:ec2:*:*:security-group/*`;
  const tag = "elbv2.k8s.aws/cluster";
  // `Null: false` says that the tag is there.
  const requestTagged = { [`aws:RequestTag/${tag}`]: "false" };
  const resourceTagged = { [`aws:ResourceTag/${tag}`]: "false" };
  const ownButForItsTag = { [`aws:RequestTag/${tag}`]: "true", ...resourceTagged };
  const ownKinds = elbArns("targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*");
  return [
    {
      ...allow(["iam:CreateServiceLinkedRole"], "*"),
      Condition: { StringEquals: { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } },
    },
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
        ...[
          "wafv2:GetWebACL",
          "wafv2:GetWebACLForResource",
          "wafv2:AssociateWebACL",
          "wafv2:DisassociateWebACL",
        ],
        ...["shield:GetSubscriptionState", "shield:DescribeProtection"],
        ...["shield:CreateProtection", "shield:DeleteProtection"],
      ],
      "*",
    ),
    allow(ec2("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "CreateSecurityGroup"), "*"),
    {
      ...allow(ec2("CreateTags"), securityGroups),
      Condition: { StringEquals: { "ec2:CreateAction": "CreateSecurityGroup" }, Null: requestTagged },
    },
    { ...allow(ec2("CreateTags", "DeleteTags"), securityGroups), Condition: { Null: ownButForItsTag } },
    { ...allow(ec2("DeleteSecurityGroup"), "*"), Condition: { Null: resourceTagged } },
    { ...allow(elb("CreateLoadBalancer", "CreateTargetGroup"), "*"), Condition: { Null: requestTagged } },
    allow(elb("CreateListener", "DeleteListener", "CreateRule", "DeleteRule"), "*"),
    { ...allow(elb("AddTags", "RemoveTags"), ownKinds), Condition: { Null: ownButForItsTag } },
    allow(
      elb("AddTags", "RemoveTags"),
      elbArns(
        "listener/net/*/*/*",
        "listener/app/*/*/*",
        "listener-rule/net/*/*/*",
        "listener-rule/app/*/*/*",
      ),
    ),
    {
      ...allow(
        elb(
          ...["ModifyLoadBalancerAttributes", "SetIpAddressType", "SetSecurityGroups", "SetSubnets"],
          ...["DeleteLoadBalancer", "ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"],
          ...["ModifyListenerAttributes", "ModifyCapacityReservation", "ModifyIpPools"],
        ),
        "*",
      ),
      Condition: { Null: resourceTagged },
    },
    {
      ...allow(elb("AddTags"), ownKinds),
      Condition: {
        StringEquals: { "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] },
        Null: requestTagged,
      },
    },
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

/** Source: the controller policy in the CloudFormation template of karpenter.sh, 1.x. */
function karpenter(
  { cluster, nodeRole, interruptionQueue }: Of<"karpenter">,
  partition: string,
): Statement[] {
  const ec2 = (...kinds: string[]): string[] => kinds.map((kind) => `arn:${partition}:ec2:*:*:${kind}/*`);
  const owner = `kubernetes.io/cluster/${cluster}`;
  const nodePool = "karpenter.sh/nodepool";
  const nodeClass = "karpenter.k8s.aws/ec2nodeclass";
  const made = [
    "fleet",
    "instance",
    "volume",
    "network-interface",
    "launch-template",
    "spot-instances-request",
  ];
  const instanceProfiles = `arn:${partition}:iam::*:instance-profile/*`;
  const requested = { [`aws:RequestTag/${owner}`]: "owned", "aws:RequestTag/eks:eks-cluster-name": cluster };
  const own = { [`aws:ResourceTag/${owner}`]: "owned" };
  return [
    allow(
      ["ec2:RunInstances", "ec2:CreateFleet"],
      [
        `arn:${partition}:ec2:*::image/*`,
        `arn:${partition}:ec2:*::snapshot/*`,
        ...ec2("security-group", "subnet", "capacity-reservation"),
      ],
    ),
    {
      ...allow(["ec2:RunInstances", "ec2:CreateFleet"], ec2("launch-template")),
      Condition: { StringEquals: own, StringLike: { [`aws:ResourceTag/${nodePool}`]: "*" } },
    },
    {
      ...allow(["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"], ec2(...made)),
      Condition: { StringEquals: requested, StringLike: { [`aws:RequestTag/${nodePool}`]: "*" } },
    },
    {
      ...allow(["ec2:CreateTags"], ec2(...made)),
      Condition: {
        StringEquals: {
          ...requested,
          "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
        },
        StringLike: { [`aws:RequestTag/${nodePool}`]: "*" },
      },
    },
    {
      ...allow(["ec2:CreateTags"], ec2("instance")),
      Condition: {
        StringEquals: own,
        StringLike: { [`aws:ResourceTag/${nodePool}`]: "*" },
        StringEqualsIfExists: { "aws:RequestTag/eks:eks-cluster-name": cluster },
        "ForAllValues:StringEquals": {
          "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"],
        },
      },
    },
    {
      ...allow(["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"], ec2("instance", "launch-template")),
      Condition: { StringEquals: own, StringLike: { [`aws:ResourceTag/${nodePool}`]: "*" } },
    },
    allow(
      [
        ...["ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances"],
        ...["ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates"],
        ...["ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets"],
        ...["pricing:GetProducts", "iam:ListInstanceProfiles"],
      ],
      "*",
    ),
    allow(["ssm:GetParameter"], `arn:${partition}:ssm:*::parameter/aws/service/*`),
    allow(["iam:GetInstanceProfile"], instanceProfiles),
    allow(["eks:DescribeCluster"], `arn:${partition}:eks:*:*:cluster/${cluster}`),
    {
      ...allow(["iam:PassRole"], nodeRole),
      Condition: { StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] } },
    },
    {
      ...allow(["iam:CreateInstanceProfile"], instanceProfiles),
      Condition: { StringEquals: requested, StringLike: { [`aws:RequestTag/${nodeClass}`]: "*" } },
    },
    {
      ...allow(["iam:TagInstanceProfile"], instanceProfiles),
      Condition: {
        StringEquals: { ...own, ...requested },
        StringLike: { [`aws:ResourceTag/${nodeClass}`]: "*", [`aws:RequestTag/${nodeClass}`]: "*" },
      },
    },
    {
      ...allow(
        ["iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile", "iam:DeleteInstanceProfile"],
        instanceProfiles,
      ),
      Condition: { StringEquals: own, StringLike: { [`aws:ResourceTag/${nodeClass}`]: "*" } },
    },
    ...(interruptionQueue === undefined
      ? []
      : [allow(["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"], interruptionQueue)]),
  ];
}

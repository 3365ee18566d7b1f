import { createHash } from "node:crypto";
import * as sdk from "@aws-sdk/client-ec2";
import type { SecurityGroupRuleArgs, SecurityGroupRuleState } from "@pulumi/aws/ec2/securityGroupRule.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import { type AwsContext, type AwsResourceType, cancellable, ignoreGone } from "../calls.ts";
import { refuseCidrs } from "../property-rules.ts";

type Inputs = Unwrap<SecurityGroupRuleArgs>;

/** Where the traffic of a rule comes from or goes to: one rule of EC2's each. */
type Peer = Pick<sdk.SecurityGroupRule, "CidrIpv4" | "CidrIpv6" | "PrefixListId"> & { group?: string };

const cidrs = { replace: true, equal: sameSet } as const;

/** A rule of a security group. It is known by what it says: its id is a digest of that, as the real provider makes one. */
export const securityGroupRule: AwsResourceType<Inputs, Unwrap<SecurityGroupRuleState>> = {
  properties: {
    type: { required: true, replace: true },
    protocol: { required: true, replace: true },
    fromPort: { required: true, replace: true },
    toPort: { required: true, replace: true },
    securityGroupId: { required: true, replace: true },
    cidrBlocks: { ...cidrs, refuse: refuseCidrs },
    ipv6CidrBlocks: cidrs,
    prefixListIds: cidrs,
    sourceSecurityGroupId: { replace: true },
    self: { replace: true, default: false },
    description: {},
  },
  computed: ["securityGroupRuleId"],

  async create(inputs, context) {
    const { ec2 } = context.config;
    if (peersOf(inputs).length === 0) {
      throw new Error(
        "one of cidrBlocks, ipv6CidrBlocks, prefixListIds, self and sourceSecurityGroupId must be set",
      );
    }
    // As EC2 does: MiniStack takes it for the same rule.
    if ((await liveRules(inputs, context)) !== undefined) {
      throw Object.assign(new Error("the specified rule already exists"), {
        name: "InvalidPermission.Duplicate",
      });
    }
    const request = {
      GroupId: inputs.securityGroupId,
      IpPermissions: [
        {
          IpProtocol: inputs.protocol,
          FromPort: inputs.fromPort,
          ToPort: inputs.toPort,
          IpRanges: inputs.cidrBlocks?.map((CidrIp) => ({ CidrIp, Description: inputs.description })),
          Ipv6Ranges: inputs.ipv6CidrBlocks?.map((CidrIpv6) => ({
            CidrIpv6,
            Description: inputs.description,
          })),
          PrefixListIds: inputs.prefixListIds?.map((PrefixListId) => ({
            PrefixListId,
            Description: inputs.description,
          })),
          UserIdGroupPairs: groupsOf(inputs).map((GroupId) => ({ GroupId, Description: inputs.description })),
        },
      ],
    };
    if (inputs.type === "egress") {
      await ec2.send(new sdk.AuthorizeSecurityGroupEgressCommand(request), cancellable(context));
    } else {
      await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand(request), cancellable(context));
    }
    const { description: _, ...said } = inputs;
    return `sgrule-${Number.parseInt(createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 8), 16)}`;
  },

  async read(_, context, { inputs }) {
    const rules = await liveRules(inputs, context);
    if (rules === undefined) return undefined;
    const [rule, ...more] = rules;
    return {
      ...inputs,
      description: rule?.Description,
      securityGroupRuleId: more.length > 0 ? undefined : rule?.SecurityGroupRuleId,
      region: context.config.region,
    };
  },

  async update(_, news, __, context) {
    // The real provider calls UpdateSecurityGroupRuleDescriptionsIngress or -Egress, which MiniStack does not have.
    const rules = (await liveRules(news, context)) ?? [];
    await context.config.ec2.send(
      new sdk.ModifySecurityGroupRulesCommand({
        GroupId: news.securityGroupId,
        SecurityGroupRules: rules.map((rule) => ({
          SecurityGroupRuleId: rule.SecurityGroupRuleId,
          SecurityGroupRule: {
            IpProtocol: rule.IpProtocol,
            FromPort: rule.FromPort,
            ToPort: rule.ToPort,
            CidrIpv4: rule.CidrIpv4,
            CidrIpv6: rule.CidrIpv6,
            PrefixListId: rule.PrefixListId,
            ReferencedGroupId: rule.ReferencedGroupInfo?.GroupId,
            Description: news.description,
          },
        })),
      }),
      cancellable(context),
    );
  },

  async delete(_, state, context) {
    const inputs = state as Inputs;
    const rules = await liveRules(inputs, context);
    const SecurityGroupRuleIds = (rules ?? []).flatMap((rule) => rule.SecurityGroupRuleId ?? []);
    if (SecurityGroupRuleIds.length === 0) return;
    const request = { GroupId: inputs.securityGroupId, SecurityGroupRuleIds };
    const { ec2 } = context.config;
    await ignoreGone(
      inputs.type === "egress"
        ? ec2.send(new sdk.RevokeSecurityGroupEgressCommand(request), cancellable(context))
        : ec2.send(new sdk.RevokeSecurityGroupIngressCommand(request), cancellable(context)),
    );
  },
};

const groupsOf = ({ self, sourceSecurityGroupId, securityGroupId }: Inputs): string[] => [
  ...(self ? [securityGroupId] : []),
  ...(sourceSecurityGroupId ? [sourceSecurityGroupId] : []),
];

const peersOf = (inputs: Inputs): Peer[] => [
  ...(inputs.cidrBlocks ?? []).map((CidrIpv4) => ({ CidrIpv4 })),
  ...(inputs.ipv6CidrBlocks ?? []).map((CidrIpv6) => ({ CidrIpv6 })),
  ...(inputs.prefixListIds ?? []).map((PrefixListId) => ({ PrefixListId })),
  ...groupsOf(inputs).map((group) => ({ group })),
];

/** EC2's rules that together say what the inputs say; undefined when one is not there. */
async function liveRules(inputs: Inputs, context: AwsContext): Promise<sdk.SecurityGroupRule[] | undefined> {
  const { SecurityGroupRules = [] } = await context.config.ec2.send(
    new sdk.DescribeSecurityGroupRulesCommand({
      Filters: [{ Name: "group-id", Values: [inputs.securityGroupId] }],
    }),
    cancellable(context),
  );
  const candidates = SecurityGroupRules.filter(
    (rule) =>
      rule.IsEgress === (inputs.type === "egress") &&
      rule.IpProtocol === inputs.protocol &&
      // EC2 gives -1 for the ports of a rule on all protocols.
      (inputs.protocol === "-1" || (rule.FromPort === inputs.fromPort && rule.ToPort === inputs.toPort)),
  );
  const found = peersOf(inputs).map((peer) =>
    candidates.find(
      (rule) =>
        rule.CidrIpv4 === peer.CidrIpv4 &&
        rule.CidrIpv6 === peer.CidrIpv6 &&
        rule.PrefixListId === peer.PrefixListId &&
        rule.ReferencedGroupInfo?.GroupId === peer.group,
    ),
  );
  return found.every((rule) => rule !== undefined) && found.length > 0 ? found : undefined;
}

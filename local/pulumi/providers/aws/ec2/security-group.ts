import * as sdk from "@aws-sdk/client-ec2";
import type { SecurityGroupArgs, SecurityGroupState } from "@pulumi/aws/ec2/securityGroup.js";
import type { Unwrap } from "@pulumi/pulumi";
import {
  type AwsContext,
  type AwsResourceType,
  cancellable,
  ignoreGone,
  orUndefined,
  required,
  waitUntil,
} from "../calls.ts";
import { nameProperty } from "../property-rules.ts";
import { retag, tagMap, tagOutputs, tagsProperty } from "../resource-tags.ts";
import { ec2Tags, tagSpecifications } from "./ec2-tags.ts";

/** A group whose rules are resources of their own. */
export const securityGroup: AwsResourceType<Unwrap<SecurityGroupArgs>, Unwrap<SecurityGroupState>> = {
  properties: {
    name: nameProperty(255),
    namePrefix: { replace: true },
    description: { replace: true, default: "Managed by Pulumi" },
    vpcId: { replace: true },
    revokeRulesOnDelete: { default: false },
    tags: tagsProperty,
  },
  computed: ["arn", "ownerId", "vpcId", "description"],

  async create(inputs, context) {
    const { ec2 } = context.config;
    const { GroupId } = await ec2.send(
      new sdk.CreateSecurityGroupCommand({
        GroupName: inputs.name,
        Description: inputs.description ?? "Managed by Pulumi",
        VpcId: inputs.vpcId,
        TagSpecifications: tagSpecifications("security-group", inputs.tags, context),
      }),
      cancellable(context),
    );
    // A new group lets everything out; the real provider takes that rule away, so that only what is asked for holds.
    const id = required(GroupId, "security group's id");
    await revokeAll(id, true, context);
    return id;
  },

  async read(id, context, { inputs }) {
    const command = new sdk.DescribeSecurityGroupsCommand({ GroupIds: [id] });
    const live = (await orUndefined(context.config.ec2.send(command, cancellable(context))))
      ?.SecurityGroups?.[0];
    return (
      live && {
        arn:
          live.SecurityGroupArn ??
          `arn:aws:ec2:${context.config.region}:${live.OwnerId}:security-group/${id}`,
        name: live.GroupName,
        description: live.Description,
        vpcId: live.VpcId,
        ownerId: live.OwnerId,
        region: context.config.region,
        ...tagOutputs(tagMap(live.Tags), inputs.tags, context),
      }
    );
  },

  async update(id, news, { oldState }, context) {
    await retag(oldState.tagsAll, news.tags, context, ec2Tags(id, context));
  },

  async delete(id, { revokeRulesOnDelete }, context) {
    if (revokeRulesOnDelete) {
      // Rules that others made, and that would hold this group or another one: EKS adds some for load balancers.
      for (const egress of [false, true]) await ignoreGone(revokeAll(id, egress, context));
    }
    await waitUntil(`nothing uses the security group ${id}`, context, 15 * 60, async () => {
      try {
        const command = new sdk.DeleteSecurityGroupCommand({ GroupId: id });
        await ignoreGone(context.config.ec2.send(command, cancellable(context)));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === "DependencyViolation") return false;
        throw error;
      }
    });
  },
};

async function revokeAll(GroupId: string, egress: boolean, context: AwsContext): Promise<void> {
  const { ec2 } = context.config;
  const { SecurityGroupRules = [] } = await ec2.send(
    new sdk.DescribeSecurityGroupRulesCommand({ Filters: [{ Name: "group-id", Values: [GroupId] }] }),
    cancellable(context),
  );
  const SecurityGroupRuleIds = SecurityGroupRules.filter(({ IsEgress }) => IsEgress === egress).flatMap(
    (rule) => rule.SecurityGroupRuleId ?? [],
  );
  if (SecurityGroupRuleIds.length === 0) return;
  const rules = { GroupId, SecurityGroupRuleIds };
  // Gone is what an SDK is told that asks again, having lost the answer.
  await ignoreGone(
    egress
      ? ec2.send(new sdk.RevokeSecurityGroupEgressCommand(rules))
      : ec2.send(new sdk.RevokeSecurityGroupIngressCommand(rules)),
  );
}

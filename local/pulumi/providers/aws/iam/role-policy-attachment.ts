import * as sdk from "@aws-sdk/client-iam";
import type {
  RolePolicyAttachmentArgs,
  RolePolicyAttachmentState,
} from "@pulumi/aws/iam/rolePolicyAttachment.js";
import type { Unwrap } from "@pulumi/pulumi";
import { type AwsResourceType, cancellable, ignoreGone, orUndefined } from "../calls.ts";

export const rolePolicyAttachment: AwsResourceType<
  Unwrap<RolePolicyAttachmentArgs>,
  Unwrap<RolePolicyAttachmentState>
> = {
  properties: {
    role: { required: true, replace: true },
    policyArn: { required: true, replace: true },
  },

  async create({ role, policyArn }, context) {
    const RoleName = String(role);
    await context.config.iam.send(
      new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn: policyArn }),
      cancellable(context),
    );
    return `${RoleName}/${policyArn}`;
  },

  // The id is `<role>/<ARN>`, which is also what an import is given.
  async read(id, context) {
    const [, role = "", policyArn = ""] = /^([^/]+)\/(.+)$/s.exec(id) ?? [];
    const answer = await orUndefined(
      context.config.iam.send(
        new sdk.ListAttachedRolePoliciesCommand({ RoleName: role, MaxItems: 1000 }),
        cancellable(context),
      ),
    );
    const there = answer?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === policyArn);
    return there ? { role, policyArn } : undefined;
  },

  async delete(_, { role, policyArn }, context) {
    await ignoreGone(
      context.config.iam.send(
        new sdk.DetachRolePolicyCommand({ RoleName: String(role), PolicyArn: policyArn }),
        cancellable(context),
      ),
    );
  },
};

import * as sdk from "@aws-sdk/client-iam";
import type {
  RolePolicyAttachmentsExclusiveArgs,
  RolePolicyAttachmentsExclusiveState,
} from "@pulumi/aws/iam/rolePolicyAttachmentsExclusive.js";
import type { Unwrap } from "@pulumi/pulumi";
import { sameSet } from "../../../provider-host/index.ts";
import { type AwsContext, type AwsResourceType, cancellable, ignoreGone, orUndefined } from "../calls.ts";

/** All managed policies of a role. To delete it detaches none of them, as with the real one. */
export const rolePolicyAttachmentsExclusive: AwsResourceType<
  Unwrap<RolePolicyAttachmentsExclusiveArgs>,
  Unwrap<RolePolicyAttachmentsExclusiveState>
> = {
  properties: {
    roleName: { required: true, replace: true },
    policyArns: { required: true, equal: sameSet },
  },
  async create({ roleName, policyArns }, context) {
    await attachOnly(roleName, policyArns, context);
    return roleName;
  },
  async read(id, context) {
    const policyArns = await orUndefined(attachedTo(id, context));
    return policyArns && { roleName: id, policyArns };
  },
  update: (id, { policyArns }, _, context) => attachOnly(id, policyArns, context),
  async delete() {},
};

/** Attaches what is missing, then detaches what is too much: in this order, as the real one does. */
async function attachOnly(RoleName: string, wanted: readonly string[], context: AwsContext): Promise<void> {
  const { iam } = context.config;
  const there = await attachedTo(RoleName, context);
  for (const PolicyArn of wanted.filter((arn) => !there.includes(arn))) {
    await iam.send(new sdk.AttachRolePolicyCommand({ RoleName, PolicyArn }), cancellable(context));
  }
  for (const PolicyArn of there.filter((arn) => !wanted.includes(arn))) {
    await ignoreGone(
      iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn }), cancellable(context)),
    );
  }
}

async function attachedTo(RoleName: string, { config: { iam } }: AwsContext): Promise<string[]> {
  const arns: string[] = [];
  for await (const page of sdk.paginateListAttachedRolePolicies({ client: iam }, { RoleName })) {
    arns.push(...(page.AttachedPolicies ?? []).flatMap(({ PolicyArn }) => PolicyArn ?? []));
  }
  return arns;
}

import * as sdk from "@aws-sdk/client-iam";
import type { RolePolicyArgs, RolePolicyState } from "@pulumi/aws/iam/rolePolicy.js";
import type { Unwrap } from "@pulumi/pulumi";
import { type AwsContext, type AwsResourceType, cancellable, ignoreGone, orUndefined } from "../calls.ts";
import { type Named, nameProperty } from "../property-rules.ts";
import { asText, decoded, samePolicy } from "./document.ts";

export const rolePolicy: AwsResourceType<Named<Unwrap<RolePolicyArgs>>, Unwrap<RolePolicyState>> = {
  properties: {
    role: { required: true, replace: true },
    name: nameProperty(128),
    namePrefix: { replace: true },
    policy: { required: true, equal: samePolicy },
  },

  async create(inputs, context) {
    await putRolePolicy(String(inputs.role), inputs.name, inputs.policy, context);
    return `${inputs.role}:${inputs.name}`;
  },

  async read(id, context) {
    const [, role = "", name = ""] = /^([^:]+):(.+)$/s.exec(id) ?? [];
    const live = await orUndefined(
      context.config.iam.send(
        new sdk.GetRolePolicyCommand({ RoleName: role, PolicyName: name }),
        cancellable(context),
      ),
    );
    return live && { role, name, policy: decoded(live.PolicyDocument) };
  },

  async update(_, news, __, context) {
    await putRolePolicy(String(news.role), news.name, news.policy, context);
  },

  async delete(_, { role, name }, context) {
    await ignoreGone(
      context.config.iam.send(
        new sdk.DeleteRolePolicyCommand({ RoleName: String(role), PolicyName: name }),
        cancellable(context),
      ),
    );
  },
};

const putRolePolicy = (role: string, name: string, policy: unknown, context: AwsContext) =>
  context.config.iam.send(
    new sdk.PutRolePolicyCommand({ RoleName: role, PolicyName: name, PolicyDocument: asText(policy) }),
    cancellable(context),
  );

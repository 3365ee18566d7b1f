import * as sdk from "@aws-sdk/client-iam";
import type { RoleArgs, RoleState } from "@pulumi/aws/iam/role.js";
import type { Unwrap } from "@pulumi/pulumi";
import {
  type AwsContext,
  type AwsResourceType,
  cancellable,
  createOnce,
  ignoreGone,
  orUndefined,
  required,
} from "../calls.ts";
import { type Named, nameProperty, path } from "../property-rules.ts";
import { retag, tagList, tagMap, tagOutputs, tagsProperty, tagsToSet } from "../resource-tags.ts";
import { asText, decoded, samePolicy } from "./document.ts";

export const role: AwsResourceType<Named<Unwrap<RoleArgs>>, Unwrap<RoleState>> = {
  properties: {
    assumeRolePolicy: { required: true, equal: samePolicy },
    name: nameProperty(64),
    namePrefix: { replace: true },
    path,
    description: {},
    maxSessionDuration: { default: 3600 },
    permissionsBoundary: {},
    forceDetachPolicies: { default: false },
    tags: tagsProperty,
  },
  computed: ["arn", "uniqueId", "createDate"],

  async create(inputs, context) {
    const { iam } = context.config;
    const command = new sdk.CreateRoleCommand({
      RoleName: inputs.name,
      AssumeRolePolicyDocument: asText(inputs.assumeRolePolicy),
      Path: inputs.path,
      Description: inputs.description,
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: tagList(tagsToSet(inputs.tags, context)),
    });
    return createOnce(
      async () => required((await iam.send(command, cancellable(context))).Role?.RoleName, "role's name"),
      async () => {
        const { Role } = await iam.send(new sdk.GetRoleCommand({ RoleName: inputs.name }));
        return { made: Role?.CreateDate, answer: required(Role?.RoleName, "role's name") };
      },
    );
  },

  async read(id, context, { inputs }) {
    const { iam } = context.config;
    const answer = await orUndefined(
      iam.send(new sdk.GetRoleCommand({ RoleName: id }), cancellable(context)),
    );
    const live = answer?.Role;
    if (live === undefined) return undefined;
    const tags = live.Tags ?? (await iam.send(new sdk.ListRoleTagsCommand({ RoleName: id }))).Tags;
    return {
      arn: live.Arn,
      name: live.RoleName,
      uniqueId: live.RoleId,
      createDate: live.CreateDate?.toISOString(),
      assumeRolePolicy: decoded(live.AssumeRolePolicyDocument),
      path: live.Path,
      description: live.Description,
      maxSessionDuration: live.MaxSessionDuration,
      permissionsBoundary: live.PermissionsBoundary?.PermissionsBoundaryArn,
      ...tagOutputs(tagMap(tags), inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const { iam } = context.config;
    if (changed.has("assumeRolePolicy")) {
      await iam.send(
        new sdk.UpdateAssumeRolePolicyCommand({
          RoleName: id,
          PolicyDocument: asText(news.assumeRolePolicy),
        }),
        cancellable(context),
      );
    }
    if (changed.has("description") || changed.has("maxSessionDuration")) {
      await iam.send(
        new sdk.UpdateRoleCommand({
          RoleName: id,
          Description: news.description ?? "",
          MaxSessionDuration: news.maxSessionDuration ?? 3600,
        }),
        cancellable(context),
      );
    }
    if (changed.has("permissionsBoundary")) {
      const PermissionsBoundary = news.permissionsBoundary;
      if (PermissionsBoundary) {
        await iam.send(new sdk.PutRolePermissionsBoundaryCommand({ RoleName: id, PermissionsBoundary }));
      } else {
        await iam.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName: id }));
      }
    }
    await retag(oldState.tagsAll, news.tags, context, {
      untag: (TagKeys) => iam.send(new sdk.UntagRoleCommand({ RoleName: id, TagKeys })),
      tag: (tags) => iam.send(new sdk.TagRoleCommand({ RoleName: id, Tags: tagList(tags) })),
    });
  },

  async delete(id, state, context) {
    const { iam } = context.config;
    if (state.forceDetachPolicies) await detachAll(id, context);
    await ignoreGone(iam.send(new sdk.DeleteRoleCommand({ RoleName: id }), cancellable(context)));
  },
};

async function detachAll(roleName: string, { config: { iam } }: AwsContext): Promise<void> {
  const named = { RoleName: roleName };
  const attached = await orUndefined(iam.send(new sdk.ListAttachedRolePoliciesCommand(named)));
  for (const { PolicyArn } of attached?.AttachedPolicies ?? []) {
    await ignoreGone(iam.send(new sdk.DetachRolePolicyCommand({ ...named, PolicyArn })));
  }
  const inline = await orUndefined(iam.send(new sdk.ListRolePoliciesCommand(named)));
  for (const PolicyName of inline?.PolicyNames ?? []) {
    await ignoreGone(iam.send(new sdk.DeleteRolePolicyCommand({ ...named, PolicyName })));
  }
}

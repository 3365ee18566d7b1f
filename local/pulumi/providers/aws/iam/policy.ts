import * as sdk from "@aws-sdk/client-iam";
import type { PolicyArgs, PolicyState } from "@pulumi/aws/iam/policy.js";
import type { Unwrap } from "@pulumi/pulumi";
import {
  type AwsResourceType,
  cancellable,
  createOnce,
  iamArn,
  ignoreGone,
  orUndefined,
  required,
} from "../calls.ts";
import { nameProperty, path } from "../property-rules.ts";
import { retag, tagList, tagMap, tagOutputs, tagsProperty, tagsToSet } from "../resource-tags.ts";
import { asText, decoded, samePolicy } from "./document.ts";

export const policy: AwsResourceType<Unwrap<PolicyArgs>, Unwrap<PolicyState>> = {
  properties: {
    name: nameProperty(128),
    namePrefix: { replace: true },
    path,
    description: { replace: true },
    policy: { required: true, equal: samePolicy },
    tags: tagsProperty,
  },
  computed: ["arn", "policyId", "attachmentCount"],

  async create(inputs, context) {
    const { iam } = context.config;
    const command = new sdk.CreatePolicyCommand({
      PolicyName: inputs.name,
      Path: inputs.path,
      Description: inputs.description,
      PolicyDocument: asText(inputs.policy),
      Tags: tagList(tagsToSet(inputs.tags, context)),
    });
    return createOnce(
      async () => required((await iam.send(command, cancellable(context))).Policy?.Arn, "policy's ARN"),
      async () => {
        const answer = await iamArn(`policy${inputs.path ?? "/"}${inputs.name}`, context);
        const { Policy } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn: answer }));
        return { made: Policy?.CreateDate, answer };
      },
    );
  },

  async read(id, context, { inputs }) {
    const { iam } = context.config;
    const live = (
      await orUndefined(iam.send(new sdk.GetPolicyCommand({ PolicyArn: id }), cancellable(context)))
    )?.Policy;
    if (live === undefined) return undefined;
    const version = await iam.send(
      new sdk.GetPolicyVersionCommand({ PolicyArn: id, VersionId: live.DefaultVersionId }),
      cancellable(context),
    );
    return {
      arn: live.Arn,
      name: live.PolicyName,
      path: live.Path,
      policyId: live.PolicyId,
      attachmentCount: live.AttachmentCount,
      description: live.Description,
      policy: decoded(version.PolicyVersion?.Document),
      ...tagOutputs(tagMap(live.Tags), inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const { iam } = context.config;
    if (changed.has("policy")) {
      // IAM keeps five versions at most: the oldest that is not in use makes room.
      const { Versions = [] } = await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn: id }));
      const spare = Versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion);
      const oldest = spare.sort((a, b) => Number(a.CreateDate) - Number(b.CreateDate))[0];
      if (Versions.length >= 5 && oldest) {
        const { VersionId } = oldest;
        await ignoreGone(iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn: id, VersionId })));
      }
      await iam.send(
        new sdk.CreatePolicyVersionCommand({
          PolicyArn: id,
          PolicyDocument: asText(news.policy),
          SetAsDefault: true,
        }),
        cancellable(context),
      );
    }
    await retag(oldState.tagsAll, news.tags, context, {
      untag: (TagKeys) => iam.send(new sdk.UntagPolicyCommand({ PolicyArn: id, TagKeys })),
      tag: (tags) => iam.send(new sdk.TagPolicyCommand({ PolicyArn: id, Tags: tagList(tags) })),
    });
  },

  async delete(id, _, context) {
    const { iam } = context.config;
    const versions = await orUndefined(iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn: id })));
    for (const { VersionId, IsDefaultVersion } of versions?.Versions ?? []) {
      if (IsDefaultVersion) continue;
      await ignoreGone(iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn: id, VersionId })));
    }
    await ignoreGone(iam.send(new sdk.DeletePolicyCommand({ PolicyArn: id }), cancellable(context)));
  },
};

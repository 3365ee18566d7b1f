import * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { LogGroupArgs, LogGroupState } from "@pulumi/aws/cloudwatch/logGroup.js";
import type { Unwrap } from "@pulumi/pulumi";
import {
  type AwsContext,
  type AwsResourceType,
  type AwsTypes,
  cancellable,
  createOnce,
  ignoreGone,
} from "./calls.ts";
import { type Named, nameProperty } from "./property-rules.ts";
import { retag, tagOutputs, tagsProperty, tagsToSet, unlessEmpty } from "./resource-tags.ts";

/** CloudWatch wants ARNs of log groups without the `:*` that it gives them with. */
const withoutStar = (arn: string | undefined): string | undefined => arn?.replace(/:\*$/, "");

const logGroup: AwsResourceType<Named<Unwrap<LogGroupArgs>>, Unwrap<LogGroupState>> = {
  properties: {
    name: nameProperty(512),
    namePrefix: { replace: true },
    retentionInDays: { default: 0 },
    kmsKeyId: { replace: true },
    skipDestroy: { default: false },
    tags: tagsProperty,
  },
  computed: ["arn"],

  async create(inputs, context) {
    const { name: logGroupName, kmsKeyId } = inputs;
    const { logs } = context.config;
    const tags = tagsToSet(inputs.tags, context);
    await createOnce(
      async () => {
        await logs.send(
          new sdk.CreateLogGroupCommand({ logGroupName, kmsKeyId, tags: unlessEmpty(tags) }),
          cancellable(context),
        );
      },
      async () => {
        const { logGroups } = await logs.send(
          new sdk.DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }),
        );
        const { creationTime } = logGroups?.find((one) => one.logGroupName === logGroupName) ?? {};
        return { made: creationTime === undefined ? undefined : new Date(creationTime), answer: undefined };
      },
    );
    if (inputs.retentionInDays) await setRetention(logGroupName, inputs.retentionInDays, context);
    return logGroupName;
  },

  async read(id, context, { inputs }) {
    const { logs, region } = context.config;
    const answer = await logs.send(
      new sdk.DescribeLogGroupsCommand({ logGroupNamePrefix: id }),
      cancellable(context),
    );
    const live = answer.logGroups?.find(({ logGroupName }) => logGroupName === id);
    if (live === undefined) return undefined;
    const arn = withoutStar(live.arn);
    const { tags } = await logs.send(new sdk.ListTagsForResourceCommand({ resourceArn: arn }));
    return {
      arn,
      name: live.logGroupName,
      retentionInDays: live.retentionInDays ?? 0,
      kmsKeyId: live.kmsKeyId,
      region,
      ...tagOutputs(tags as Record<string, string> | undefined, inputs.tags, context),
    };
  },

  async update(id, news, { changed, oldState }, context) {
    const { logs } = context.config;
    if (changed.has("retentionInDays")) await setRetention(id, news.retentionInDays ?? 0, context);
    const resourceArn = oldState.arn;
    await retag(oldState.tagsAll, news.tags, context, {
      untag: (tagKeys) => logs.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys })),
      tag: (tags) => logs.send(new sdk.TagResourceCommand({ resourceArn, tags })),
    });
  },

  async delete(id, { skipDestroy }, context) {
    if (skipDestroy) return;
    const command = new sdk.DeleteLogGroupCommand({ logGroupName: id });
    await ignoreGone(context.config.logs.send(command, cancellable(context)));
  },
};

/** @param days 0 keeps everything for ever. */
async function setRetention(
  logGroupName: string,
  days: number,
  { config: { logs } }: AwsContext,
): Promise<void> {
  if (days > 0) await logs.send(new sdk.PutRetentionPolicyCommand({ logGroupName, retentionInDays: days }));
  else await logs.send(new sdk.DeleteRetentionPolicyCommand({ logGroupName }));
}

export const logsTypes: AwsTypes = { "aws:cloudwatch/logGroup:LogGroup": logGroup };

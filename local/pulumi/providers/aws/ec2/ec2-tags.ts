import * as sdk from "@aws-sdk/client-ec2";
import { type AwsContext, cancellable } from "../calls.ts";
import { type TagCalls, type Tags, tagList, tagMap, tagsToSet } from "../resource-tags.ts";

/** The tags of a new resource, as creations take them. */
export function tagSpecifications(
  ResourceType: sdk.ResourceType,
  own: Tags | undefined,
  context: AwsContext,
): sdk.TagSpecification[] {
  const Tags = tagList(tagsToSet(own, context));
  return Tags.length > 0 ? [{ ResourceType, Tags }] : [];
}

export async function ec2TagsOf(id: string, context: AwsContext): Promise<Tags> {
  const { Tags } = await context.config.ec2.send(
    new sdk.DescribeTagsCommand({ Filters: [{ Name: "resource-id", Values: [id] }] }),
    cancellable(context),
  );
  return tagMap(Tags);
}

export function ec2Tags(id: string, { config: { ec2 } }: AwsContext): TagCalls {
  const Resources = [id];
  return {
    untag: (keys) => ec2.send(new sdk.DeleteTagsCommand({ Resources, Tags: keys.map((Key) => ({ Key })) })),
    tag: (tags) => ec2.send(new sdk.CreateTagsCommand({ Resources, Tags: tagList(tags) })),
  };
}

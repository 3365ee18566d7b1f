import * as sdk from "@aws-sdk/client-eks";
import type { AwsContext } from "../calls.ts";
import { retag, type Tags } from "../resource-tags.ts";

/** Gives a resource of EKS its new tags. */
export async function changeTags(
  resourceArn: string | undefined,
  olds: Tags | undefined,
  news: Tags | undefined,
  context: AwsContext,
): Promise<void> {
  const { eks } = context.config;
  await retag(olds, news, context, {
    untag: (tagKeys) => eks.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys })),
    tag: (tags) => eks.send(new sdk.TagResourceCommand({ resourceArn, tags })),
  });
}

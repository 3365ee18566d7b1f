import * as sdk from "@aws-sdk/client-eks";
import { type AwsContext, type Tags, tagChanges } from "../common.ts";

/** Gives a resource of EKS its new tags. */
export async function changeTags(
  resourceArn: string | undefined,
  olds: Tags | undefined,
  news: Tags | undefined,
  context: AwsContext,
): Promise<void> {
  const { eks } = context.config;
  const { set, unset } = tagChanges(olds, news, context);
  if (unset.length > 0) await eks.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: unset }));
  if (Object.keys(set).length > 0) await eks.send(new sdk.TagResourceCommand({ resourceArn, tags: set }));
}

/** What EKS says is wrong with a resource. */
export const issues = (health: { issues?: { code?: string; message?: string }[] } | undefined): string =>
  (health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`).join("; ") || "no reason given";

import type { Property } from "../../provider-host/index.ts";
import type { AwsContext } from "./calls.ts";

export type Tags = Record<string, string>;
export type KeyValue = { Key?: string | undefined; Value?: string | undefined };

/** Tags to ask for: the resource's own on top of the provider's. */
export const tagsToSet = (own: Tags | undefined, { config }: AwsContext): Tags => ({
  ...config.defaultTags,
  ...own,
});

/** Tags for a call that takes them as a map: EKS and Logs refuse an empty one, which the real provider leaves out. */
export const unlessEmpty = (tags: Tags): Tags | undefined =>
  Object.keys(tags).length > 0 ? tags : undefined;

export const tagList = (tags: Tags): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export const tagMap = (list: readonly KeyValue[] | undefined): Tags =>
  Object.fromEntries((list ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));

/** The two tag outputs: `tags` without those that come from the provider alone, and `tagsAll`. AWS's own do not show. */
export function tagOutputs(
  live: Tags | undefined,
  own: Tags | undefined,
  { config }: AwsContext,
): { tags: Tags; tagsAll: Tags } {
  const tagsAll = Object.fromEntries(Object.entries(live ?? {}).filter(([key]) => !key.startsWith("aws:")));
  const tags = Object.fromEntries(
    Object.entries(tagsAll).filter(
      ([key, value]) => own?.[key] !== undefined || config.defaultTags[key] !== value,
    ),
  );
  return { tags, tagsAll };
}

/** The two calls by which a service changes the tags of a resource. */
export interface TagCalls {
  untag(keys: string[]): Promise<unknown>;
  tag(tags: Tags): Promise<unknown>;
}

/** Brings a resource from its old tags, all that it has, to the new ones. */
export async function retag(
  olds: Tags | undefined,
  news: Tags | undefined,
  context: AwsContext,
  { untag, tag }: TagCalls,
): Promise<void> {
  const wanted = tagsToSet(news, context);
  const unset = Object.keys(olds ?? {}).filter((key) => !(key in wanted));
  const set = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => olds?.[key] !== value));
  if (unset.length > 0) await untag(unset);
  if (Object.keys(set).length > 0) await tag(set);
}

export const tagsProperty: Property = {};

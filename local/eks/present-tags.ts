import type { EksOptions, Routes } from "./api.ts";
import { edit } from "./json.ts";

/**
 * Add-ons and access entries with the tags that they have now: MiniStack 1.5.33 describes them with those that they were made
 * with, whatever TagResource did since. (Clusters, node groups and associations have routes of their own.)
 */
export const presentTagRoutes = ({ tags }: Pick<EksOptions, "tags">): Routes => {
  const withTags =
    (member: string, arn: string): Routes[string] =>
    async ({ forward }) =>
      edit(await forward(), member, async (found) => ({ ...found, tags: await tags(String(found[arn])) }));
  return {
    "GET /clusters/{cluster}/addons/{addon}": withTags("addon", "addonArn"),
    "GET /clusters/{cluster}/access-entries/{principal}": withTags("accessEntry", "accessEntryArn"),
  };
};

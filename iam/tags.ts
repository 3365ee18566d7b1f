import type * as z from "zod";
import { fail, type Late, map, matching } from "./validation.ts";

// Tags of AWS resources. Source: "Tag naming limits and requirements", Tagging AWS Resources; TagRole, IAM API Reference.

/** Tags that a resource may have. */
export const tagsPerResource = 50;

const tagValue = matching(
  /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/iu,
  "text of at most 256 letters, digits, spaces or _ . : / = + - @, not starting with aws:",
);
const isTagKey = (key: string): boolean => /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/iu.test(key);

/** Why tags cannot be together on one resource, by key; undefined when they can. IAM tells keys by their letters, not their case. */
export function tagsFault(
  tags: Readonly<Record<string, unknown>>,
): { key?: string; problem: string } | undefined {
  const keys = Object.keys(tags);
  if (keys.length > tagsPerResource) {
    return { problem: `a resource takes ${tagsPerResource} tags, and these are ${keys.length}` };
  }
  const seen = new Map<string, string>();
  for (const key of keys) {
    const first = seen.get(key.toLowerCase());
    if (first !== undefined)
      return { key, problem: `it differs from ${first} in case only, and IAM takes both for one` };
    seen.set(key.toLowerCase(), key);
  }
  return undefined;
}

export const tagsSchema = <L>(late: Late<L>): z.ZodType<Record<string, L>, Record<string, L>> =>
  map(
    late(tagValue),
    "a map of tag keys to texts",
    "1 to 128 letters, digits, spaces or _ . : / = + - @, not starting with aws:",
    isTagKey,
  ).superRefine((tags, context) => {
    const fault = tagsFault(tags);
    if (fault) fail(context, fault.key === undefined ? [] : [fault.key], fault.problem);
  });

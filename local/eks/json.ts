import type { Reply } from "../aws/reply.ts";

// What EKS's JSON is read and changed with.

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A text as an object; an empty one for all else. */
export function parseObject(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Without the members that are undefined. */
export const defined = (value: Json): Json =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

/** Objects are merged member by member; anything else of `change` replaces what was there. */
export function merge(base: Json, change: Json): Json {
  const merged = Object.entries(change).map(([key, value]) => {
    const old = base[key];
    return [key, isObject(old) && isObject(value) ? merge(old, value) : value];
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** The reply with one member of its JSON replaced; a reply that is an error or lacks it stays as it is. */
export async function edit(
  reply: Reply,
  member: string,
  change: (value: Json) => Json | Promise<Json>,
): Promise<Reply> {
  const body = parseObject(reply.body);
  const value = body[member];
  if (reply.status !== 200 || !isObject(value)) return reply;
  return { ...reply, body: JSON.stringify({ ...body, [member]: await change(value) }) };
}

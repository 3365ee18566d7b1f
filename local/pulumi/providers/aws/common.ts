import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, Property, ResourceType } from "../../provider-host/index.ts";
import type { Aws } from "./clients.ts";

export type AwsContext = Context<Aws>;
export type AwsResourceType<Inputs, State> = ResourceType<Aws, Inputs, State>;
export type AwsTypes = Readonly<Record<string, ResourceType<Aws>>>;

export type Tags = Record<string, string>;
export type KeyValue = { Key?: string | undefined; Value?: string | undefined };

/** How a call to AWS ends when the person cancels. */
export const cancellable = ({ signal }: AwsContext): { abortSignal: AbortSignal } => ({
  abortSignal: signal,
});

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

/** Whether AWS says that the thing is not there. */
export const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  /^(NoSuchEntity|NoSuchEntityException|ResourceNotFoundException|RepositoryNotFoundException|LifecyclePolicyNotFoundException|NoSuchBucket|NotFound|NotFoundException|InvalidGroup\.NotFound|InvalidLaunchTemplateId\.NotFound(Exception)?|InvalidLaunchTemplateName\.NotFoundException)$/.test(
    error.name,
  );

/** The answer; undefined when AWS says that the thing is not there. */
export const orUndefined = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw error;
  });

/** For deletions: what is gone already is as it should be. */
export const ignoreGone = async (answer: Promise<unknown>): Promise<void> => void (await orUndefined(answer));

const isTaken = (error: unknown): error is Error & { $metadata?: { attempts?: number } } =>
  error instanceof Error && /AlreadyExists(Exception)?$/.test(error.name);

/**
 * Makes something that has a name. Where the answer to the first request is lost, the SDK sends another, which is told
 * that the name is taken: by what the first one made, if that is no older than this call. The real provider ends with the
 * error there; see docs/reliability.md for what to do then.
 */
export async function createOnce<T>(
  make: () => Promise<T>,
  find: () => Promise<{ made: Date | undefined; answer: T } | undefined>,
): Promise<T> {
  const since = Date.now();
  try {
    return await make();
  } catch (error) {
    if (!isTaken(error) || (error.$metadata?.attempts ?? 1) < 2) throw error;
    const found = await find();
    // IAM gives its times in whole seconds.
    if (found?.made === undefined || found.made.getTime() <= since - 1000) throw error;
    return found.answer;
  }
}

/**
 * Asks until it is so, every half second.
 *
 * @throws Error after `context.timeoutSeconds`, or `defaultSeconds`.
 */
export async function waitUntil(
  what: string,
  context: AwsContext,
  defaultSeconds: number,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const seconds = context.timeoutSeconds ?? defaultSeconds;
  const deadline = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`${what}: not so after ${seconds} s`);
    context.status(`Waiting: ${what}`);
    await sleep(500, undefined, { signal: context.signal });
  }
}

export const tagsProperty: Property = {};

/** A name that stays: made of the logical name, or of `<property>Prefix` and the 26 characters that Terraform adds. */
export const nameProperty = (maxLength: number, more: { lowerCase?: boolean } = {}): Property => ({
  replace: true,
  autoName: { maxLength, afterPrefix: 26, ...more },
});

/** For a list of which the real provider wants one item at least. */
export const refuseEmpty = (value: unknown): string | undefined =>
  Array.isArray(value) && value.length === 0 ? "requires 1 item minimum, but has only 0 declared" : undefined;

/** For IPv4 blocks: the real provider refuses one whose address has bits behind the prefix. */
export function refuseCidrs(value: unknown): string | undefined {
  for (const block of Array.isArray(value) ? value : [value]) {
    const [, address = "", bits = ""] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(String(block)) ?? [];
    if (!isIPv4(address) || Number(bits) > 32) return `"${block}" is not a valid IPv4 CIDR block`;
    const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - Number(bits));
    const network = Math.floor(number / size) * size;
    if (network === number) continue;
    const wanted = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join(".");
    return `"${block}" is not a valid IPv4 CIDR block; did you mean "${wanted}/${bits}"?`;
  }
  return undefined;
}

/** Where IAM's roles and policies are until somebody says otherwise. */
export const path: Property = { replace: true, default: "/" };

/** For what the service fills in: the real provider leaves what is there when a program no longer says it. */
export const keptWhereNoneIsGiven = (_: unknown, given: unknown): boolean => given === undefined;

import { setTimeout as sleep } from "node:timers/promises";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { partitionOfArn } from "../../../../iam/partition.ts";
import type { Context, ResourceType } from "../../provider-host/index.ts";
import type { Aws } from "./clients.ts";

export type AwsContext = Context<Aws>;
export type AwsResourceType<Inputs, State> = ResourceType<Aws, Inputs, State>;
export type AwsTypes = Readonly<Record<string, ResourceType<Aws>>>;

/** How a call to AWS ends when the person cancels. */
export const cancellable = ({ signal }: AwsContext): { abortSignal: AbortSignal } => ({
  abortSignal: signal,
});

/**
 * What an answer must have in it.
 *
 * @throws Error when it has not: an empty id would go into the state, and nothing would find the resource again.
 */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`AWS's answer has no ${what}`);
  return value;
}

/** The ARN that something of IAM has in the caller's account: `policy/app`, `oidc-provider/...`. */
export async function iamArn(resource: string, { config: { sts } }: AwsContext): Promise<string> {
  const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}));
  return `arn:${partitionOfArn(required(Arn, "ARN"))}:iam::${required(Account, "account")}:${resource}`;
}

/** Whether AWS says that the thing is not there. */
export const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  /^(NoSuchEntity|NoSuchEntityException|ResourceNotFoundException|RepositoryNotFoundException|LifecyclePolicyNotFoundException|NoSuchBucket|NotFound|NotFoundException|InvalidGroup\.NotFound|InvalidSecurityGroupRuleId\.NotFound|InvalidPermission\.NotFound|InvalidLaunchTemplateId\.NotFound(Exception)?|InvalidLaunchTemplateName\.NotFoundException)$/.test(
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

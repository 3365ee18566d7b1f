import type { Settings } from "./rules.ts";

/** What the guard rails are for one stack. */
export interface StackSettings extends Settings {
  /** Whether a violation stops the operation; else it is said and no more. Default false. */
  readonly enforced?: boolean;
}

/** The stacks that ask for more than advice, by name. */
const stacks: Readonly<Record<string, StackSettings>> = {
  prod: { enforced: true },
};

/**
 * The settings for a resource of a stack. The engine tells a pack which stack it works for by the resources' URNs only:
 * `urn:pulumi:<stack>::<project>::...`.
 *
 * @param config What `--policy-pack-config` or the organization says; it wins.
 */
export function settingsFor(urn: string, config: Settings = {}): StackSettings {
  const stack = /^urn:pulumi:(.*?)::/.exec(urn)?.[1] ?? "";
  return { ...(Object.hasOwn(stacks, stack) ? stacks[stack] : {}), ...config };
}

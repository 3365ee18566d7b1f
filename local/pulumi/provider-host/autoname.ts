import { createHash, randomBytes } from "node:crypto";
import type { NameRules, Property } from "./diff.ts";
import type { Properties } from "./properties.ts";

/** How the stack's `pulumi:autonaming` setting wants names to be made. */
export interface AutoNaming {
  readonly proposedName: string;
  readonly mode: "propose" | "enforce" | "disable";
}

export interface AutoNameRequest {
  readonly logicalName: string;
  /** From the engine, so that a name comes out the same when a plan is carried out. */
  readonly seed: Uint8Array;
  readonly autoNaming?: AutoNaming;
}

/**
 * A name nobody else has: the logical name, a dash, seven hexadecimal digits, as Pulumi's own providers make it; or the
 * person's prefix and digits.
 *
 * @throws Error when the stack's settings forbid such names, or the prefix leaves no room for the digits.
 */
export function autoName(request: AutoNameRequest, rules: NameRules & { readonly prefix?: string }): string {
  const { autoNaming } = request;
  const { maxLength, prefix } = rules;
  const seed = request.seed.length > 0 ? request.seed : randomBytes(32);
  const digest = createHash("sha256").update(seed).update(request.logicalName).digest("hex");
  if (prefix !== undefined) {
    const { afterPrefix = 7 } = rules;
    if (prefix.length + afterPrefix > maxLength) {
      throw new Error(
        `the prefix "${prefix}" has ${prefix.length} characters, at most ${maxLength - afterPrefix}`,
      );
    }
    const name = prefix + digest.slice(0, afterPrefix);
    return rules.lowerCase ? name.toLowerCase() : name;
  }
  if (autoNaming?.mode === "disable") {
    throw new Error("automatic naming is disabled for this resource, so it needs a name");
  }
  const name =
    autoNaming?.proposedName || `${request.logicalName.slice(0, maxLength - 8)}-${digest.slice(0, 7)}`;
  return rules.lowerCase && autoNaming?.mode !== "enforce" ? name.toLowerCase() : name;
}

/** Names of the inputs that were filled in and not given; kept among the inputs, where the engine does not show them. */
const defaultsKey = "__defaults";

export const wasDefaulted = (inputs: Properties, key: string): boolean =>
  Array.isArray(inputs[defaultsKey]) && inputs[defaultsKey].includes(key);

/**
 * Gives a name to every property that has automatic names and got none: the one that the resource has, or a new one.
 * A prefix comes from `<property>Prefix`.
 */
export function withAutoNames(
  properties: Readonly<Record<string, Property>>,
  olds: Properties,
  news: Properties,
  request: AutoNameRequest,
): Properties {
  const named: Properties = {};
  for (const [key, { autoName: rules }] of Object.entries(properties)) {
    if (!rules || news[key] !== undefined) continue;
    const prefix = news[`${key}Prefix`];
    const keep = wasDefaulted(olds, key) && olds[`${key}Prefix`] === prefix;
    named[key] = keep
      ? olds[key]
      : autoName(request, { ...rules, prefix: typeof prefix === "string" ? prefix : undefined });
  }
  return { ...news, ...named, [defaultsKey]: Object.keys(named) };
}

import { isAbsent, isObject, type Properties } from "./properties.ts";

/** How automatic names are made. */
export interface NameRules {
  readonly maxLength: number;
  /** Whether the service takes lower case only. Default false. */
  readonly lowerCase?: boolean;
  /** Characters that are added to a prefix which the person gave. Default 7, as to the logical name. */
  readonly afterPrefix?: number;
}

/** What is known about an input property of a resource type. */
export interface Property {
  /** Whether a change needs a new resource. Default: it is updated in place. */
  readonly replace?: boolean;
  /** Whether `check` refuses a resource without it. */
  readonly required?: boolean;
  /** Why the provider refuses a value that is known; undefined when it takes it. */
  readonly refuse?: (value: unknown) => string | undefined;
  /** What the service takes when nothing is given; makes no difference to giving nothing. */
  readonly default?: unknown;
  /** When two values mean the same though they are written differently. */
  readonly equal?: (left: unknown, right: unknown) => boolean;
  /** For an object whose members are properties of their own, some of which the service fills in. */
  readonly members?: Readonly<Record<string, Property>>;
  /** What to do when it is not given: make a name of the logical name and random digits. */
  readonly autoName?: NameRules;
}

export type Path = readonly (string | number)[];

export interface Difference {
  readonly path: Path;
  readonly kind: "add" | "delete" | "update";
  readonly replace: boolean;
}

/** Whether two values are the same: members in any order, and what is absent equal to what is empty. */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right || (isAbsent(left) && isAbsent(right))) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => deepEqual(value, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
    deepEqual(left[key], right[key]),
  );
}

/** Equality of lists whose order has no meaning. */
export function sameSet(left: unknown, right: unknown): boolean {
  const sorted = (list: unknown): unknown =>
    Array.isArray(list) ? [...list].map((item) => JSON.stringify(item)).sort() : list;
  return deepEqual(sorted(left), sorted(right));
}

/** Equality of JSON documents, however they are formatted. */
export const sameJson = (left: unknown, right: unknown): boolean => deepEqual(asJson(left), asJson(right));

/** What a JSON text holds; anything else as it is. */
export function asJson(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether two values of a property mean the same. */
export function sameValue(property: Property | undefined, left: unknown, right: unknown): boolean {
  const [one, other] = [left, right].map((value) => (isAbsent(value) ? property?.default : value));
  return (property?.equal ?? deepEqual)(one, other) || deepEqual(one, other);
}

/**
 * What changed between old and new inputs, as finely as paths can say it. Members whose names begin with `__` are ours,
 * not the user's, and do not count.
 */
export function differences(
  olds: Properties,
  news: Properties,
  properties: Readonly<Record<string, Property>> = {},
  outer: { path: Path; replace: boolean } = { path: [], replace: false },
): Difference[] {
  return keysOf(olds, news).flatMap((key) => {
    const property = properties[key];
    const [left, right] = [olds[key], news[key]];
    if (sameValue(property, left, right)) return [];
    const path = [...outer.path, key];
    const replace = outer.replace || (property?.replace ?? false);
    if (property?.members && (isObject(left) || isObject(right))) {
      return differences(asObject(left), asObject(right), property.members, { path, replace });
    }
    if (property?.equal) return [{ path, kind: kindOf(left, right), replace }];
    return structural(left, right, path, replace);
  });
}

function structural(left: unknown, right: unknown, path: Path, replace: boolean): Difference[] {
  if (deepEqual(left, right)) return [];
  if (isObject(left) && isObject(right)) {
    return keysOf(left, right).flatMap((key) => structural(left[key], right[key], [...path, key], replace));
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const indexes = Array.from({ length: Math.max(left.length, right.length) }, (_, index) => index);
    return indexes.flatMap((index) => structural(left[index], right[index], [...path, index], replace));
  }
  return [{ path, kind: kindOf(left, right), replace }];
}

const keysOf = (olds: Properties, news: Properties): string[] =>
  [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => !key.startsWith("__"));

const asObject = (value: unknown): Properties => (isObject(value) ? value : {});

const kindOf = (left: unknown, right: unknown): Difference["kind"] =>
  isAbsent(left) ? "add" : isAbsent(right) ? "delete" : "update";

/** A path as the engine writes it: `spec.containers[0].image`, `tags["kubernetes.io/name"]`. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === "number"
        ? `[${part}]`
        : /^[A-Za-z_$][\w$]*$/.test(part)
          ? `${index === 0 ? "" : "."}${part}`
          : `["${part.replaceAll('"', '\\"')}"]`,
    )
    .join("");
}

/**
 * The inputs that would lead to the live state: what a refresh or an import puts in the place of the old ones.
 *
 * What cannot be read back stays as it was (`live` has no such member). A value that means the same stays as it was
 * written. What was never given appears once it is no longer what it was when the state was last read.
 */
export function liveInputs(
  properties: Readonly<Record<string, Property>>,
  oldInputs: Properties,
  oldState: Properties,
  live: Properties,
): Properties {
  const result: Properties = {};
  for (const key of Object.keys(oldInputs)) if (key.startsWith("__")) result[key] = oldInputs[key];
  for (const [key, property] of Object.entries(properties)) {
    const [old, state, value] = [oldInputs[key], oldState[key], live[key]];
    const given = key in oldInputs;
    if (!(key in live)) {
      if (given) result[key] = old;
    } else if (property.members && isObject(value)) {
      const inner = liveInputs(property.members, asObject(old), asObject(state), value);
      if (given || !isAbsent(inner)) result[key] = inner;
    } else if (given && sameValue(property, old, value)) {
      result[key] = old;
    } else if (!isAbsent(value) && (given || !sameValue(property, state, value))) {
      result[key] = value;
    }
  }
  return result;
}

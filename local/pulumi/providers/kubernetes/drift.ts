import { deepEqual } from "../../provider-host/diff.ts";
import { isAbsent, isObject, type Properties } from "../../provider-host/properties.ts";
import type { KubernetesObject } from "./api.ts";

/** The part of a live value that the inputs speak of. Items of a list are matched by their name where they have one. */
export function prune(live: unknown, shape: unknown): unknown {
  if (isObject(shape) && isObject(live)) {
    return Object.fromEntries(
      Object.keys(shape)
        .filter((key) => key in live)
        .map((key) => [key, prune(live[key], shape[key])]),
    );
  }
  if (!Array.isArray(shape) || !Array.isArray(live)) return live;
  if (shape.every(hasName) && live.every(hasName)) {
    // Another manager may have added items of its own.
    return shape.flatMap((item) => {
      const found = live.find((one) => one.name === item.name);
      return found ? [prune(found, item)] : [];
    });
  }
  return live.length === shape.length ? live.map((item, index) => prune(item, shape[index])) : live;
}

const hasName = (value: unknown): value is Properties & { name: string } =>
  isObject(value) && typeof value.name === "string";

/**
 * The inputs after a refresh. Where the live object is what applying the old inputs would give, they stay as they were
 * written (`0.1` and `100m` are one CPU quantity); elsewhere the live value takes their place.
 *
 * @param applied What the API server says applying the old inputs would give, pruned; or the old inputs themselves.
 * @param live The live object, pruned.
 */
export function refreshedInputs(old: unknown, applied: unknown, live: unknown): unknown {
  if (deepEqual(applied, live)) return old;
  if (isObject(old) && isObject(live)) {
    const result: Properties = {};
    for (const [key, value] of Object.entries(old)) {
      if (!(key in live) && !isAbsent(value)) continue;
      result[key] = refreshedInputs(value, isObject(applied) ? applied[key] : undefined, live[key]);
    }
    return result;
  }
  return live;
}

/** Inputs that would make an object that is there, for an import: without what only the API server writes. */
export function importedInputs(live: KubernetesObject): KubernetesObject {
  const { metadata, status: _, ...rest } = live;
  const { name, namespace, labels, annotations } = metadata ?? {};
  const kept = Object.entries({ name, namespace, labels, annotations }).filter(
    ([, value]) => !isAbsent(value),
  );
  return { ...rest, metadata: Object.fromEntries(kept) };
}

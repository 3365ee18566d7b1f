import { asJson, deepEqual, isObject } from "../../../provider-host/index.ts";

/** A policy document as the SDK's inputs allow it: text, or an object. */
export const asText = (document: unknown): string =>
  typeof document === "string" ? document : JSON.stringify(document);

/** IAM answers policy documents percent-encoded. */
export const decoded = (document: string | undefined): string => decodeURIComponent(document ?? "");

/** Equality of policy documents as IAM sees it: as JSON, lists in any order, and one string the same as a list of it. */
export const samePolicy = (left: unknown, right: unknown): boolean =>
  deepEqual(normalised(asJson(left)), normalised(asJson(right)));

function normalised(value: unknown): unknown {
  if (Array.isArray(value))
    return value.length === 1 ? normalised(value[0]) : value.map(normalised).sort(byText);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normalised(inner)]));
}

const byText = (left: unknown, right: unknown): number =>
  JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;

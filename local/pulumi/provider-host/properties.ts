import { unknownValue } from "@pulumi/pulumi/runtime/rpc.js";
import { type JavaScriptValue, Struct } from "./protobuf.ts";

/** A resource's inputs or outputs, or a part of them, as plain JSON values. An unknown is the string `unknown`. */
export type Properties = Record<string, unknown>;

/** Stands for a value that only the update itself will bring. Comes in previews only. */
export const unknown: string = unknownValue;

// The keys and the value that mark a secret in a protobuf struct; see `@pulumi/pulumi/runtime/rpc`.
const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Marks a value as a secret for the engine, which encrypts it in the state and hides it on the screen. */
export const secret = (value: unknown): Properties => ({ [signature]: secretSignature, value });

export const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a value is unknown, or holds something that is. */
export function containsUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) && Object.values(value).some(containsUnknown);
}

/** A property that counts as not given: so that `{}`, `[]`, `""` and nothing at all make no difference. */
export const isAbsent = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** Plain values of a protobuf struct. Secrets come unwrapped: the engine marks them again by their names. */
export function fromStruct(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : (unwrapped(struct.toJavaScript()) as Properties);
}

function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isObject(value)) return value;
  if (value[signature] === secretSignature) return unwrapped(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapped(inner)]));
}

/** A protobuf struct of plain values; what is undefined is left out, dates become ISO 8601 text. */
export function toStruct(properties: Properties): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, JavaScriptValue>);
}

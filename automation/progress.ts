import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { withoutColours } from "./errors.ts";

/** What an operation is at. */
export type Progress =
  | {
      readonly kind: "resource";
      /** Such as `create`, `update`, `delete`, `replace`. Resources that stay as they are are not told. */
      readonly operation: string;
      readonly state: "started" | "done" | "failed";
      /** Type token: `aws:iam/role:Role`. */
      readonly type: string;
      readonly name: string;
      readonly urn: string;
    }
  | {
      readonly kind: "message";
      readonly severity: "info" | "warning" | "error";
      readonly text: string;
      /** The resource that it is about; absent where it is about the whole. */
      readonly urn?: string;
    };

/** Severities that a person is told of; the engine also sends what is for its own debugging. */
const severities: Readonly<Record<string, "info" | "warning" | "error">> = {
  info: "info",
  "info#err": "info",
  warning: "warning",
  error: "error",
};

/** What an engine event tells of the progress; undefined for the others. */
export function progressOf(event: EngineEvent): Progress | undefined {
  const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent } = event;
  const metadata = (resourcePreEvent ?? resOutputsEvent ?? resOpFailedEvent)?.metadata;
  if (metadata) {
    if (metadata.op === "same" || metadata.op === "read") return undefined;
    return {
      kind: "resource",
      operation: metadata.op,
      state: resourcePreEvent ? "started" : resOpFailedEvent ? "failed" : "done",
      type: metadata.type,
      name: metadata.urn.split("::").at(-1) ?? "",
      urn: metadata.urn,
    };
  }
  if (!diagnosticEvent) return undefined;
  const text = withoutColours(diagnosticEvent.message);
  const severity = severities[diagnosticEvent.severity];
  if (text === "" || severity === undefined) return undefined;
  return { kind: "message", severity, text, urn: diagnosticEvent.urn || undefined };
}

const doing: Record<string, string> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
};
const done: Record<string, string> = {
  create: "created",
  update: "updated",
  delete: "deleted",
  replace: "replaced",
};

/** Progress as one line for a person. */
export function describe(progress: Progress): string {
  if (progress.kind === "message") return progress.text;
  const { operation, state, type, name } = progress;
  const what = `${type.replace(/^(\w[\w-]*):\w+(?:\/\w+)?:/, "$1:")} ${name}`;
  if (state === "failed") return `failed ${what}`;
  return `${(state === "done" ? done : doing)[operation] ?? operation} ${what}`;
}

/** How many resources an operation did what with: `{ create: 3, same: 24 }`. */
export type Changes = Readonly<Record<string, number>>;

/** Changes in words: `12 created, 3 unchanged`. */
export function summary(changes: Changes | undefined): string {
  const words: Record<string, string> = { ...done, same: "unchanged", refresh: "refreshed", read: "read" };
  const parts = Object.entries(changes ?? {})
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${words[kind] ?? kind}`);
  return parts.join(", ") || "nothing there";
}

/** Whether anything is, or would be, another than before. */
export const changed = (changes: Changes | undefined): boolean =>
  Object.entries(changes ?? {}).some(([kind, count]) => !["same", "read"].includes(kind) && count > 0);

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { openStack } from "../automation/stack";
import { type ConfigInput, project as pulumiProject } from "../config";
import { run } from "./paths";

/** Name of the stack that local runs. */
export const stackName = "local";

/** The AWS region that local plays. */
export const region = "eu-central-1";

/** Where the engine of this run keeps its things. */
const folder = join(run, "pulumi");

/** What the engine needs from the local parts. */
export interface EngineTarget {
  /** Ports of the stand-in providers, by package. */
  providers: Readonly<Record<string, number>>;
  /** Environment by which AWS's tools find local's AWS: the kubeconfig that the stack makes calls one of them. */
  aws: Readonly<Record<string, string>>;
  /** The image that Go programs are built in, as dockerd knows it. */
  goImage: string;
}

/** Environment of the engine: its own backend and home, and local's providers instead of downloaded ones. */
export function engineEnvironment(target: Pick<EngineTarget, "providers">): Record<string, string> {
  const ports = Object.entries(target.providers).map(([name, port]) => `${name}:${port}`);
  return {
    PULUMI_HOME: join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DEBUG_PROVIDERS: ports.join(","),
  };
}

/** The stack's configuration for this machine. What a person gives with `--config` comes on top. */
function localConfig(target: EngineTarget): ConfigInput {
  return {
    cluster: { name: pulumiProject },
    build: { args: { BUILD_IMAGE: target.goImage }, network: "none" },
    intervalSeconds: 5,
    tags: { environment: "local" },
  };
}

/**
 * Opens the local stack.
 *
 * @param overrides `KEY=VALUE` as given with `--config`: a key without its `eks-irsa:` prefix, with dots for a value
 *   inside a structured one; the value plain or as JSON.
 * @throws ConfigError when the configuration is bad.
 */
export async function openLocalStack(target: EngineTarget, overrides: readonly string[]): Promise<Stack> {
  for (const path of ["home", "state", "project"]) mkdirSync(join(folder, path), { recursive: true });
  return openStack({
    stack: stackName,
    region,
    config: overridden(localConfig(target) as Record<string, unknown>, overrides) as ConfigInput,
    workDir: join(folder, "project"),
    pulumiHome: join(folder, "home"),
    env: { ...target.aws, ...engineEnvironment(target) },
  });
}

/** A configuration with `KEY=VALUE`s set in it. */
export function overridden(
  config: Record<string, unknown>,
  overrides: readonly string[],
): Record<string, unknown> {
  const result = structuredClone(config);
  for (const override of overrides) {
    const [, key, text] = /^(?:eks-irsa:)?([A-Za-z][\w.-]*)=(.*)$/s.exec(override) ?? [];
    if (key === undefined || text === undefined) {
      throw new Error(
        `--config ${override} is not KEY=VALUE, such as --config replicas=2 or --config cluster.nodes.max=5.`,
      );
    }
    const path = key.split(".");
    const last = path.pop() ?? key;
    let inner = result;
    for (const part of path) {
      const next = inner[part];
      inner[part] = typeof next === "object" && next !== null ? next : {};
      inner = inner[part] as Record<string, unknown>;
    }
    inner[last] = parsed(text);
  }
  return result;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One line for an engine event that a waiting person wants to see; undefined for the others. */
export function describe(event: EngineEvent): string | undefined {
  const step = event.resourcePreEvent?.metadata ?? event.resOutputsEvent?.metadata;
  if (step && step.op !== "same" && step.op !== "read") {
    const what = `${step.type.replace(/^(\w[\w-]*):\w+(?:\/\w+)?:/, "$1:")} ${step.urn.split("::").at(-1)}`;
    return event.resOutputsEvent
      ? `${done[step.op] ?? step.op} ${what}`
      : `${doing[step.op] ?? step.op} ${what}`;
  }
  const message = event.diagnosticEvent?.message.replace(/<\{%[^%]*%\}>/g, "").trim();
  return message || undefined;
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

/** Changes of an operation in words: `12 created, 3 unchanged`. */
export function summary(changes: Readonly<Record<string, number>> | undefined): string {
  const words: Record<string, string> = { ...done, same: "unchanged", refresh: "refreshed", read: "read" };
  const parts = Object.entries(changes ?? {})
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${words[kind] ?? kind}`);
  return parts.join(", ") || "nothing there";
}

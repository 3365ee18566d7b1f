import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { type ConfigInput, project } from "../config.ts";
import { UsageError } from "../terminal.ts";
import { checkSettings, engine, type StackOptions } from "./stack.ts";

/** What `Pulumi.<stack>.yaml` says, as `openStack` and `openShards` are given it. */
type Settings = Required<Pick<StackOptions, "region" | "config" | "packageConfig" | "filesIn">>;

/**
 * Reads a stack's configuration where there need be no such stack: from its file alone.
 *
 * @throws ConfigMissingError where there is no file, UsageError where it says what only the engine can read.
 */
export async function settingsOf(stack: string, folder: string): Promise<Settings> {
  checkSettings(stack, folder);
  const workspace = await LocalWorkspace.create({ workDir: folder, pulumiCommand: await engine() });
  const settings = await workspace.stackSettings(stack);
  const held = Object.entries((settings.config ?? {}) as Record<string, unknown>);
  const secret = held.find(([, value]) => typeof value === "object" && value !== null && "secure" in value);
  const unread = secret?.[0] ?? ("environment" in settings ? "environment" : undefined);
  if (unread !== undefined) {
    throw new UsageError(
      `Pulumi.${stack}.yaml has ${unread}, which only the engine can read: several stacks take plain configuration. ` +
        "A program of yours may give them more: docs/automation.md.",
    );
  }
  const own = `${project}:`;
  const texts = (of: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(
      of.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    );
  const { "aws:region": region = "", ...packageConfig } = texts(held.filter(([key]) => !key.startsWith(own)));
  const config = Object.fromEntries(
    held.flatMap(([key, value]) => (key.startsWith(own) ? [[key.slice(own.length), structured(value)]] : [])),
  );
  return { region, config: config as ConfigInput, packageConfig, filesIn: folder };
}

/** A list or a map may be written as JSON: `pulumi config set` does. */
function structured(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // the configuration's own check says what is wrong
  }
}

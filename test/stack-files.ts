import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";

/** The environments that have a stack file. */
export const environments = ["dev", "staging", "prod"] as const;

/** The configuration in a stack file as Pulumi gives it to a program: structured values as JSON. */
export function stackConfig(environment: string): Record<string, string> {
  const text = readFileSync(join(import.meta.dirname, "..", `Pulumi.${environment}.yaml`), "utf8");
  const { config } = load(text) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

import { ConfigError, parseConfig } from "../config.ts";

/** A configuration as Pulumi holds it: texts, and JSON for the rest. */
export const parse = (values: Record<string, unknown>, region = "eu-central-1") =>
  parseConfig("test", {
    "aws:region": region,
    ...Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        `eks-irsa:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  });
/** The lines of the one error that comes of it. @throws Error when it is taken. */
export const errorsOf = (values: Record<string, unknown>, region?: string): string[] => {
  try {
    parse(values, region);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split("\n")
      .filter((line) => line.startsWith("  "))
      .map((line) => line.trim());
  }
  throw new Error("it was taken");
};

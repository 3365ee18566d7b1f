import type { ModelledCall } from "./model-input.ts";
import type { Model, Shape } from "./models.ts";
import { AwsError } from "./reply.ts";

/** A rule of its service's model that a call breaks. */
export interface Violation {
  /** `tags.1.member.key`. */
  path: string;
  /** The value as the error shows it. */
  held: string;
  rule:
    | { kind: "required" }
    | { kind: "length" | "value"; bound: "greater" | "less"; than: number }
    | { kind: "pattern"; pattern: string }
    | { kind: "enum"; values: readonly string[] }
    | { kind: "type"; type: string };
}

/** Every rule that the call breaks, in the order of the model. */
export function violationsOf(model: Model, { operation, input }: ModelledCall): Violation[] {
  const shape = operation.input === undefined ? undefined : model.shapes[operation.input];
  if (shape === undefined) return [];
  const typed = model.protocol === "json" || model.protocol === "rest-json";
  return [...check(model, shape, input, "", typed)];
}

function* check(
  model: Model,
  shape: Shape,
  value: unknown,
  path: string,
  typed: boolean,
): Generator<Violation> {
  const broken = (rule: Violation["rule"]): Violation => ({
    path,
    held: shape.sensitive ? "(hidden)" : quoted(value),
    rule,
  });
  if (shape.document) return;
  const type = typeOf(value);
  const expected = expectedType[shape.type];
  if (typed && expected !== undefined && type !== expected) {
    yield broken({ kind: "type", type: expected });
    return;
  }
  switch (shape.type) {
    case "structure":
      for (const [name, member] of Object.entries(shape.members ?? {})) {
        const inner = (value as Record<string, unknown>)[name];
        const at = [path, lowerFirst(name)].filter(Boolean).join(".");
        if (inner !== undefined && inner !== null) {
          yield* checkMember(model, member.shape, inner, at, typed);
        } else if (shape.required?.includes(name)) {
          yield { path: at, held: "null", rule: { kind: "required" } };
        }
      }
      return;
    case "list":
      yield* bounds(shape, (value as unknown[]).length, "length", broken);
      for (const [index, inner] of (value as unknown[]).entries())
        if (shape.member)
          yield* checkMember(model, shape.member.shape, inner, `${path}.${index + 1}.member`, typed);
      return;
    case "map":
      yield* bounds(shape, Object.keys(value as object).length, "length", broken);
      for (const [key, inner] of Object.entries(value as object)) {
        if (shape.key) yield* checkMember(model, shape.key.shape, key, `${path}.${key}.key`, typed);
        if (shape.value) yield* checkMember(model, shape.value.shape, inner, `${path}.${key}.member`, typed);
      }
      return;
    case "integer":
    case "long":
    case "float":
    case "double":
      yield* bounds(shape, Number(value), "value", broken);
      return;
    case "string": {
      const text = String(value);
      yield* bounds(shape, text.length, "length", broken);
      if (shape.pattern !== undefined && !matches(shape.pattern, text))
        yield broken({ kind: "pattern", pattern: shape.pattern });
      if (shape.enum && !shape.enum.includes(text)) yield broken({ kind: "enum", values: shape.enum });
    }
  }
}

function* checkMember(
  model: Model,
  name: string,
  value: unknown,
  path: string,
  typed: boolean,
): Generator<Violation> {
  const shape = model.shapes[name];
  if (shape) yield* check(model, shape, value, path, typed);
}

function* bounds(
  { min, max }: Shape,
  size: number,
  kind: "length" | "value",
  broken: (rule: Violation["rule"]) => Violation,
): Generator<Violation> {
  // Not the other way round: what is no number is within no bounds.
  if (min !== undefined && !(size >= min)) yield broken({ kind, bound: "greater", than: min });
  if (max !== undefined && !(size <= max)) yield broken({ kind, bound: "less", than: max });
}

/** What JSON must have for a shape. Timestamps come as numbers or as text, and blobs as text: they are not looked into. */
const expectedType: Readonly<Record<string, string | undefined>> = {
  structure: "object",
  map: "object",
  list: "array",
  string: "string",
  boolean: "boolean",
  ...{ integer: "number", long: "number", float: "number", double: "number" },
};

const typeOf = (value: unknown): string => {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
};

const expressions = new Map<string, RegExp | undefined>();

/** Whether the whole text fits the pattern, which is one of Java's; one that is none of JavaScript's fits everything. */
function matches(pattern: string, text: string): boolean {
  if (!expressions.has(pattern)) expressions.set(pattern, compiled(pattern, "u") ?? compiled(pattern, ""));
  return expressions.get(pattern)?.test(text) ?? true;
}

function compiled(pattern: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, flags);
  } catch {
    return undefined;
  }
}

/** Values are shown, but neither long ones nor documents whole. */
function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `'${String(text).slice(0, 256)}'`;
}

const lowerFirst = (name: string): string => name.replace(/^./, (first) => first.toLowerCase());

/** The error that a service answers such a call with, in its own words; undefined when the call breaks no rule. */
export function modelError(service: string, violations: readonly Violation[]): AwsError | undefined {
  const [first] = violations;
  if (first === undefined) return undefined;
  const mistyped = violations.find(({ rule }) => rule.kind === "type");
  if (mistyped) {
    const { path, rule } = mistyped;
    const type = rule.kind === "type" ? rule.type : "";
    return new AwsError(
      "SerializationException",
      `${path === "" ? "The body" : `The value of ${path}`} is no ${type}.`,
    );
  }
  return (words[service] ?? smithy("ValidationException"))(violations, first);
}

type Words = (violations: readonly Violation[], first: Violation) => AwsError;

/** Most services list everything that is wrong. */
const smithy =
  (code: string): Words =>
  (violations) => {
    const told = violations.map(
      ({ path, held, rule }) =>
        `Value ${held} at '${path}' failed to satisfy constraint: Member ${must(rule)}`,
    );
    const count = `${told.length} validation error${told.length === 1 ? "" : "s"} detected`;
    return new AwsError(code, `${count}: ${told.join("; ")}`);
  };

function must(rule: Violation["rule"]): string {
  switch (rule.kind) {
    case "required":
      return "must not be null";
    case "length":
    case "value":
      return `must have ${rule.kind} ${rule.bound} than or equal to ${rule.than}`;
    case "pattern":
      return `must satisfy regular expression pattern: ${rule.pattern}`;
    case "enum":
      return `must satisfy enum value set: [${rule.values.join(", ")}]`;
    case "type":
      return `must be of type ${rule.type}`;
  }
}

/** What IAM says of a name instead of its pattern. */
const allowedByIam: Readonly<Record<string, string | undefined>> = {
  "[\\w+=,.@-]+": "It must contain only alphanumeric characters and/or the following: +=,.@_-",
  "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+": "It must contain only printable ASCII characters.",
  "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)":
    "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
};

/** Other services than those that say it as {@link smithy} does, with `ValidationException`. */
const words: Readonly<Record<string, Words | undefined>> = {
  iam: (violations, first) => {
    for (const { path, rule } of violations) {
      const allowed = rule.kind === "pattern" ? allowedByIam[rule.pattern] : undefined;
      if (allowed && violations.length === 1)
        return new AwsError("ValidationError", `The specified value for ${path} is invalid. ${allowed}`);
    }
    return smithy("ValidationError")(violations, first);
  },
  sts: smithy("ValidationError"),
  logs: smithy("InvalidParameterException"),
  ecr: (_, { path, rule }) => {
    const [member = path, ...inner] = path.split(".");
    const whole = rule.kind === "pattern" ? `must satisfy regular expression '${rule.pattern}'` : must(rule);
    const constraint = inner.length > 0 ? `Member must satisfy constraint: [Member ${must(rule)}]` : whole;
    return new AwsError(
      "InvalidParameterException",
      `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
    );
  },
  eks: (violations, first) => {
    const { path, rule } = first;
    if (rule.kind !== "pattern") return smithy("InvalidParameterException")(violations, first);
    return new AwsError(
      "InvalidParameterException",
      `The parameter ${path} contains invalid characters. It should conform to the regular expression "${rule.pattern}"`,
    );
  },
  "eks-auth": smithy("InvalidParameterException"),
  ec2: (_, { path, held, rule }) =>
    rule.kind === "required"
      ? new AwsError("MissingParameter", `The request must contain the parameter ${path}`)
      : new AwsError(
          "InvalidParameterValue",
          `Value (${held.slice(1, -1)}) for parameter ${path} is invalid. It ${must(rule)}.`,
        ),
};

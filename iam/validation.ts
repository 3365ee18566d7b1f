import * as z from "zod";

// The one dialect in which this project says what a value may be: zod, with each rule as a clause that ends the sentence
// "KEY holds VALUE; ...". Whoever checks a value gets such faults, and prefixes the key with its own.

/** `a whole number from 0 to 9` → `it must be a whole number from 0 to 9`. */
export const must = (rule: string): string => `it must be ${rule}`;

export const text = (rule: string, test: (value: string) => boolean = () => true) =>
  z.string(must(rule)).refine(test, must(rule));

export const matching = (pattern: RegExp, rule: string) => text(rule, (value) => pattern.test(value));

export function integer(min: number, max: number, unit = "") {
  const rule = must(`a whole number ${unit}from ${min} to ${max}`);
  return z.int(rule).min(min, rule).max(max, rule);
}

export const flag = () => z.boolean(must("true or false"));

export const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, must(`one of ${values.join(", ")}`));

/** Unless it says so, a list holds something: an empty one would mean nothing to AWS, or everything. */
export const list = <T extends z.ZodType>(
  item: T,
  rule: string,
  { min = 1, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number } = {},
) =>
  z
    .array(item, must(rule))
    .min(min, must(rule))
    .max(max, must(`${rule}, at most ${max}`));

/** Keys that a person chooses, each under a rule. */
export const map = <T extends z.ZodType>(
  value: T,
  rule: string,
  keyRule = "text",
  isKey: (key: string) => boolean = () => true,
) =>
  z.record(z.string(), value, must(rule)).superRefine((entries, context) => {
    for (const key of Object.keys(entries)) {
      if (!isKey(key)) fail(context, [key], `its key must be ${keyRule}`);
    }
  });

/** Keys that are known. Another one is refused with those that there are, or with what to do instead. */
export function object<S extends z.core.$ZodLooseShape>(
  shape: S,
  instead: Readonly<Record<string, string>> = {},
) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys
            .map((key) => (Object.hasOwn(instead, key) ? instead[key] : noSuchKey(key, known)))
            .join("\n") // a line a key, as `faultsOf` expects
        : must(`a map of ${known.join(", ")}`),
  });
}

/**
 * One of several forms. What fits none is judged by the form that it comes nearest to, or by `rule` where it is of no form's
 * kind. An exclusive union, since the other one of zod hides what the forms that it holds for wrong have to say.
 */
export const anyOf = <const T extends readonly [z.ZodType, ...z.ZodType[]]>(forms: T, rule?: string) =>
  z.xor(forms, rule === undefined ? noRule : must(rule));

/** What has no rule of its own to tell: a union of which the first form's will do, and a form that is known by a test. */
const noRule = "-";

/** A form that is known by a test. */
export const ofKind = <T>(test: (value: unknown) => boolean) => z.custom<T>(test, noRule);

/** A value that another part of the program gives later: a promise, or an output of a resource. */
export const isLater = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  (value instanceof Promise || typeof (value as { apply?: unknown }).apply === "function");

/** What decides which resources there are, and so may not come later. */
export const known = <T extends z.ZodType>(schema: T) =>
  z
    .unknown()
    .refine((value) => !isLater(value), {
      error: "it must be known from the start: it decides which resources there are",
      abort: true,
    })
    .pipe(schema as z.ZodType<z.output<T>, unknown>);

/**
 * How texts are given: `plain` where they come from a file; a component lets them come later too. `L` is the type of
 * such a text.
 */
export type Late<L> = (schema: z.ZodType<string, string>) => z.ZodType<L, L>;
export const plain: Late<string> = (schema) => schema;

/** One thing that is wrong with a value. */
export interface Fault {
  /** Where, inside the value. */
  readonly path: readonly PropertyKey[];
  /** What is there; undefined when nothing is. */
  readonly holds: unknown;
  /** What would be right: the end of a sentence. */
  readonly problem: string;
}

/** Adds a fault by a rule over several keys. */
export function fail(context: z.core.$RefinementCtx, path: readonly PropertyKey[], problem: string): void {
  context.addIssue({
    code: "custom",
    path: [...path],
    message: problem,
    input: valueAt(context.value, path),
  });
}

/** Reads a value by another schema in the middle of a transformation; undefined where that finds faults. */
export function readInside<T extends z.ZodType>(
  schema: T,
  value: unknown,
  context: z.core.$RefinementCtx,
  describe: (fault: Fault) => Fault = (fault) => fault,
): z.output<T> | undefined {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const { path, holds, problem } of faultsOf(result.error, value).map(describe)) {
    context.addIssue({ code: "custom", path: [...path], message: problem, input: holds });
  }
  return undefined;
}

/** What is wrong with a value that was parsed with `reportInput`. */
export const faultsOf = (error: z.ZodError, value: unknown): Fault[] =>
  error.issues.flatMap(faultsOfIssue).map((fault) => asGiven(fault, value));

/** A fault in what came of a value, told of the value as it was given: without defaults, and before it was read. */
export function asGiven(fault: Fault, value: unknown): Fault {
  let inner = value;
  for (const key of fault.path) {
    // A document as JSON text was read; what it holds is in the fault only.
    if (typeof inner === "string") return fault;
    // A single statement came out as a list.
    if (typeof key === "number" && !Array.isArray(inner)) continue;
    inner = valueAt(inner, [key]);
  }
  return { ...fault, holds: inner };
}

function faultsOfIssue(issue: z.core.$ZodIssue): Fault[] {
  const { path, input, message } = issue;
  if (issue.code === "unrecognized_keys") {
    const problems = message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      holds: valueAt(input, [key]),
      problem: problems[index] ?? message,
    }));
  }
  if (issue.code === "invalid_union") {
    const forms = issue.errors.map((issues) => ({ issues, distance: distanceOf(issues) }));
    const [nearest] = forms.sort((one, other) => one.distance - other.distance);
    if (nearest && (nearest.distance < anotherKind || message === noRule)) {
      return nearest.issues
        .flatMap(faultsOfIssue)
        .map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
    }
  }
  return [{ path, holds: input, problem: message }];
}

const anotherKind = 10_000;

/** How far a value is from a form: another kind of value, another value where the form has a fixed one, keys that lack or are too many. */
const distanceOf = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((sum, issue) => {
    const kind =
      issue.code === "invalid_type" ||
      issue.code === "invalid_union" ||
      issue.message === noRule ||
      (issue.code === "invalid_value" && typeof issue.input === "object"); // a map in the place of a word
    if (issue.path.length === 0 && kind) return sum + anotherKind;
    if (issue.code === "invalid_value" && issue.values.length === 1 && issue.path.length === 1)
      return sum + 1000;
    if (issue.code === "unrecognized_keys") return sum + 10 * issue.keys.length;
    return sum + (issue.path.length === 1 && issue.input === undefined ? 100 : 1);
  }, 0);

/** A value that cannot be used. The message has a line for everything that is wrong with it. */
export class ArgumentError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map((fault) => `${sentence(keyOf(fault.path), fault)}.`.replace(/\?\.$/, "?")).join("\n"));
    this.faults = faults;
    this.name = "ArgumentError";
  }
}

/**
 * A value as the schema gives it.
 *
 * @throws ArgumentError that names everything that is wrong.
 */
export function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) throw new ArgumentError(faultsOf(result.error, value));
  return result.data;
}

/** A path in Pulumi's notation: `policies[0].document`, `annotations["example.com/team"]`. */
export function keyOf(path: readonly PropertyKey[]): string {
  return path.map(String).reduce((key, part) => {
    if (/^\d+$/.test(part)) return `${key}[${part}]`;
    if (part === "" || /[.[\]"]/.test(part)) return `${key}[${JSON.stringify(part)}]`;
    return key === "" ? part : `${key}.${part}`;
  }, "");
}

/** What is wrong under a key, without the full stop. */
export const sentence = (key: string, { holds, problem }: Pick<Fault, "holds" | "problem">): string =>
  `${[key, holds === undefined ? "is not set" : `holds ${abbreviated(holds)}`].filter(Boolean).join(" ")}; ${problem}`;

/** A value as an error shows it: on one line, and not pages long. */
function abbreviated(value: unknown): string {
  const json =
    JSON.stringify(value, function (this: Record<string, unknown>, key, inner) {
      return isLater(this[key]) ? "(known later)" : inner;
    }) ?? String(value);
  return json.length > 120 ? `${json.slice(0, 117)}...` : json;
}

export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );

function noSuchKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  const guess = near === undefined ? "" : `; do you mean ${near}?`;
  return `there is no such key; there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}${guess}`;
}

/** The word that a misspelt one was meant to be; undefined when none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const maxDistance = Math.max(1, Math.floor(word.length / 3));
  return words
    .map((other) => ({ other, distance: editDistance(word.toLowerCase(), other.toLowerCase()) }))
    .filter(({ distance }) => distance <= maxDistance)
    .sort((one, another) => one.distance - another.distance)[0]?.other;
}

/** Letters to change, add or leave out. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let index = 0; index < other.length; index++) {
      const changed = (row[index] ?? 0) + (letter === other[index] ? 0 : 1);
      next.push(Math.min(changed, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

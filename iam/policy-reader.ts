import { isAllActions } from "./policies.ts";

// IAM policies as the guard rails and the doctor read them: anybody's, in every spelling that IAM takes.

export interface Statement {
  readonly Effect?: string;
  readonly Principal?: string | Readonly<Record<string, string | string[]>>;
  readonly Action?: string | string[];
  readonly NotAction?: string | string[];
  readonly Resource?: string | string[];
  readonly NotResource?: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

/** One line of a statement's conditions. IAM does not care about the case of operators and keys: they are lower here. */
export interface Condition {
  /** Without `ForAnyValue:`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One text or several as a list; an absent one has none. */
export const texts = (value: unknown): string[] =>
  value === undefined || value === null ? [] : [value].flat().map(String);

/** The statements of a policy document, whether it is text or an object; none where it is not known yet. */
export function statementsOf(document: unknown): Statement[] {
  let parsed: unknown = document;
  if (typeof document === "string") {
    try {
      parsed = JSON.parse(document);
    } catch {
      return []; // no policy; AWS will say so
    }
  }
  const statements = (parsed as { Statement?: Statement | Statement[] } | undefined)?.Statement;
  return statements === undefined ? [] : [statements].flat();
}

export const conditions = ({ Condition = {} }: Statement): Condition[] =>
  Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({
      // For one value both mean the same. `ForAllValues:` stays: it lets through what has no value at all.
      operator: operator.toLowerCase().replace(/^foranyvalue:/, ""),
      key: key.toLowerCase(),
      values: texts(values),
    })),
  );

/** Whether a pattern of IAM's matches: `*` stands for any text, `?` for one character. */
export function matches(pattern: string, value: string, options: { ignoreCase?: boolean } = {}): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${expression}$`, options.ignoreCase ? "is" : "s").test(value);
}

/** Whether a statement speaks of an action. */
export function allows({ Action, NotAction }: Statement, action: string): boolean {
  const among = (actions: unknown): boolean =>
    texts(actions).some((pattern) => matches(pattern, action, { ignoreCase: true }));
  return NotAction === undefined ? among(Action) : !among(NotAction);
}

/** What a statement allows wholesale: `*`, all of a service (`s3:*`), or all but a few. */
export function allActions({ Effect, Action, NotAction }: Statement): string[] {
  if (Effect !== "Allow") return [];
  const wide = texts(Action).filter(isAllActions);
  return NotAction === undefined ? wide : [...wide, `all but ${texts(NotAction).join(", ")}`];
}

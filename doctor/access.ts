import { allows, matches, type Statement, statementsOf, texts } from "../iam/policy-reader.ts";

/** What policies say of an action on a resource. */
export interface Access {
  readonly kind:
    | "allowed"
    /** A condition, or a variable in a resource's name, decides: only AWS can judge it. */
    | "conditionally"
    /** On some of the resources that were asked for, and not on all. */
    | "on some resources"
    | "denied"
    | "not allowed";
  /** What it hangs on: the resources, conditions or variables; empty where it hangs on nothing. */
  readonly on: readonly string[];
}

/** How much of what is asked for a statement speaks of, and whether a condition or variable decides that it does. */
interface Cover {
  readonly extent: "all" | "some" | "none";
  readonly hangsOn: readonly string[];
  readonly resources: readonly string[];
}

/**
 * What identity policies, or a boundary, say of an action on a resource, which may be a pattern: `*` asks for all
 * resources. A Deny wins over any Allow. Source: "Policy evaluation logic", IAM User Guide.
 */
export function accessOf(documents: readonly unknown[], action: string, resource: string): Access {
  const statements = documents.flatMap(statementsOf).filter((one) => allows(one, action));
  const covers = (effect: string): Cover[] =>
    statements
      .filter(({ Effect }) => Effect === effect)
      .map((one) => coverOf(one, resource))
      .filter(({ extent }) => extent !== "none");
  const certain = ({ hangsOn }: Cover): boolean => hangsOn.length === 0;
  const whole = ({ extent }: Cover): boolean => extent === "all";

  const denials = covers("Deny");
  const grants = covers("Allow");
  if (denials.some((one) => whole(one) && certain(one))) return { kind: "denied", on: [] };
  if (grants.length === 0) return { kind: "not allowed", on: [] };
  const full = grants.filter(whole);
  if (full.length === 0) {
    return { kind: "on some resources", on: unique(grants.flatMap(({ resources }) => resources)) };
  }
  const excepted = denials.filter((one) => certain(one));
  if (excepted.length > 0) {
    const all = unique(excepted.flatMap(({ resources }) => resources));
    return { kind: "on some resources", on: [`all but ${all.join(", ")}`] };
  }
  const decided = full.some(certain) ? [] : full;
  const hangsOn = unique([...decided, ...denials].flatMap((one) => one.hangsOn));
  return hangsOn.length === 0 ? { kind: "allowed", on: [] } : { kind: "conditionally", on: hangsOn };
}

/** What is left of an access within a boundary or a session policy: the lesser of both. */
export function within(access: Access, limit: Access): Access {
  const order = ["denied", "not allowed", "on some resources", "conditionally", "allowed"];
  return order.indexOf(limit.kind) < order.indexOf(access.kind) ? limit : access;
}

function coverOf(statement: Statement, resource: string): Cover {
  const { Condition = {}, Resource, NotResource } = statement;
  const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${operator} ${key} ${texts(values).join(", ")}`),
  );
  const cover = (
    extent: Cover["extent"],
    resources: readonly string[],
    variables: readonly string[],
  ): Cover => ({
    extent,
    hangsOn: [...conditions, ...variables],
    resources,
  });
  const patterns = texts(NotResource ?? Resource).map((text) => ({ text, ...patternOf(text) }));
  const certain = patterns.filter(({ variable }) => !variable);
  const meeting = patterns.filter(({ pattern }) => patternsMeet(pattern, resource));
  const variables = meeting.filter(({ variable }) => variable).map(({ text }) => text);
  const meetingTexts = meeting.map(({ text }) => text);
  const whole = certain.some(({ pattern }) => matches(pattern, resource));
  if (NotResource !== undefined) {
    const rest = [`all but ${texts(NotResource).join(", ")}`];
    if (whole) return cover("none", [], []);
    // What a variable leaves out, only AWS can tell; until then the statement may speak of it.
    if (variables.length === meeting.length) return cover("all", rest, variables);
    return cover("some", rest, variables);
  }
  if (whole) return cover("all", meetingTexts, []);
  if (patterns.some(({ variable, pattern }) => variable && matches(pattern, resource))) {
    return cover("all", meetingTexts, variables);
  }
  return cover(meeting.length > 0 ? "some" : "none", meetingTexts, variables);
}

/**
 * A resource's pattern as text with `*` and `?`: what a policy variable stands for may be anything. `${*}` and `${?}`
 * stand for these characters themselves, of which no resource that is asked for has one. Source: "IAM policy elements:
 * Variables and tags".
 */
function patternOf(text: string): { pattern: string; variable: boolean } {
  const escaped = text.replace(/\$\{[*?]\}/g, "\0").replace(/\$\{\$\}/g, "$$$$");
  const pattern = escaped.replace(/\$\{[^}]*\}/g, "*");
  return { pattern, variable: pattern !== escaped };
}

/** Whether there is a text that two patterns both match. */
export function patternsMeet(one: string, other: string): boolean {
  const known = new Map<string, boolean>();
  const meet = (a: number, b: number): boolean => {
    const key = `${a},${b}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const [x, y] = [one[a], other[b]];
    let met: boolean;
    if (x === undefined && y === undefined) met = true;
    else if (x === "*") met = meet(a + 1, b) || (y !== undefined && meet(a, b + 1));
    else if (y === "*") met = meet(a, b + 1) || (x !== undefined && meet(a + 1, b));
    else
      met = x !== undefined && y !== undefined && (x === y || x === "?" || y === "?") && meet(a + 1, b + 1);
    known.set(key, met);
    return met;
  };
  return meet(0, 0);
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

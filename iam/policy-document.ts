import * as z from "zod";
import { partitionIn } from "./partition.ts";
import { anyOf, fail, list, matching, must, nearest, object, oneOf, readInside, text } from "./validation.ts";

/** The IAM policy language as types, and its rules. Source: "Grammar of the IAM JSON policy language", IAM User Guide. */

type OneOrMore<T> = T | readonly T[];

/** Condition operator → condition key → value or values, as in `{ StringEquals: { "aws:RequestedRegion": "eu-west-1" } }`. */
export type Conditions = Readonly<
  Record<string, Readonly<Record<string, OneOrMore<string | number | boolean>>>>
>;

/** Who a statement speaks of; only resource policies, such as a role's trust policy, have it. */
export type Principal = "*" | Readonly<Partial<Record<"AWS" | "Federated" | "Service", OneOrMore<string>>>>;

/** One statement of a policy attached to a role. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action?: OneOrMore<string>;
  readonly NotAction?: OneOrMore<string>;
  readonly Resource?: OneOrMore<string>;
  readonly NotResource?: OneOrMore<string>;
  readonly Condition?: Conditions;
}

/** A statement of a role's trust policy. */
export interface TrustStatement extends Omit<Statement, "Resource" | "NotResource"> {
  readonly Principal: Principal;
}

export interface PolicyDocument<S = Statement> {
  /** IAM takes a document without one for the older, which knows no policy variables. */
  readonly Version?: "2012-10-17" | "2008-10-17";
  readonly Id?: string;
  readonly Statement: readonly S[];
}

export type TrustPolicy = PolicyDocument<TrustStatement>;

/** A document as people have it: a single statement need not be a list. */
export interface PolicyDocumentInput extends Omit<PolicyDocument, "Statement"> {
  readonly Statement: OneOrMore<Statement>;
}

const oneOrMore = <T extends z.ZodType>(item: T, rule: string) =>
  anyOf([item, list(item, `${rule}, or a list of such`)], rule);

const actionRule = "an action such as s3:ListAllMyBuckets";
// IAM does not care about the case of either half.
const actions = oneOrMore(matching(/^(?:\*|\*:\*|[a-z0-9-]+:[a-z0-9*?-]+)$/i, actionRule), actionRule);

const resourceRule = 'an ARN (arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE) or "*"';
/** An ARN has six parts; one that is shorter and ends with a star, IAM takes for all that begins so. */
const isResource = (resource: string): boolean =>
  resource === "*" ||
  /^arn:(?:aws[a-z-]*|\*):[^:*?\s]+:(?:[^:\s]*:[^:\s]*:\S.*|(?:[^:\s]*:)?\*)$/.test(resource);
const resources = oneOrMore(text(resourceRule, isResource), resourceRule);

const operators = [
  ...["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"],
  ...["StringLike", "StringNotLike"],
  ...["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals"],
  ...["NumericGreaterThan", "NumericGreaterThanEquals"],
  ...["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals"],
  ...["DateGreaterThan", "DateGreaterThanEquals"],
  ...["Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"],
  ...["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
];
const lowerOperators = new Set(operators.map((operator) => operator.toLowerCase()));

/** Why IAM knows no such operator of conditions; undefined when it does. It does not care about their case. */
function operatorFault(operator: string): string | undefined {
  const bare = operator.replace(/^For(?:AllValues|AnyValue):/i, "");
  // All but Null take IfExists. Source: "IAM JSON policy elements: Condition operators", IAM User Guide.
  const base = bare.replace(/(?<!^Null)IfExists$/i, "");
  if (lowerOperators.has(base.toLowerCase())) return undefined;
  const near = nearest(base, operators);
  return `IAM has no such operator${near === undefined ? " as StringEquals, ArnLike, Bool" : `, do you mean ${near}?`}`;
}

const conditionKeyRule = "its key must be one with its service, such as aws:RequestedRegion or s3:prefix";
const conditionValue = z.union([z.string(), z.number(), z.boolean()], must("text, a number, true or false"));
const conditions = z
  .record(
    z.string(),
    z.record(
      z.string(),
      oneOrMore(conditionValue, "text, a number, true or false"),
      must('a map of condition keys to values, as in { "aws:RequestedRegion": "eu-west-1" }'),
    ),
    must('a map of operators, as in { StringEquals: { "aws:RequestedRegion": "eu-west-1" } }'),
  )
  .superRefine((condition, context) => {
    for (const [operator, keys] of Object.entries(condition)) {
      const problem = operatorFault(operator);
      if (problem) fail(context, [operator], problem);
      for (const key of problem ? [] : Object.keys(keys)) {
        // What is after the colon may be the key of a tag, which may be anything.
        if (!/^[^:\s]+:./.test(key)) fail(context, [operator, key], conditionKeyRule);
      }
    }
  });

const statement = object(
  {
    Sid: matching(/^[A-Za-z0-9]*$/, "letters and digits only").optional(),
    Effect: oneOf(["Allow", "Deny"]),
    Action: actions.optional(),
    NotAction: actions.optional(),
    Resource: resources.optional(),
    NotResource: resources.optional(),
    Condition: conditions.optional(),
  },
  { Principal: "the policies of a role have none, the role itself is the principal; leave it out" },
).superRefine((statement, context) => {
  for (const [one, other] of [
    ["Action", "NotAction"],
    ["Resource", "NotResource"],
  ] as const) {
    if ((statement[one] === undefined) === (statement[other] === undefined)) {
      fail(context, [], `it needs ${one} or ${other}, and not both`);
    }
  }
});

const statements = list(statement, "a list of at least one statement");

/** Source: policyDocumentType, IAM API Reference. Typographic quotes and dashes are not in Latin-1, nor is most of the world. */
export const isPolicyText = (text: string): boolean => /^[\t\n\r\u0020-\u00ff]*$/.test(text);
export const policyTextRule =
  "text of Latin-1 (no typographic quotes or dashes): IAM takes no other in a policy";

/** Where in a value there is text that IAM takes in no policy. */
function foreignTexts(value: unknown, path: readonly PropertyKey[] = []): (readonly PropertyKey[])[] {
  if (typeof value === "string") return isPolicyText(value) ? [] : [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const there = [...path, Array.isArray(value) ? Number(key) : key];
    return isPolicyText(key) ? foreignTexts(inner, there) : [there];
  });
}

type Version = NonNullable<PolicyDocument["Version"]>;
/** YAML takes what is in no quotes for a date, and Pulumi's engine writes that as a time. */
const version = z.preprocess(
  (given) => (typeof given === "string" ? given.replace(/^(\d{4}-\d\d-\d\d)[T ]00:00:00\b.*$/, "$1") : given),
  z.enum(["2012-10-17", "2008-10-17"], must('"2012-10-17", as a text')),
) as z.ZodType<Version, Version>;

const wrapped = "what AWS prints around a policy; give the document in it alone";

/** A document of a role's policy, whose statements come out as a list. */
const documentObject = object(
  {
    Version: version.optional(),
    Id: z.string(must("text")).optional(),
    Statement: anyOf(
      [statements, statement.transform((one) => [one])],
      "a statement, or a list of at least one",
    ),
  },
  { PolicyDocument: wrapped, PolicyVersion: wrapped, Document: wrapped },
).superRefine((document, context) => {
  for (const path of foreignTexts(document)) fail(context, path, must(policyTextRule));
  const seen = new Map<string, number>();
  for (const [index, { Sid }] of document.Statement.entries()) {
    if (!Sid) continue;
    const first = seen.get(Sid);
    if (first !== undefined)
      fail(context, ["Statement", index, "Sid"], `Statement[${first}] has this Sid already`);
    else seen.set(Sid, index);
  }
});

const documentText = z.string().transform((json, context): z.output<typeof documentObject> => {
  // Editors on Windows begin a file with a mark of its encoding.
  const text = json.replace(/^\uFEFF/, "");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(context, [], `it is no JSON: ${(error as Error).message}`);
    return z.NEVER;
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    fail(context, [], `it has ${repeated} twice in one map: only the last would count; put both in one`);
    return z.NEVER;
  }
  return readInside(documentObject, value, context) ?? z.NEVER;
});

/**
 * A key that stands twice in one map of a JSON text. IAM refuses that; `JSON.parse` keeps the last, and so would drop a
 * condition without a word.
 */
function repeatedKey(json: string): string | undefined {
  const maps: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === "{") maps.push(new Set());
    else if (token === "}") maps.pop();
    else if (key !== undefined) {
      const name: string = JSON.parse(key);
      const map = maps.at(-1);
      if (map?.has(name)) return name;
      map?.add(name);
    }
  }
  return undefined;
}

/** A document of a role's policy: as an object, or as JSON text. */
export const policyDocument: z.ZodType<PolicyDocument, PolicyDocumentInput | string> = anyOf(
  [documentObject, documentText],
  "a policy document ({ Version, Statement }), or one as JSON text",
);
/** The same, where text would mean something else. */
export const bareDocument: z.ZodType<PolicyDocument, PolicyDocumentInput> = documentObject;
/** The same, from a file. */
export const documentInText: z.ZodType<PolicyDocument, string> = documentText;

interface PlacedArn {
  readonly path: readonly (string | number)[];
  readonly arn: string;
}

/** The ARNs that a document names, and where they stand in it. */
export function arnsIn(document: PolicyDocument): PlacedArn[] {
  return document.Statement.flatMap((one, index) => [
    ...(["Resource", "NotResource"] as const).flatMap((key) => placed(one[key], ["Statement", index, key])),
    ...Object.entries(one.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).flatMap(([key, values]) => {
        const arns = placed(values, ["Statement", index, "Condition", operator, key]);
        // Values are alternatives: those of other partitions may stand beside those of this one.
        return new Set(arns.map(({ arn }) => partitionIn(arn))).size === 1 ? arns : [];
      }),
    ),
  ]);
}

const placed = (values: unknown, path: PlacedArn["path"]): PlacedArn[] =>
  (Array.isArray(values) ? values.map((one, at) => [one, [...path, at]] as const) : [[values, path] as const])
    .filter((one): one is readonly [string, PlacedArn["path"]] => typeof one[0] === "string")
    .map(([arn, path]) => ({ path, arn }));

/** Length of a document as IAM counts it: without white space. */
export const characters = (document: PolicyDocument<unknown>): number =>
  JSON.stringify(document).replace(/\s/g, "").length;

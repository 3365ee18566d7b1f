import { type ValidationError, validateIdentityPolicy, validateTrustPolicy } from "@cloud-copilot/iam-policy";
import { AwsError } from "./reply.ts";

// What IAM's parser refuses of a policy, in its words. MiniStack takes nearly all of it.

/** Who a policy is written for: a role's trust policy says who may assume it, all others what may be done. */
export type PolicyKind = "trust" | "permissions";

/**
 * Reads a policy as IAM does.
 *
 * @throws AwsError `MalformedPolicyDocument`, or `ValidationError` where it has characters that IAM takes nowhere.
 */
export function checkPolicyDocument(text: string, kind: PolicyKind): void {
  // The pattern of policyDocumentType in IAM's API model.
  if (!/^[\t\n\r\u0020-\u00ff]*$/.test(text)) {
    throw new AwsError(
      "ValidationError",
      "The specified value for policyDocument is invalid. It must contain only printable ASCII characters.",
    );
  }
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed("This policy contains invalid Json");
  }
  const [error] = kind === "trust" ? validateTrustPolicy(policy) : validateIdentityPolicy(policy);
  // IAM tells an action without a service, which the library takes for an error of syntax, in words of its own.
  if (error && !/\.Action/.test(error.path)) throw malformed(inWords(error));

  const statements = statementsOf(policy);
  if (statements.length === 0) throw syntaxError("Statement", "there is none");
  for (const [index, statement] of statements.entries()) {
    checkOperators(statement, `Statement[${index}].Condition`);
  }
  checkIds(statements);
  for (const statement of statements) checkActions(statement);
  if (error) throw malformed(inWords(error));
  if (kind === "trust") {
    if (!statements.every(assumesRole))
      throw malformed("AssumeRole policy may only specify STS AssumeRole actions.");
  } else {
    for (const statement of statements) checkResources(statement);
  }
}

/** Characters as IAM's quotas count them: without white space. */
export const charactersOf = (text: string): number => text.replaceAll(/\s/g, "").length;

type OneOrMore = string | readonly string[];

interface Statement {
  Sid?: string;
  Action?: OneOrMore;
  NotAction?: OneOrMore;
  Resource?: OneOrMore;
  NotResource?: OneOrMore;
  Condition?: Readonly<Record<string, unknown>>;
}

const statementsOf = (policy: unknown): Statement[] =>
  [(policy as { Statement: Statement | Statement[] }).Statement].flat();
const listOf = (value: OneOrMore | undefined): readonly string[] => [value ?? []].flat();

const malformed = (message: string): AwsError => new AwsError("MalformedPolicyDocument", message);

/** IAM says that the syntax is wrong, and not where. */
const syntaxError = (path: string, message: string): AwsError =>
  malformed(`Syntax errors in policy. (${[path, message].filter(Boolean).join(": ")})`);

/** IAM names prohibited fields and says of all else that the syntax is wrong; where, only the validator knows. */
function inWords({ message, path }: ValidationError): string {
  const prohibited = /^(\w+) is not allowed in a/.exec(message)?.[1];
  return prohibited ? `Has prohibited field ${prohibited}` : syntaxError(path, message).message;
}

const strings = ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"];
const numbers = [
  ...["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
];
/** Source: "IAM JSON policy elements: Condition operators", IAM User Guide. */
const operators = new Set([
  ...strings.map((name) => `String${name}`),
  ...numbers.flatMap((name) => [`Numeric${name}`, `Date${name}`]),
  ...["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
  ...["Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"],
]);

function checkOperators({ Condition }: Statement, path: string): void {
  for (const operator of Object.keys(Condition ?? {})) {
    const bare = operator.replace(/^For(AnyValue|AllValues):/, "").replace(/(?<!^Null)IfExists$/, "");
    if (!operators.has(bare)) throw syntaxError(path, `${operator} is no condition operator`);
  }
}

function checkIds(statements: readonly Statement[]): void {
  const ids = statements.flatMap(({ Sid }) => Sid || []);
  if (!ids.every((id) => /^[0-9A-Za-z]*$/.test(id))) {
    throw malformed(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  }
  if (new Set(ids).size < ids.length)
    throw malformed("Statement IDs (SID) in a single policy must be unique.");
}

function checkActions({ Action, NotAction }: Statement): void {
  const actions = [...listOf(Action), ...listOf(NotAction)];
  if (actions.length === 0) throw malformed("Policy statement must contain actions.");
  for (const action of actions.filter((one) => one !== "*")) {
    const [vendor = "", ...names] = action.split(":");
    if (names.length === 0)
      throw malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    if (names.length > 1) throw malformed("Actions/Condition can contain only one colon.");
    if (!/^[a-zA-Z0-9.-]+$/.test(vendor)) throw malformed(`Vendor ${vendor} is not valid`);
  }
}

/** Of the account that local plays. */
const partition = "aws";

function checkResources({ Resource, NotResource }: Statement): void {
  const resources = [...listOf(Resource), ...listOf(NotResource)];
  if (resources.length === 0) throw malformed("Policy statement must contain resources.");
  for (const resource of resources.filter((one) => one !== "*")) {
    const [arn, inPartition = "", vendor = ""] = resource.split(":");
    if (arn !== "arn") throw malformed(`Resource ${resource} must be in ARN format or "*".`);
    if (![partition, "*"].includes(inPartition))
      throw malformed(`Partition "${inPartition}" is not valid for resource "${resource}".`);
    if (!/^[a-zA-Z0-9-]+$/.test(vendor))
      throw malformed("Resource vendor must be fully qualified and cannot contain regexes.");
  }
}

const assumesRole = ({ Action }: Statement): boolean =>
  listOf(Action).every((action) => /^(\*|sts:.+)$/i.test(action));

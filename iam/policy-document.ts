/** The IAM policy language as types. Source: "Grammar of the IAM JSON policy language", IAM User Guide. */

type OneOrMore<T> = T | readonly T[];

/** Condition operator → condition key → value or values, as in `{ StringEquals: { "aws:RequestedRegion": "eu-west-1" } }`. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, OneOrMore<string>>>>>;

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
  readonly Version: "2012-10-17";
  readonly Statement: readonly S[];
}

export type TrustPolicy = PolicyDocument<TrustStatement>;

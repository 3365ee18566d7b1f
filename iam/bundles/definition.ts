import type { PolicyDocument, Statement } from "../policy-document.ts";

/** What a bundle comes to. */
export type ResolvedBundle =
  /** A policy that AWS keeps. Its ARN is `arn:<partition>:iam::aws:policy/<path>`. */
  | { readonly kind: "aws-managed"; readonly path: string }
  /** A document; it names resources of the partition that it is for. */
  | { readonly kind: "inline"; readonly document: (partition: string) => PolicyDocument };

/** One field of a bundle's reference, which may come from a file. */
export interface Parameter {
  readonly required: boolean;
  /** What it must be, as the end of a sentence. */
  readonly rule: string;
  readonly test: (value: unknown) => boolean;
}

/** A bundle: the fields of its reference `R`, and what they make. */
export interface Definition<R> {
  readonly parameters: { readonly [K in Exclude<keyof R, "bundle">]-?: Parameter };
  /** Called with fields that passed their tests. */
  readonly resolve: (reference: R) => ResolvedBundle;
}

export const list = (rule: string, ...patterns: RegExp[]): Parameter => ({
  required: true,
  rule,
  test: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === "string" && patterns.some((pattern) => pattern.test(one))),
});

export const text = (rule: string, pattern: RegExp): Parameter => ({
  required: true,
  rule,
  test: (value) => typeof value === "string" && pattern.test(value),
});

export const oneOf = (...values: string[]): Parameter => ({
  required: true,
  rule: `one of ${values.join(", ")}`,
  test: (value) => values.includes(value as string),
});

export const flag: Parameter = {
  required: false,
  rule: "true or false",
  test: (value) => typeof value === "boolean",
};

export const optional = (parameter: Parameter): Parameter => ({ ...parameter, required: false });

/** Source: CreateCluster, Amazon EKS API Reference. */
export const clusterName = text("the name of an EKS cluster", /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/);

export const kmsKeys = optional(
  list(
    "a list of ARNs of KMS keys (arn:aws:kms:eu-central-1:111122223333:key/...)",
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
  ),
);

export const managed = (path: string): ResolvedBundle => ({ kind: "aws-managed", path });

export const inline = (statements: (partition: string) => Statement[]): ResolvedBundle => ({
  kind: "inline",
  document: (partition) => ({ Version: "2012-10-17", Statement: statements(partition) }),
});

export const allow = (
  Action: string | readonly string[],
  Resource: string | readonly string[],
  Condition?: Statement["Condition"],
): Statement => ({ Effect: "Allow", Action, Resource, ...(Condition === undefined ? {} : { Condition }) });

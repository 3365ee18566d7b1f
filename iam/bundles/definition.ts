import * as z from "zod";
import * as names from "../names.ts";
import type { PolicyDocument, Statement } from "../policy-document.ts";
import * as validation from "../validation.ts";
import { matching, must } from "../validation.ts";

/** What a bundle comes to. */
export type ResolvedBundle =
  /** A policy that AWS keeps. Its ARN is `arn:<partition>:iam::aws:policy/<path>`. */
  | { readonly kind: "aws-managed"; readonly path: string }
  /** A document; it names resources of the partition that it is for. */
  | { readonly kind: "inline"; readonly document: (partition: string) => PolicyDocument };

/** A bundle: the rules for the fields of its reference `R`, and what they make. */
export interface Definition<R> {
  readonly parameters: { readonly [K in Exclude<keyof R, "bundle">]-?: z.ZodType };
  /** Called with fields that passed their rules. @throws Error that says what they lack together. */
  readonly resolve: (reference: R) => ResolvedBundle;
}

/** Texts, each of one of the patterns. */
export const list = (rule: string, ...patterns: RegExp[]) =>
  z
    .array(z.string(must(rule)), must(rule))
    .refine(
      (values) => values.length > 0 && values.every((one) => patterns.some((pattern) => pattern.test(one))),
      must(rule),
    );

export const text = (rule: string, pattern: RegExp) => matching(pattern, rule);

export const oneOf = (...values: string[]) => validation.oneOf(values);

export const optional = <T extends z.ZodType>(parameter: T) => parameter.optional();

export const flag = optional(validation.flag());

export const clusterName = names.clusterName;

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

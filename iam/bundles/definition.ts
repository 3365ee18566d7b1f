import * as z from "zod";
import * as names from "../names.ts";
import type { Conditions, PolicyDocument, Statement } from "../policy-document.ts";
import * as validation from "../validation.ts";
import { matching, must } from "../validation.ts";

/** One of the policies that a bundle comes to. */
export type BundlePolicy = {
  /** Tells it from the bundle's others, as the end of its name; the first has none. */
  readonly part?: string;
} & (
  | {
      /** A policy that AWS keeps. Its ARN is `arn:<partition>:iam::aws:policy/<path>`. */
      readonly kind: "aws-managed";
      readonly path: string;
    }
  | {
      /** A document; it names resources of the partition that it is for. */
      readonly kind: "inline";
      readonly document: (partition: string) => PolicyDocument;
    }
);

/** A bundle: the rules for the fields of its reference `R`, and what they make. */
export interface Definition<R> {
  readonly parameters: { readonly [K in Exclude<keyof R, "bundle" | "attach">]-?: z.ZodType };
  /** What fields that passed their rules lack together: the one to change, and what would be right. */
  readonly fault?: (reference: R) => readonly [parameter: keyof R, problem: string] | undefined;
  /** Called with fields that are right. */
  readonly resolve: (reference: R) => readonly BundlePolicy[];
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

export const hostedZones = list(
  'a list of Route 53 hosted zone ids such as ["Z2FDTNDATAQYW2"]',
  /^Z[A-Z0-9]{1,31}$/,
);

export const zoneArns = (partition: string, zones: readonly string[]): string[] =>
  zones.map((zone) => `arn:${partition}:route53:::hostedzone/${zone}`);

/** An alias is none: IAM would look for its name among the keys, and KMS names a key by its ARN. */
const kmsKey = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;
export const kmsKeys = optional(
  list("a list of ARNs of KMS keys (arn:aws:kms:eu-central-1:111122223333:key/...), not of aliases", kmsKey),
);

export const queueArn = /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}(?:\.fifo)?$/;

/** Source: "Bucket naming rules", S3 User Guide. */
const generalBucket =
  /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|\.mrap|--xa?-s3|--table-s3)$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** S3 Express One Zone. They are called `<name>--<zone>--x-s3`. */
const directoryBucket = /^(?=.{3,63}$)[a-z0-9][a-z0-9-]*--[a-z0-9-]+--x-s3$/;
export const isDirectoryBucket = (bucket: string): boolean => directoryBucket.test(bucket);
export const buckets = list('a list of bucket names such as ["my-bucket"]', generalBucket);
export const bucketsOfAnyKind = list(
  'a list of bucket names such as ["my-bucket"]',
  generalBucket,
  directoryBucket,
);

/** They begin with something, so that nobody gets all by a stray `*`, and end where a folder does. */
export const prefixes = optional(
  list(
    'a list of prefixes that end in / such as ["team-a/"], without wildcards',
    /^(?=.{2,1024}$)[\w.!'()@:+,=-][\w.!'()@:+,=/-]*\/$/,
  ),
);

export const bucketArns = (partition: string, names: readonly string[]): string[] =>
  names.map((bucket) => `arn:${partition}:s3:::${bucket}`);

export const managed = (path: string, part?: string): BundlePolicy => ({ kind: "aws-managed", path, part });

export const inline = (
  statements: (partition: string) => readonly Statement[],
  part?: string,
): BundlePolicy => ({
  kind: "inline",
  document: (partition) => ({ Version: "2012-10-17", Statement: statements(partition) }),
  part,
});

/** What is there only where it is asked for. */
export const when = <T>(asked: boolean | undefined, ...things: T[]): T[] => (asked ? things : []);

export const allow = (
  Action: string | readonly string[],
  Resource: string | readonly string[],
  Condition?: Conditions,
): Statement => ({ Effect: "Allow", Action, Resource, ...(Condition === undefined ? {} : { Condition }) });

/** Conditions that must hold together. */
export const both = (...all: readonly Conditions[]): Conditions => {
  const joined: Record<string, Conditions[string]> = {};
  for (const conditions of all) {
    for (const [operator, keys] of Object.entries(conditions)) {
      joined[operator] = { ...joined[operator], ...keys };
    }
  }
  return joined;
};

/** `actionsOf("ec2")("DescribeVpcs")` is `["ec2:DescribeVpcs"]`. */
export const actionsOf =
  (service: string) =>
  (...actions: string[]): string[] =>
    actions.map((action) => `${service}:${action}`);

import { matching } from "./validation.ts";

/**
 * AWS partitions: each is an AWS of its own, with its own accounts, and its name is the second part of every ARN.
 *
 * Source: the region prefixes and DNS suffixes of the SDKs' `partitions.json`.
 */
const partitions: ReadonlyArray<{ regionPrefix: string; partition: string; dnsSuffix: string }> = [
  { regionPrefix: "cn-", partition: "aws-cn", dnsSuffix: "amazonaws.com.cn" },
  { regionPrefix: "us-gov-", partition: "aws-us-gov", dnsSuffix: "amazonaws.com" },
  { regionPrefix: "us-iso-", partition: "aws-iso", dnsSuffix: "c2s.ic.gov" },
  { regionPrefix: "us-isob-", partition: "aws-iso-b", dnsSuffix: "sc2s.sgov.gov" },
  { regionPrefix: "eu-isoe-", partition: "aws-iso-e", dnsSuffix: "cloud.adc-e.uk" },
  { regionPrefix: "us-isof-", partition: "aws-iso-f", dnsSuffix: "csp.hci.ic.gov" },
  { regionPrefix: "eusc-", partition: "aws-eusc", dnsSuffix: "amazonaws.eu" },
  { regionPrefix: "", partition: "aws", dnsSuffix: "amazonaws.com" },
];

const ofRegion = (region: string) => partitions.find(({ regionPrefix }) => region.startsWith(regionPrefix));

/** The partition that a region belongs to: `aws` for eu-central-1, `aws-cn` for cn-north-1. */
export const partitionOfRegion = (region: string): string => ofRegion(region)?.partition ?? "aws";

/** The end of AWS's host names in a region: `amazonaws.com` for eu-central-1. */
export const dnsSuffixOfRegion = (region: string): string => ofRegion(region)?.dnsSuffix ?? "amazonaws.com";

export const regionRule = "an AWS region such as eu-central-1";
export const regionPattern = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/;
export const region = matching(regionPattern, regionRule);

/** The partition that an ARN names; undefined when the text is no ARN, or its partition is a pattern. */
export const partitionIn = (text: string): string | undefined => /^arn:(aws[a-z-]*):/.exec(text)?.[1];

/**
 * The partition that an ARN names.
 *
 * @throws Error when the text is no ARN.
 */
export function partitionOfArn(arn: string): string {
  const partition = partitionIn(arn);
  if (partition === undefined) throw new Error(`${JSON.stringify(arn)} is not an ARN (arn:aws:...).`);
  return partition;
}

/** Why what is of another partition than a cluster cannot be used there: the end of a sentence. */
export function partitionRule(partition: string, region?: string): string {
  const since = region === undefined ? "" : `, since ${region} is in ${partition}`;
  return `it must be of the region's partition (arn:${partition}:...)${since}`;
}

/** The partition whose ARNs are the longest: what fits there fits everywhere. */
export const longestPartition = "aws-us-gov";

/** What binds a value to one partition, and where in the value it stands. */
export interface Bound {
  readonly path: readonly PropertyKey[];
  readonly holds: string;
  readonly partition: string;
}

/** What a text is bound by, where it is an ARN whose partition is said. */
export function boundBy(holds: unknown, path: readonly PropertyKey[]): Bound[] {
  const partition = typeof holds === "string" ? partitionIn(holds) : undefined;
  return partition === undefined ? [] : [{ path, holds: String(holds), partition }];
}

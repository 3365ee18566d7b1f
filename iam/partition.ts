/**
 * AWS partitions: each is an AWS of its own, with its own accounts, and its name is the second part of every ARN.
 *
 * Source: the region prefixes of the SDKs' `partitions.json`.
 */
const partitionByRegionPrefix: ReadonlyArray<readonly [prefix: string, partition: string]> = [
  ["cn-", "aws-cn"],
  ["us-gov-", "aws-us-gov"],
  ["us-iso-", "aws-iso"],
  ["us-isob-", "aws-iso-b"],
  ["eu-isoe-", "aws-iso-e"],
  ["us-isof-", "aws-iso-f"],
  ["eusc-", "aws-eusc"],
];

/** The partition that a region belongs to: `aws` for eu-central-1, `aws-cn` for cn-north-1. */
export function partitionOfRegion(region: string): string {
  return partitionByRegionPrefix.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}

/**
 * The partition that an ARN names.
 *
 * @throws Error when the text is no ARN.
 */
export function partitionOfArn(arn: string): string {
  const partition = /^arn:(aws[a-z-]*):/.exec(arn)?.[1];
  if (partition === undefined) throw new Error(`${JSON.stringify(arn)} is not an ARN (arn:aws:...).`);
  return partition;
}

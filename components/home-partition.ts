import * as pulumi from "@pulumi/pulumi";
import { partitionIn, partitionOfArn, partitionRule } from "../iam/partition.ts";
import { ArgumentError } from "../iam/validation.ts";
import type { CheckedIrsaArguments } from "./irsa-arguments.ts";

/** The partition of the cluster: that of all that its roles refer to. */
export const homePartition = ({
  oidcProviderArns,
}: Pick<CheckedIrsaArguments, "oidcProviderArns">): pulumi.Output<string> =>
  pulumi.output(oidcProviderArns[0] ?? "").apply(partitionOfArn);

/** The ARN. One that is known later is judged then, by an ArgumentError that names its path in the arguments. */
export const inPartition = (
  partition: pulumi.Output<string>,
  path: readonly PropertyKey[],
  arn: pulumi.Input<string>,
): pulumi.Output<string> =>
  pulumi.all([arn, partition]).apply(([arn, partition]) => {
    if (partitionIn(arn) === partition) return arn;
    throw new ArgumentError([{ path, holds: arn, problem: partitionRule(partition) }]);
  });

import {
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { cluster, type Drift, type Target } from "./target.ts";

const logGroupName = `/aws/eks/${cluster}/cluster`;

async function retention({ live }: Target) {
  const { logGroups } = await live
    .logs()
    .send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
  return logGroups?.find((one) => one.logGroupName === logGroupName)?.retentionInDays;
}

export const attributes: readonly Drift[] = [
  {
    what: "log group: retention",
    resource: `cluster-logs-${cluster}`,
    property: "retentionInDays",
    read: retention,
    change: ({ live }) => live.logs().send(new DeleteRetentionPolicyCommand({ logGroupName })),
  },
];

export const deletions: readonly Drift[] = [
  {
    what: "log group deleted",
    resource: `cluster-logs-${cluster}`,
    read: retention,
    change: ({ live }) => live.logs().send(new DeleteLogGroupCommand({ logGroupName })),
  },
];

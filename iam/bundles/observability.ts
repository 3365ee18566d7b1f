import type { Of } from "../bundles.ts";
import {
  actionsOf,
  allow,
  type Definition,
  flag,
  inline,
  list,
  managed,
  oneOf,
  optional,
  when,
} from "./definition.ts";

/**
 * Source: "Set up IAM roles for service accounts", Amazon Managed Service for Prometheus User Guide: a role that writes
 * and a role that queries, whose actions on metadata are the same.
 */
export const prometheus: Definition<Of<"prometheus">> = {
  parameters: {
    workspaces: list(
      "a list of ARNs of workspaces (arn:aws:aps:eu-central-1:111122223333:workspace/ws-...)",
      /^arn:aws[a-z-]*:aps:[a-z0-9-]+:\d{12}:workspace\/ws-[\w-]+$/,
    ),
    access: optional(oneOf("write", "query")),
  },
  resolve: ({ workspaces, access }) => [
    inline(() => [
      allow(
        actionsOf("aps")(
          ...when(access !== "query", "RemoteWrite"),
          ...when(access !== "write", "QueryMetrics"),
          ...["GetSeries", "GetLabels", "GetMetricMetadata"],
        ),
        workspaces,
      ),
    ]),
  ],
};

/** Source: "Install the CloudWatch agent with the Amazon CloudWatch Observability EKS add-on", CloudWatch User Guide. */
export const cloudWatchObservability: Definition<Of<"cloudwatch-observability">> = {
  parameters: { traces: flag },
  resolve: ({ traces = true }) => [
    managed("CloudWatchAgentServerPolicy"),
    ...when(traces, managed("AWSXrayWriteOnlyAccess", "traces")),
  ],
};

import { AwsError } from "../aws/reply.ts";
import type { EksOptions, Routes } from "./api.ts";

/** Access entries are made for principals that are there: MiniStack takes any. */
export const accessEntryRoutes = ({
  accountId,
  principalExists,
}: Pick<EksOptions, "accountId" | "principalExists">): Routes => ({
  "POST /clusters/{cluster}/access-entries": async ({ body: { principalArn }, forward }) => {
    const arn = String(principalArn);
    // Those of other accounts only AWS knows.
    if (arn.split(":")[4] === accountId && !(await principalExists(arn))) {
      throw new AwsError(
        "InvalidParameterException",
        "The specified principalArn is invalid: invalid principal.",
      );
    }
    return forward();
  },
});

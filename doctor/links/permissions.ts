import { isWideManagedPolicy } from "../../iam/policies.ts";
import { type Finding, holds, type Link, unseen } from "../chain.ts";
import { type Access, accessOf } from "../permissions.ts";

/** The role's policies, within its boundary, allow what the workload does. */
export const permissions: Link = {
  id: "permissions",
  title: "The role may do what the workload does",
  optional: true,
  async examine(seen, { iam }, { actions }): Promise<Finding> {
    const { role } = seen;
    if (role === undefined) return unseen("The role could not be read.");
    if (actions.length === 0)
      return unseen("Name what the workload does with --action, such as --action s3:ListAllMyBuckets.");
    const policies = await iam.policies(role);
    const boundary = role.boundaryArn === undefined ? undefined : await iam.policyDocument(role.boundaryArn);
    const unread = policies.filter(({ document }) => document === undefined).map(({ name }) => name);
    const names = policies.map(({ name }) => name).join(", ") || "none";
    const evidence: string[] = [];
    for (const wanted of actions) {
      const [action = "", resource = "*"] = wanted.split("=");
      const access = (documents: readonly (string | undefined)[]): Access =>
        accessOf(
          documents.filter((one) => one !== undefined),
          action,
          resource,
        );
      const granted = access(policies.map(({ document }) => document));
      const broken = (
        cause: string,
        what: string,
        found: { name: string; value: string },
        mend: string,
      ): Finding => ({
        state: "broken",
        cause,
        what,
        disagreement: { wanted: { name: "the workload does", value: wanted }, found },
        mend: [mend],
      });
      const add = `aws iam put-role-policy --role-name ${role.name} --policy-name ${action.replace(/[^\w+=,.@-]/g, "-")} --policy-document '${JSON.stringify(
        { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: resource }] },
      )}'`;
      if (granted === "denied") {
        return broken(
          "denied",
          `A policy of the role denies ${wanted}.`,
          { name: "policies of the role", value: names },
          `aws iam list-role-policies --role-name ${role.name}`,
        );
      }
      if (granted === "not allowed" && unread.length === 0) {
        return broken(
          "not-allowed",
          `No policy of the role allows ${wanted}.`,
          { name: "policies of the role", value: names },
          add,
        );
      }
      const bounded = boundary === undefined ? "allowed" : access([boundary]);
      if (role.boundaryArn !== undefined && (bounded === "not allowed" || bounded === "denied")) {
        return broken(
          "boundary",
          `The permissions boundary does not allow ${wanted}, whatever the role's policies say.`,
          { name: "permissions boundary", value: role.boundaryArn },
          `aws iam get-policy-version --policy-arn ${role.boundaryArn} --version-id v1    # its owner has to add ${action}`,
        );
      }
      evidence.push(
        `${wanted}: ${granted === "not allowed" ? `in none that could be read (not: ${unread.join(", ")})` : granted}`,
      );
    }
    const wide = policies.filter(({ name }) => isWideManagedPolicy(name)).map(({ name }) => name);
    return holds(...evidence, ...wide.map((name) => `${name} allows far more`));
  },
};

import { type Finding, holds, type Link, unseen } from "../chain.ts";

const annotation = "eks.amazonaws.com/role-arn";

/** The ServiceAccount is there, and names a role. */
export const serviceAccount: Link = {
  id: "service-account",
  title: "The ServiceAccount names a role",
  async examine(seen, { kubernetes }, { namespace, serviceAccount: name }): Promise<Finding> {
    const account = await kubernetes.serviceAccount(namespace, name);
    if (account === undefined) {
      return {
        state: "broken",
        cause: "service-account-missing",
        what: `There is no ServiceAccount ${namespace}/${name}.`,
        mend: [
          `kubectl create serviceaccount --namespace ${namespace} ${name}`,
          "or `pulumi refresh` and `pulumi up`, where a stack made it",
        ],
      };
    }
    const value = account.annotations[annotation];
    const mend = [
      `kubectl annotate serviceaccount --namespace ${namespace} ${name} --overwrite ${annotation}=arn:aws:iam::ACCOUNT:role/ROLE`,
    ];
    if (value === undefined) {
      const similar = Object.keys(account.annotations).find((key) => /role-?arn/i.test(key));
      return {
        state: "broken",
        cause: "annotation-missing",
        what: "The ServiceAccount is not annotated with a role.",
        disagreement: similar
          ? {
              wanted: { name: "annotation", value: annotation },
              found: { name: "annotation that is there", value: similar },
            }
          : undefined,
        mend,
      };
    }
    if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(value)) {
      return {
        state: "broken",
        cause: "annotation-malformed",
        what: "The annotation is not the ARN of an IAM role.",
        disagreement: {
          wanted: { name: "an ARN like", value: "arn:aws:iam::111122223333:role/NAME" },
          found: { name: annotation, value },
        },
        mend,
      };
    }
    seen.roleArn = value;
    return holds(`${annotation}: ${value}`);
  },
};

/** The role that it names is there, by that very ARN. */
export const role: Link = {
  id: "role",
  title: "The role is there",
  async examine(seen, { iam }, { namespace, serviceAccount }): Promise<Finding> {
    const arn = seen.roleArn ?? "";
    const account = await iam.accountId();
    if (arn.split(":")[4] !== account) {
      return unseen(
        `The role is of the account ${arn.split(":")[4]}, these credentials of ${account}. Take that account's.`,
      );
    }
    const found = await iam.role(arn.replace(/^.*\//, ""));
    const annotate = (value: string): string =>
      `kubectl annotate serviceaccount --namespace ${namespace} ${serviceAccount} --overwrite ${annotation}=${value}`;
    if (found === undefined) {
      return {
        state: "broken",
        cause: "role-missing",
        what: `There is no role ${arn}.`,
        mend: ["aws iam list-roles --query 'Roles[].Arn'", annotate("ARN")],
      };
    }
    if (found.arn !== arn) {
      const partition = found.arn.split(":")[1] !== arn.split(":")[1];
      return {
        state: "broken",
        cause: partition ? "role-partition" : "role-path",
        what: partition
          ? "The annotation names another partition than the role's."
          : "The annotation leaves out or changes the role's path.",
        disagreement: {
          wanted: { name: "ARN of the role", value: found.arn },
          found: { name: "annotation", value: arn },
        },
        mend: [annotate(found.arn)],
      };
    }
    seen.role = found;
    return holds(`${found.arn}, sessions of at most ${found.maxSessionSeconds} s`);
  },
};

/** The role lets sessions last as long as the workload asks for. */
export const session: Link = {
  id: "session",
  title: "The role allows sessions of that length",
  async examine(seen, _, { sessionSeconds = 3600 }): Promise<Finding> {
    if (seen.role === undefined) return unseen("The role could not be read.");
    const { name, maxSessionSeconds } = seen.role;
    if (sessionSeconds <= maxSessionSeconds) return holds(`${sessionSeconds} s of ${maxSessionSeconds} s`);
    return {
      state: "broken",
      cause: "session-duration",
      what: "The workload asks for longer sessions than the role allows.",
      disagreement: {
        wanted: { name: "seconds asked for", value: String(sessionSeconds) },
        found: { name: "the role's maximum", value: String(maxSessionSeconds) },
      },
      mend: [`aws iam update-role --role-name ${name} --max-session-duration ${sessionSeconds}`],
    };
  },
};

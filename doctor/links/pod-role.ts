import type { Commands } from "../causes.ts";
import { disagreement, holds, type Link, type Patient, unseen, type Verdict } from "../chain.ts";
import type { Iam, Role } from "../world.ts";
import { annotate, iamCommand, throughStack } from "./mend.ts";

/** The role that the annotation names is there, by that very ARN. */
export const annotatedRole: Link<"roleArn", "role"> = {
  id: "role",
  title: "The role is there",
  needs: ["roleArn"],
  gives: ["role"],
  shownBy: "sts",
  async examine({ roleArn }, { iam }, patient) {
    return roleOf(iam, roleArn, "--role-profile", patient, "annotation", (arn) => [annotate(patient, arn)]);
  },
};

/** The role that the association names is there. */
export const associatedRole: Link<"association", "role"> = {
  id: "role",
  title: "The role is there",
  needs: ["association"],
  gives: ["role"],
  async examine({ association: { id, roleArn } }, { iam }, patient) {
    return roleOf(iam, roleArn, "--role-profile", patient, "role of the association", (arn) => [
      `aws eks update-pod-identity-association --region ${patient.region} --cluster-name ${patient.cluster} --association-id ${id} --role-arn ${arn}`,
    ]);
  },
};

async function roleOf(
  iam: Iam,
  arn: string,
  profileFlag: string,
  patient: Patient,
  where: string,
  point: (arn: string) => Commands,
): Promise<Verdict<{ role: Role }>> {
  const looked = await lookUp(iam, arn, profileFlag);
  if ("state" in looked) return looked;
  const { role } = looked;
  if (role === undefined) {
    return {
      state: "broken",
      cause: "role-missing",
      what: `There is no role ${arn}.`,
      mend: throughStack(patient, point("ARN")),
      look: [iamCommand("list-roles --query 'Roles[].Arn'", patient.profiles?.role)],
    };
  }
  if (role.arn !== arn) {
    const partition = role.arn.split(":")[1] !== arn.split(":")[1];
    return {
      state: "broken",
      cause: partition ? "role-partition" : "role-path",
      what: partition
        ? `The ${where} names another partition than the role's.`
        : `The ${where} leaves out or changes the role's path.`,
      disagreement: disagreement("ARN of the role", role.arn, where, arn),
      mend: point(role.arn),
    };
  }
  return holds({ role }, `${role.arn}, sessions of at most ${role.maxSessionSeconds} s`);
}

/** Looks a role up by its ARN, if the credentials are of its account. */
export async function lookUp(
  iam: Iam,
  arn: string,
  profileFlag: string,
): Promise<{ role: Role | undefined } | Verdict<never>> {
  const account = arn.split(":")[4];
  const own = await iam.accountId();
  if (account !== own) {
    return unseen(
      `The role is of the account ${account}, these credentials are of ${own}.`,
      `Credentials of the account ${account}: ${profileFlag} PROFILE.`,
    );
  }
  return { role: await iam.role(arn.replace(/^.*\//, "")) };
}

/** The role lets sessions last as long as the workload asks for. */
export const session: Link<"role", never> = {
  id: "session",
  title: "The role allows sessions of that length",
  needs: ["role"],
  gives: [],
  shownBy: "sts",
  async examine({ role: { name, maxSessionSeconds } }, _, { sessionSeconds = 3600, profiles }) {
    if (sessionSeconds <= maxSessionSeconds)
      return holds({}, `${sessionSeconds} s of ${maxSessionSeconds} s`);
    return {
      state: "broken",
      cause: "session-duration",
      what: "The workload asks for longer sessions than the role allows.",
      disagreement: disagreement(
        "seconds asked for",
        String(sessionSeconds),
        "the role's maximum",
        String(maxSessionSeconds),
      ),
      mend: [
        iamCommand(
          `update-role --role-name ${name} --max-session-duration ${sessionSeconds}`,
          profiles?.role,
        ),
      ],
    };
  },
};

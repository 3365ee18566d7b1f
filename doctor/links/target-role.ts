import { accessOf } from "../access.ts";
import { disagreement, type Facts, holds, type Link, unseen } from "../chain.ts";
import { judgeRoleTrust, namesRole, type RequestContext, type TrustVerdict } from "../trust-verdict.ts";
import { iamCommand } from "./mend.ts";
import { documentsOf, putPolicy } from "./permissions.ts";
import { lookUp } from "./pod-role.ts";
import { brokenTrust, onlySts, podIdentityContext } from "./trust.ts";

// Role chaining: the pod's role assumes another, often of another account. The first hop needs the pod's role to be
// allowed to; the second, that role to admit it. Within one account the second is enough where it names the first.

const accountOf = (arn: string): string | undefined => arn.split(":")[4];
const actionsOf = ({ sessionTags }: Facts["target"]): [string, ...string[]] =>
  sessionTags ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"];

/** The role to be assumed next is there. */
export const targetRole: Link<"target", "targetRole"> = {
  id: "target-role",
  title: "The role that it goes on to assume is there",
  needs: ["target"],
  gives: ["targetRole"],
  shownBy: "target-sts",
  async examine({ target: { arn } }, { targetIam }) {
    const looked = await lookUp(targetIam, arn, "--target-profile");
    if ("state" in looked) return looked;
    const { role } = looked;
    if (role === undefined || role.arn !== arn) {
      return {
        state: "broken",
        cause: "target-role-missing",
        what: `There is no role ${arn}.`,
        ...(role && { disagreement: disagreement("role of that name", role.arn, "role to be assumed", arn) }),
        mend: [],
        advice: [
          role ? `Have the workload assume ${role.arn}.` : "Make the role, or name the one that is meant.",
        ],
      };
    }
    return holds({ targetRole: role }, role.arn);
  },
};

/** The pod's role may ask for it. */
export const mayAssume: Link<"role" | "target", never> = {
  id: "may-assume",
  title: "The pod's role may assume it",
  needs: ["role", "target"],
  gives: [],
  shownBy: "target-sts",
  async examine({ role, target }, { iam }, { profiles }) {
    const policies = await iam.policies(role);
    const { documents, unread } = documentsOf(policies);
    const boundary = role.boundaryArn === undefined ? undefined : await iam.policyDocument(role.boundaryArn);
    const oneAccount = accountOf(role.arn) === accountOf(target.arn);
    for (const action of actionsOf(target)) {
      const called = `${action} on ${target.arn}`;
      const access = accessOf(documents, action, target.arn);
      // What denies it does so whatever the other role's trust policy says; what only lacks it, across accounts.
      if (access.kind === "denied" || (access.kind === "not allowed" && !oneAccount && unread.length === 0)) {
        return {
          state: "broken",
          cause: "may-not-assume",
          what: `The role ${role.name} may not call ${action} on ${oneAccount ? "that role" : "the other account's role"}.`,
          disagreement: disagreement(
            "the pod's role calls",
            called,
            "policies of the role",
            policies.map(({ name }) => name).join(", ") || "none",
          ),
          ...(access.kind === "denied"
            ? { mend: [], advice: ["A policy of the role denies it: its owner has to take that out."] }
            : { mend: [putPolicy(role, policies, actionsOf(target), target.arn, profiles?.role)] }),
        };
      }
      if (role.boundaryArn !== undefined) {
        if (boundary === undefined) {
          return unseen(
            `The permissions boundary ${role.boundaryArn} could not be read.`,
            "Rights for iam:GetPolicy and iam:GetPolicyVersion.",
          );
        }
        const limited = accessOf([boundary], action, target.arn);
        if (limited.kind === "denied" || limited.kind === "not allowed") {
          return {
            state: "broken",
            cause: "boundary",
            what: `The permissions boundary does not allow ${called}, whatever the role's policies say.`,
            disagreement: disagreement(
              "the pod's role calls",
              called,
              "permissions boundary",
              role.boundaryArn,
            ),
            mend: [],
            advice: [`Its owner has to add ${action}.`],
            look: [iamCommand(`get-policy --policy-arn ${role.boundaryArn}`, profiles?.role)],
          };
        }
        if (limited.kind !== "allowed") return unseen(onlySts(limited.on), "What STS answers.");
      }
      if (unread.length > 0) {
        return unseen(
          `These policies could not be read: ${unread.join(", ")}.`,
          "Rights for iam:GetPolicyVersion.",
        );
      }
      // Within one account the other role's trust policy can do without them.
      if (!oneAccount && access.kind !== "allowed") return unseen(onlySts(access.on), "What STS answers.");
    }
    return oneAccount
      ? holds({}, "within one account the other role's trust policy decides")
      : holds({}, `${actionsOf(target).join(", ")} on ${target.arn}`);
  },
};

/** The role to be assumed admits the pod's role. */
export const targetTrust: Link<"role" | "target" | "targetRole" | "cluster", never> = {
  id: "target-trust",
  title: "It trusts the pod's role",
  needs: ["role", "target", "targetRole", "cluster"],
  gives: [],
  shownBy: "target-sts",
  async examine({ role, target, targetRole, cluster }, { iam }, patient) {
    const context: RequestContext = new Map<string, string | undefined>([
      ...(target.sessionTags ? podIdentityContext(cluster, true, patient) : []),
      ["aws:principalarn", role.arn],
      ["aws:principalaccount", accountOf(role.arn)],
      ["sts:externalid", target.externalId],
    ]);
    const judge = (document: string): TrustVerdict =>
      judgeRoleTrust(document, role.arn, context, target.sessionTags);
    const { fault, undecided } = judge(targetRole.trustPolicy);
    if (fault) {
      const right = {
        Effect: "Allow",
        Principal: { AWS: role.arn },
        Action: actionsOf(target),
        ...(target.externalId && { Condition: { StringEquals: { "sts:ExternalId": target.externalId } } }),
      };
      return brokenTrust({
        role: targetRole,
        fault,
        right: [right],
        caller: { "aws:PrincipalArn": role.arn },
        judge,
        profile: patient.profiles?.target,
      });
    }
    if (undecided.length > 0) return unseen(onlySts(undecided), "What STS answers.");
    const oneAccount = accountOf(role.arn) === accountOf(target.arn);
    if (oneAccount && !namesRole(targetRole.trustPolicy, role.arn)) {
      const policies = await iam.policies(role);
      const { documents } = documentsOf(policies);
      if (accessOf(documents, "sts:AssumeRole", target.arn).kind === "not allowed") {
        return {
          state: "broken",
          cause: "may-not-assume",
          what: `It trusts the whole account, which leaves it to ${role.name}'s own policies; none of them allows it.`,
          disagreement: disagreement(
            "the pod's role calls",
            `sts:AssumeRole on ${target.arn}`,
            "policies of the role",
            policies.map(({ name }) => name).join(", ") || "none",
          ),
          mend: [putPolicy(role, policies, actionsOf(target), target.arn, patient.profiles?.role)],
        };
      }
    }
    return holds({}, `admits ${role.arn}`);
  },
};

/** STS itself gives the next role's credentials for those of the first. */
export const targetSts: Link<"session" | "target", never> = {
  id: "target-sts",
  title: "STS gives its credentials for those of the pod's role",
  needs: ["session", "target"],
  gives: [],
  async examine({ session, target }) {
    const answer = await session.assume(target.arn, target.externalId);
    if (answer.admitted) return holds({}, answer.session.arn);
    return {
      state: "broken",
      cause: "target-sts-refused",
      what: `STS refuses the pod's role: ${answer.code}: ${answer.message}`,
      mend: [],
      advice: [
        `Look at the links above that could not be looked at, with credentials of the account ${accountOf(target.arn)}: --target-profile PROFILE.`,
      ],
    };
  },
};

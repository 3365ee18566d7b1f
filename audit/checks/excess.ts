import type { Access } from "../../doctor/access.ts";
import { allActions, statementsOf } from "../../iam/policy-reader.ts";
import { type Finding, finding, role as subjectRole } from "../finding.ts";
import type { Inventory } from "../inventory.ts";
import type { Reach } from "../reach.ts";
import {
  actionsRunningCode,
  actionsTakingRole,
  clusterOpeningActions,
  grantingActions,
  secretReadingActions,
} from "../sensitive-actions.ts";
import type { RoleDetail, Snapshot } from "../snapshot.ts";

/** What the roles of ServiceAccounts, and of the nodes that pods run on, may do that they should not. */
export function permissionFindings(inventory: Inventory): Finding[] {
  const { identities, snapshot, reachOf } = inventory;
  const judged = new Map<RoleDetail, { reach: Reach; holders: Set<string> }>();
  const add = (role: RoleDetail, reach: Reach, holder: string): void => {
    const known = judged.get(role);
    if (known === undefined) judged.set(role, { reach, holders: new Set([holder]) });
    else known.holders.add(holder);
  };
  for (const { key, uses } of identities) {
    for (const one of uses.flatMap((use) => [use, ...(use.target ? [use.target] : [])])) {
      if (one.role && one.reach) add(one.role, one.reach, key);
    }
  }
  const byArn = new Map(snapshot.roles.map((role) => [role.arn, role]));
  for (const { name, kind, roleArn } of snapshot.nodeGroups) {
    const role = roleArn === undefined ? undefined : byArn.get(roleArn);
    if (role) add(role, reachOf(role), `${kind} ${name}`);
  }
  return [...judged].flatMap(([role, { reach, holders }]) => ofReach(snapshot, role, reach, [...holders]));
}

/** Conditions under which something is as good as allowed: they tell where a call comes from, and not what it is made on. */
const weak =
  /^\S+ (aws:(requestedregion|sourceip|sourcevpce?|securetransport|principalorgid|currenttime|via\w+)|iam:passedtoservice)\b/i;

/** Whether an access is one to everything, as good as without conditions. */
const isOnAll = (access: Access | undefined): access is Access =>
  access?.kind === "allowed" ||
  (access?.kind === "conditionally" && access.on.every((one) => weak.test(one)));

function ofReach(snapshot: Snapshot, role: RoleDetail, reach: Reach, holders: readonly string[]): Finding[] {
  const held = `used by: ${holders.join(", ")}`;
  const narrow = [
    "Replace what allows it by the actions that the workload calls, on the resources that it uses.",
  ];
  const found = (id: Parameters<typeof finding>[0], what: string, evidence: readonly string[]): Finding =>
    finding(id, subjectRole(role), what, { evidence: [...evidence, held], advice: narrow });

  // What may do everything may do each single thing too: that is one finding.
  if (reach.administrator) {
    return [
      withDetach(
        found("full-access", "It may call every action on every resource.", wideIn(snapshot, role)),
        snapshot,
        role,
      ),
    ];
  }
  if (reach.allBut !== undefined) {
    return [found("all-but-actions", `It may call all actions but ${reach.allBut}.`, wideIn(snapshot, role))];
  }
  const onAll = (actions: readonly string[]): string[] =>
    actions.filter((action) => isOnAll(reach.access.get(action)));
  const said = (actions: readonly string[]): string[] =>
    actions.map((action) => {
      const { kind = "allowed", on = [] } = reach.access.get(action) ?? {};
      return kind === "allowed" ? `${action} on *` : `${action} on * where ${on.join(", ")}`;
    });
  const findings: Finding[] = [];

  const granting = onAll(grantingActions);
  if (granting.length > 0) {
    findings.push(
      found("escalation-grant", `It may give itself permissions by ${granting.join(", ")}.`, said(granting)),
    );
  }
  const pass = reach.access.get("iam:PassRole");
  if (isOnAll(pass)) {
    const services = pass.on.filter((one) => /passedtoservice/i.test(one)).join(" ");
    const taking = onAll(Object.keys(actionsTakingRole)).filter(
      (action) =>
        services === "" || services.includes(actionsTakingRole[action] ?? "") || services.includes("*"),
    );
    if (taking.length > 0) {
      findings.push(
        found(
          "escalation-pass-role",
          `It may pass any role, and run something under it by ${taking.join(", ")}.`,
          said(["iam:PassRole", ...taking]),
        ),
      );
    }
  }
  const assuming = onAll(["sts:AssumeRole"]);
  if (assuming.length > 0)
    findings.push(found("escalation-assume-role", "It may assume every role that lets it.", said(assuming)));
  const running = onAll(actionsRunningCode);
  if (running.length > 0) {
    findings.push(
      found("escalation-code", `It may run code under other roles by ${running.join(", ")}.`, said(running)),
    );
  }
  const opening = onAll(clusterOpeningActions);
  if (opening.length === clusterOpeningActions.length) {
    findings.push(
      found("escalation-cluster", "It may make itself administrator of every cluster.", said(opening)),
    );
  }
  const wide = reach.services.filter(({ whole }) => whole).map(({ service }) => service);
  if (wide.length > 0) {
    findings.push(
      withDetach(
        found(
          "whole-service",
          `It may do all of ${wide.join(", ")} on every resource.`,
          wideIn(snapshot, role),
        ),
        snapshot,
        role,
      ),
    );
  }
  // All of a service is told already.
  const reading = onAll(secretReadingActions).filter((action) => !wide.includes(action.split(":")[0] ?? ""));
  if (reading.length > 0) {
    findings.push(
      found("reads-all-secrets", `It may read every secret by ${reading.join(", ")}.`, said(reading)),
    );
  }
  return findings;
}

/** The policies of a role that allow wholesale, and what. */
function wideIn({ documents }: Snapshot, { inline, attached }: RoleDetail): string[] {
  const policies = [...inline, ...attached.map((arn) => ({ name: arn, document: documents[arn] }))];
  return policies.flatMap(({ name, document }) => {
    const actions = [...new Set(statementsOf(document).flatMap(allActions))];
    return actions.length === 0 ? [] : [`${name}: ${actions.join(", ")}`];
  });
}

/** Managed policies that allow wholesale can be detached, once what the workload needs is there. */
function withDetach(one: Finding, { documents }: Snapshot, { name, attached }: RoleDetail): Finding {
  const wide = attached.filter((arn) =>
    statementsOf(documents[arn]).some((statement) => allActions(statement).length > 0),
  );
  return {
    ...one,
    mend: wide.map((arn) => `aws iam detach-role-policy --role-name ${name} --policy-arn ${arn}`),
    ...(wide.length > 0 && {
      advice: [...one.advice, "That comes first, and the command after it."],
    }),
  };
}

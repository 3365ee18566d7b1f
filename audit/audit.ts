import { trustFindings } from "./checks/admitted.ts";
import { permissionFindings } from "./checks/excess.ts";
import { keyFindings } from "./checks/keys.ts";
import { nodeFindings } from "./checks/nodes.ts";
import { podFindings } from "./checks/pods.ts";
import { serviceAccountFindings } from "./checks/service-accounts.ts";
import { usageFindings } from "./checks/unused.ts";
import type { Finding } from "./finding.ts";
import {
  accountOf,
  admittedBy,
  type Identity,
  type Inventory,
  inventoryOf,
  type RoleUse,
} from "./inventory.ts";
import { severities } from "./kinds.ts";
import type { SensitiveReach, ServiceReach } from "./reach.ts";
import type { Part, Snapshot, Unseen } from "./snapshot.ts";

/** What an audit comes to: who may do what, and what is wrong with it. Plain data, as `--json` prints it. */
export interface Audit {
  readonly cluster: string;
  readonly region: string;
  readonly accountId: string;
  readonly taken: Date;
  readonly namespaces?: readonly string[];
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly serviceAccounts: readonly AuditedServiceAccount[];
  readonly unseen: readonly Unseen[];
  /** What was not to be looked at. */
  readonly skipped: readonly Part[];
}

/** A ServiceAccount with an identity. */
export interface AuditedServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly roles: readonly AuditedRole[];
  readonly pods: readonly string[];
  readonly workloads: readonly string[];
}

export interface AuditedRole {
  readonly arn: string;
  /** How the ServiceAccount comes to it. */
  readonly way: RoleUse["way"] | "target";
  /** Id of the association that gives it. */
  readonly association?: string;
  /** What it effectively may do; undefined where the role is not seen. */
  readonly services?: readonly ServiceReach[];
  readonly sensitive?: readonly SensitiveReach[];
  readonly administrator?: boolean;
  /** Who else may assume it, in words. */
  readonly others?: readonly string[];
  readonly lastUsed?: Date;
  readonly boundary?: string;
}

const checks = [
  trustFindings,
  serviceAccountFindings,
  permissionFindings,
  usageFindings,
  podFindings,
  nodeFindings,
  keyFindings,
] as const;

/** Judges a snapshot. Looks at nothing else, and is done in time that grows with it. */
export function audit(snapshot: Snapshot): Audit {
  const inventory = inventoryOf(snapshot);
  const { cluster, region, accountId, taken, namespaces } = snapshot;
  const byWeight = (a: Finding, b: Finding): number =>
    severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
    compare(a.id, b.id) ||
    compare(a.subject.name, b.subject.name);
  return {
    cluster: cluster.name,
    region,
    accountId,
    taken,
    ...(namespaces && { namespaces }),
    findings: checks.flatMap((check) => check(inventory)).sort(byWeight),
    serviceAccounts: inventory.identities.map((identity) => reported(inventory, identity)),
    unseen: [...snapshot.unseen, ...unread(inventory)],
    skipped: snapshot.skipped,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function reported(
  inventory: Inventory,
  { key, namespace, name, uses, pods, workloads }: Identity,
): AuditedServiceAccount {
  const roleOf = ({ roleArn, role, reach, association }: RoleUse, as: AuditedRole["way"]): AuditedRole => {
    const trust = role && inventory.trusts.get(role);
    return {
      arn: roleArn,
      way: as,
      ...(association && { association: association.id }),
      ...(reach && {
        services: reach.services,
        sensitive: reach.sensitive,
        administrator: reach.administrator,
      }),
      ...(trust && {
        others: admittedBy(trust).filter((one) => one !== key && one !== `${key} by EKS Pod Identity`),
      }),
      ...(role?.lastUsed && { lastUsed: role.lastUsed }),
      ...(role?.boundaryArn && { boundary: role.boundaryArn }),
    };
  };
  return {
    namespace,
    name,
    roles: uses.flatMap((use) => [
      roleOf(use, use.way),
      ...(use.target ? [roleOf(use.target, "target")] : []),
    ]),
    pods: pods.map((pod) => pod.name),
    workloads: workloads.map((one) => `${one.kind}/${one.name}`),
  };
}

/** Roles of other accounts, and policies that could not be read. */
function unread({ identities, snapshot, reachOf }: Inventory): Unseen[] {
  const { accountId, skipped, roles, nodeGroups } = snapshot;
  const uses = identities.flatMap(({ uses }) =>
    uses.flatMap((use) => [use, ...(use.target ? [use.target] : [])]),
  );
  const foreign = skipped.includes("other-accounts")
    ? []
    : uses
        .map(({ roleArn }) => roleArn)
        .filter((arn) => /^arn:[^:]*:iam::\d{12}:/.test(arn) && accountOf(arn) !== accountId);
  const ofNodes = new Set(nodeGroups.map(({ roleArn }) => roleArn));
  const policies = [
    ...uses.flatMap(({ reach }) => reach?.unread ?? []),
    ...roles.filter(({ arn }) => ofNodes.has(arn)).flatMap((role) => reachOf(role).unread),
  ];
  return [
    ...[...new Set(foreign)].map((arn) => ({
      what: `The role ${arn}`,
      why: `It is of another account than these credentials, ${accountId}.`,
      takes: `Credentials of the account ${accountOf(arn)}, in a run of its own; or --skip other-accounts.`,
    })),
    ...[...new Set(policies)].map((arn) => ({
      what: `The policy ${arn}`,
      why: "Its document could not be read.",
      takes: "Rights for iam:GetPolicy and iam:GetPolicyVersion.",
    })),
  ];
}

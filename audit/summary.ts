import type { Audit, AuditedRole, AuditedServiceAccount } from "./audit.ts";
import type { Finding } from "./finding.ts";
import { consequenceOf, isAtLeast, type Severity, severities } from "./kinds.ts";

// An audit as a person reads it in a terminal.

/** How a text of a severity is shown; a terminal without colours shows it as it stands. */
export type Style = (severity: Severity, text: string) => string;

/** What the audit comes to as a whole. */
export type Outcome = "clean" | "findings" | "unseen";

export function outcomeOf({ findings, unseen }: Audit, failOn: Severity): Outcome {
  if (findings.some(({ severity }) => isAtLeast(severity, failOn))) return "findings";
  return unseen.length > 0 ? "unseen" : "clean";
}

function describeFinding(
  { id, severity, subject, what, evidence, mend, advice }: Finding,
  style: Style,
): string {
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `      ${line}`);
  return [
    `${style(severity, severity.padEnd(8))}  ${subject.kind} ${subject.name}  (${id})`,
    ...indented([`${what} ${consequenceOf(id)}`, ...evidence.map((one) => `  ${one}`)]),
    ...(mend.length > 0 ? indented(["To mend it:", ...mend.map((one) => `  ${one}`)]) : []),
    ...indented(advice),
    "",
  ].join("\n");
}

/** What a role may do, in a line: its services, and the sensitive actions by name. */
export function reachInWords({ services, sensitive = [], administrator }: AuditedRole): string {
  if (services === undefined) return "not seen from here";
  if (administrator) return "everything";
  const names = services.map(({ service, whole }) => (whole ? `all of ${service}` : service)).join(", ");
  const actions = sensitive.map(({ action, kind }) => (kind === "allowed" ? action : `${action} (${kind})`));
  return `${names || "nothing"}${actions.length > 0 ? `; sensitive: ${actions.join(", ")}` : ""}`;
}

/** How a ServiceAccount comes to a role, as people call it. */
export const ways: Readonly<Record<AuditedRole["way"], string>> = {
  irsa: "IRSA",
  "pod-identity": "EKS Pod Identity",
  pod: "named by its pods",
  target: "target of its association",
};

function describeServiceAccount({ namespace, name, roles, pods }: AuditedServiceAccount): string {
  return [
    `${namespace}/${name}  (${pods.length} ${pods.length === 1 ? "pod" : "pods"})`,
    ...roles.flatMap((role) => [
      `      ${role.arn}, ${ways[role.way]}`,
      `        may use ${reachInWords(role)}`,
      ...(role.others && role.others.length > 0 ? [`        also admits ${role.others.join(", ")}`] : []),
    ]),
  ].join("\n");
}

/** How many findings there are of each severity, the worst first. */
const counts = (findings: readonly Finding[]): { severity: Severity; count: number }[] =>
  severities
    .toReversed()
    .map((severity) => ({ severity, count: findings.filter((one) => one.severity === severity).length }))
    .filter(({ count }) => count > 0);

export function conclusion(audit: Audit, failOn: Severity): string {
  const { cluster, serviceAccounts, findings, unseen } = audit;
  const people = `${serviceAccounts.length} ${serviceAccounts.length === 1 ? "ServiceAccount has" : "ServiceAccounts have"} a role`;
  const list = counts(findings)
    .map(({ severity, count }) => `${count} ${severity}`)
    .join(", ");
  const found =
    findings.length === 0
      ? "nothing was found"
      : `${findings.length} ${findings.length === 1 ? "finding" : "findings"} (${list})`;
  const threshold =
    failOn === "low"
      ? ""
      : findings.some(({ severity }) => isAtLeast(severity, failOn))
        ? ""
        : `, none at or above ${failOn}`;
  const open =
    unseen.length === 0
      ? ""
      : ` Not everything could be looked at: ${unseen.map(({ what }) => what).join(", ")}.`;
  const skipped = audit.skipped.length === 0 ? "" : ` Not looked at, as asked: ${audit.skipped.join(", ")}.`;
  return `${cluster}: ${people}; ${found}${threshold}.${open}${skipped}`;
}

/** All of it, findings first. */
export function describe(audit: Audit, failOn: Severity, style: Style): string {
  const { findings, serviceAccounts, unseen } = audit;
  const section = (title: string, parts: readonly string[]): string[] =>
    parts.length === 0 ? [] : [title, "", ...parts, ""];
  return [
    ...section(
      "Findings",
      findings.map((one) => describeFinding(one, style)),
    ),
    ...section("ServiceAccounts with a role", serviceAccounts.map(describeServiceAccount)),
    ...section(
      "Could not be looked at",
      unseen.map(({ what, why, takes }) => `${what}: ${why}\n      It would take: ${takes}`),
    ),
    conclusion(audit, failOn),
  ].join("\n");
}

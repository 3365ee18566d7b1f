import type { Audit } from "./audit.ts";
import type { Finding } from "./finding.ts";
import { type KindId, kinds, type Severity } from "./kinds.ts";

// Findings as SARIF 2.1.0, which code scanning and other collectors of findings read.

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
};

/** GitHub's code scanning sorts by a number from 0 to 10. Source: "SARIF support for code scanning", GitHub Docs. */
const scores: Readonly<Record<Severity, string>> = {
  critical: "9.5",
  high: "8.0",
  medium: "5.0",
  low: "2.0",
};

/** Every rule, whether it found something or not, and a result for each finding. What is judged is no file, so each has a logical location. */
export function sarif(
  { cluster, region, accountId, findings, unseen, taken }: Audit,
  version: string,
): object {
  const ids = Object.keys(kinds) as KindId[];
  const account = `${accountId}/${region}/${cluster}`;
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "eks-irsa audit",
            version,
            rules: ids.map((id) => ({
              id,
              shortDescription: { text: kinds[id].title },
              fullDescription: { text: `${kinds[id].title}: ${kinds[id].danger}.` },
              defaultConfiguration: { level: levels[kinds[id].severity] },
              properties: { "security-severity": scores[kinds[id].severity], tags: ["security"] },
            })),
          },
        },
        automationDetails: { id: `eks-irsa-audit/${account}` },
        invocations: [
          {
            // SARIF's word for a run that could look at all that it meant to.
            executionSuccessful: unseen.length === 0,
            endTimeUtc: taken.toISOString(),
            toolExecutionNotifications: unseen.map(({ what, why, takes }) => ({
              level: "warning",
              message: { text: `${what}: ${why} It would take: ${takes}` },
            })),
          },
        ],
        results: findings.map((one) => ({
          ruleId: one.id,
          ruleIndex: ids.indexOf(one.id),
          level: levels[one.severity],
          message: { text: messageOf(one) },
          locations: [
            {
              // GitHub takes no result without a file: this one is named for what is judged.
              physicalLocation: {
                artifactLocation: { uri: encodeURI(`${account}/${one.subject.kind}/${one.subject.name}`) },
                region: { startLine: 1 },
              },
              logicalLocations: [
                {
                  name: one.subject.name,
                  kind: one.subject.kind,
                  fullyQualifiedName: `${account}/${one.subject.kind}/${one.subject.name}`,
                },
              ],
            },
          ],
          partialFingerprints: {
            "subject/v1": `${one.id}:${account}:${one.subject.kind}:${one.subject.name}`,
          },
        })),
      },
    ],
  };
}

const messageOf = ({ what, evidence, mend, advice }: Finding): string =>
  [what, ...evidence.map((one) => `- ${one}`), ...mend, ...advice].join("\n");

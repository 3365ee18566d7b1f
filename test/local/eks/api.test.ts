import { expect } from "chai";
import { AwsError, jsonReply } from "../../../local/aws/reply.ts";
import { describeCall } from "../../../local/aws/request.ts";
import { refusal } from "../aws/tokens.ts";
import { cluster, eksWith } from "./harness.ts";

describe("EKS's API", () => {
  it("leaves what it has no route for to MiniStack", async () => {
    const { send } = eksWith();
    const addons = jsonReply({ addons: [] });
    for (const [method, path] of [
      ["GET", "/clusters"],
      ["GET", "/clusters/irsa/addons"],
      ["PUT", "/clusters/irsa"],
    ] as const)
      expect(await send(addons, method, path), path).to.equal(addons);
  });

  it("leaves errors as they are, of what it would have changed", async () => {
    const { send } = eksWith();
    const denied = jsonReply({ __type: "AccessDeniedException", message: "no" }, 403);
    expect(await send(denied, "GET", "/clusters/irsa")).to.equal(denied);
    expect(await send(denied, "POST", "/clusters/irsa/update-config")).to.equal(denied);
  });

  it("reads names as the path encodes them, and takes a body that is no JSON for none", async () => {
    const { answer } = eksWith();
    const reply = await answer(describeCall("GET", "/clusters/ir%73a", {}), "{", async () => cluster());
    expect(JSON.parse(reply.body).cluster.tags).to.deep.equal({ of: "arn:irsa" });
  });

  it("passes on a failure to ask for the clusters", async () => {
    const down = new AwsError("ServiceUnavailable", "down", 503);
    const { send } = eksWith({ clusterNames: () => Promise.reject(down) });
    expect(await refusal(send(cluster(), "POST", "/clusters", { name: "irsa" }))).to.equal(
      "503 ServiceUnavailable: down",
    );
  });
});

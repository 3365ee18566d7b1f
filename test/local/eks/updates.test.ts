import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { Updates } from "../../../local/eks/updates.ts";
import { refusal } from "../aws/tokens.ts";
import { noRoute } from "./harness.ts";

describe("updates that MiniStack lacks", () => {
  let updates: Updates;
  beforeEach(() => {
    updates = new Updates(async () => ["irsa", "irsa-2"]);
  });
  const lacking = async () => noRoute;
  const carryOut = (key: string, change: object) =>
    updates.carryOut(key, "ConfigUpdate", { ...change }, lacking);

  it("are kept, listed and described by their cluster", async () => {
    const { update } = JSON.parse((await carryOut("irsa", { version: "1.35" })).body);
    expect(update).to.deep.include({
      status: "Successful",
      type: "ConfigUpdate",
      params: [{ type: "version", value: '"1.35"' }],
    });
    await carryOut("irsa/nodes", {});
    await carryOut("irsa-2", {});
    const { updateIds } = JSON.parse((await updates.list("irsa", lacking)).body);
    expect(updateIds).to.have.length(2).and.include(update.id);
    expect(JSON.parse((await updates.describe("irsa", update.id, lacking)).body)).to.deep.equal({ update });
    expect(await refusal(updates.describe("irsa-2", update.id, lacking))).to.match(
      /^404 ResourceNotFoundException: No update found/,
    );
  });

  it("are MiniStack's where it has a route, or refuses the caller", async () => {
    const denied = jsonReply({ __type: "AccessDeniedException" }, 403);
    const forward = async () => denied;
    expect(await updates.carryOut("irsa", "ConfigUpdate", { a: 1 }, forward)).to.equal(denied);
    expect(await updates.list("irsa", forward)).to.equal(denied);
    expect(await updates.describe("irsa", "x", forward)).to.equal(denied);
    expect(updates.changeOf("irsa")).to.deep.equal({});
  });

  it("need a cluster that is there", async () => {
    expect(await refusal(carryOut("other/nodes", {}))).to.equal(
      "404 ResourceNotFoundException: No cluster found for name: other.",
    );
  });

  it("add up, and are forgotten with their cluster only", async () => {
    updates.begin("irsa", { version: "1.34" });
    await carryOut("irsa", { vpc: { a: 1 } });
    await carryOut("irsa", { vpc: { b: 2 } });
    await carryOut("irsa/nodes", { labels: {} });
    await carryOut("irsa-2", { version: "1.35" });
    expect(updates.changeOf("irsa")).to.deep.equal({ version: "1.34", vpc: { a: 1, b: 2 } });
    updates.forget("irsa");
    expect([updates.changeOf("irsa"), updates.changeOf("irsa/nodes")]).to.deep.equal([{}, {}]);
    expect(updates.changeOf("irsa-2")).to.deep.equal({ version: "1.35" });
  });
});

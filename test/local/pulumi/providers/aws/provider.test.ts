import { expect } from "chai";
import { Account } from "./account.ts";

describe("the aws provider", () => {
  const inputs = { name: "app", assumeRolePolicy: "{}", tags: { own: "1", shared: "own" } };

  it("adds its default tags, below a resource's own, and does not count them as the resource's", async () => {
    const defaultTags = JSON.stringify({ tags: { team: "a", shared: "default" } });
    const account = await Account.open("aws:iam/role:Role", { defaultTags });
    const { state } = await account.create(inputs);
    expect(state.tags).to.deep.equal({ own: "1", shared: "own" });
    expect(state.tagsAll).to.deep.equal({ own: "1", shared: "own", team: "a" });
    await account.close();
  });

  it("has clients for the region that it is configured with", async () => {
    const account = await Account.open("aws:iam/role:Role", { region: "cn-north-1" });
    const { region } = await account.engine.invoke("aws:index/getRegion:getRegion");
    expect(region).to.equal("cn-north-1");
    await account.close();
  });

  it("names the type that it does not have", async () => {
    const account = await Account.open("aws:sqs/queue:Queue");
    const error = await account.engine.check({}).catch((error: Error) => error.message);
    expect(error).to.contain(
      "the local stand-in for the aws provider has no resource type aws:sqs/queue:Queue",
    );
    await account.close();
  });
});

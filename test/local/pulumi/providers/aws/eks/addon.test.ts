import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.eks.Addon", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:eks/addon:Addon");
  });
  afterEach(() => account.close());

  const inputs = {
    clusterName: "dev",
    addonName: "vpc-cni",
    addonVersion: "v1.20.4-eksbuild.1",
    preserve: true,
  };

  it("is made, changed in place and deleted, preserved or not", async () => {
    const made = await account.create({ ...inputs, configurationValues: '{"a":1}' });
    expect(made.id).to.equal("dev:vpc-cni");
    const after = await account.update(made, {
      ...inputs,
      addonVersion: "v1.21.0-eksbuild.1",
      tags: { a: "1" },
    });
    expect(after.changes).to.deep.equal(["UpdateAddon", "TagResource"]);
    await account.destroy(after);
    expect(account.aws.given("DeleteAddon")).to.include({ preserve: true });
  });

  it("stays at its version and configuration where none is said any more", async () => {
    const made = await account.create({ ...inputs, configurationValues: '{"a":1}' });
    const { addonVersion: _, ...news } = inputs;
    const after = await account.update(made, { ...news, tags: { a: "1" } });
    expect(after.changes).to.deep.equal(["TagResource"]);
    expect(after.state).to.include({ addonVersion: "v1.20.4-eksbuild.1", configurationValues: '{"a":1}' });
  });

  it("is another for another cluster", async () => {
    const made = await account.create(inputs);
    expect(await account.replacedBy(made, { ...inputs, clusterName: "other" })).to.deep.equal([
      "clusterName",
    ]);
  });

  it("says why it failed", async () => {
    const health = { issues: [{ code: "ConfigurationConflict", message: "taken" }] };
    account.aws.instead.DescribeAddon = () => ({ addon: { status: "CREATE_FAILED", health } });
    const error = await account.engine
      .create(await account.check(inputs))
      .catch((error: Error) => error.message);
    expect(error).to.contain("the add-on vpc-cni is CREATE_FAILED: ConfigurationConflict: taken");
  });
});

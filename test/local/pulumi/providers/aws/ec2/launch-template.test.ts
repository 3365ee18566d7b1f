import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.ec2.LaunchTemplate", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:ec2/launchTemplate:LaunchTemplate");
  });
  afterEach(() => account.close());

  const options = { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 };
  const inputs = { name: "nodes", metadataOptions: options, updateDefaultVersion: true };

  it("is what EC2 made of it, and goes", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    expect(made.state).to.include({ latestVersion: 1, defaultVersion: 1, name: "nodes" });
    await account.destroy(made);
  });

  it("gets a new version for a new content, which becomes the default one", async () => {
    const made = await account.create(inputs);
    const after = await account.update(made, {
      ...inputs,
      metadataOptions: { ...options, httpPutResponseHopLimit: 2 },
    });
    expect(after.changes).to.deep.equal(["CreateLaunchTemplateVersion", "ModifyLaunchTemplate"]);
    expect(after.state).to.include({ latestVersion: 2, defaultVersion: 2 });
  });

  it("gets a new version for other tags of what it makes", async () => {
    const tagged = (tags: object) => ({ ...inputs, tagSpecifications: [{ resourceType: "instance", tags }] });
    const made = await account.create(tagged({ a: "1" }));
    expect(made.state.tagSpecifications).to.deep.equal([{ resourceType: "instance", tags: { a: "1" } }]);
    const after = await account.update(made, tagged({ a: "2" }));
    expect(after.changes).to.deep.equal(["CreateLaunchTemplateVersion", "ModifyLaunchTemplate"]);
  });

  it("gets new tags without a new version", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    const after = await account.update(made, { ...inputs, tags: { b: "2" } });
    expect(after.changes).to.deep.equal(["DeleteTags", "CreateTags"]);
  });
});

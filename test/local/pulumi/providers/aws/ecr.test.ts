import { expect } from "chai";
import { Account } from "./account.ts";

describe("aws.ecr.Repository", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:ecr/repository:Repository");
  });
  afterEach(() => account.close());

  const inputs = { name: "app", forceDelete: true };

  it("is what ECR made of it, and goes with its images where it may", async () => {
    const made = await account.create({ ...inputs, imageTagMutability: "MUTABLE", tags: { a: "1" } });
    expect(made.state).to.include({
      repositoryUrl: "111122223333.dkr.ecr.eu-central-1.amazonaws.com/app",
      registryId: "111122223333",
    });
    await account.destroy(made);
    expect(account.aws.given("DeleteRepository")).to.include({ force: true });
  });

  it("changes mutability, scanning and tags in place", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    const after = await account.update(made, {
      ...inputs,
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      tags: { a: "2" },
    });
    expect(after.changes).to.deep.equal([
      "PutImageTagMutability",
      "PutImageScanningConfiguration",
      "TagResource",
    ]);
  });

  it("is another under another key, and the same under the one that ECR filled in", async () => {
    const made = await account.create(inputs);
    const aes = { ...inputs, encryptionConfigurations: [{ encryptionType: "AES256" }] };
    expect((await account.engine.diff(made.inputs, await account.check(aes, made.inputs))).some).to.equal(
      false,
    );
    const kms = { ...inputs, encryptionConfigurations: [{ encryptionType: "KMS" }] };
    expect(await account.replacedBy(made, kms)).to.deep.equal(["encryptionConfigurations"]);
  });

  it("has a lifecycle policy, a resource of its own, which goes with it", async () => {
    const policies = await Account.open("aws:ecr/lifecyclePolicy:LifecyclePolicy");
    policies.aws.ask("CreateRepository", { repositoryName: "app" });
    const made = await policies.create({ repository: "app", policy: '{"rules":[]}' });
    const after = await policies.update(made, { repository: "app", policy: '{"rules":[{}]}' });
    expect(after.changes).to.deep.equal(["PutLifecyclePolicy"]);
    await policies.destroy(after);
    policies.aws.ask("DeleteRepository", { repositoryName: "app" });
    expect(await policies.refresh(after)).to.equal(undefined);
    await policies.close();
  });
});

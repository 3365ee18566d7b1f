import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.Policy", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/policy:Policy");
  });
  afterEach(() => account.close());

  const document = (action: string): string =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: action, Resource: "*" }],
    });

  it("is what IAM made of it, and goes with its versions", async () => {
    const made = await account.create({ name: "read", policy: document("s3:Get*"), tags: { a: "1" } });
    expect(made.id).to.equal("arn:aws:iam::111122223333:policy/read");
    const after = await account.update(made, { name: "read", policy: document("s3:List*") });
    expect(after.changes).to.deep.equal(["CreatePolicyVersion", "UntagPolicy"]);
    await account.destroy(after);
  });

  it("makes room for a new version: IAM keeps five", async () => {
    let made = await account.create({ name: "read", policy: document("s3:1") });
    for (const action of ["s3:2", "s3:3", "s3:4", "s3:5"]) {
      made = await account.update(made, { name: "read", policy: document(action) });
    }
    const after = await account.update(made, { name: "read", policy: document("s3:6") });
    expect(after.changes).to.deep.equal(["DeletePolicyVersion", "CreatePolicyVersion"]);
    expect(after.state.policy).to.equal(document("s3:6"));
  });

  it("takes a version for deleted that an SDK finds gone, having asked again", async () => {
    account.aws.instead.DeletePolicyVersion = (input) => {
      delete account.aws.instead.DeletePolicyVersion;
      account.aws.ask("DeletePolicyVersion", input);
      throw Object.assign(new Error("is gone"), { name: "NoSuchEntityException" });
    };
    let made = await account.create({ name: "read", policy: document("s3:1") });
    made = await account.update(made, { name: "read", policy: document("s3:2") });
    await account.destroy(made);
    expect(account.aws.instead).not.to.have.property("DeletePolicyVersion");
  });

  it("is another with another description", async () => {
    const made = await account.create({ name: "read", policy: document("s3:1") });
    const other = { name: "read", policy: document("s3:1"), description: "x" };
    expect(await account.replacedBy(made, other)).to.deep.equal(["description"]);
  });
});

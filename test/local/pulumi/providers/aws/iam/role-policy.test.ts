import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.RolePolicy", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/rolePolicy:RolePolicy");
    account.aws.ask("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: "{}" });
  });
  afterEach(() => account.close());

  const inputs = { role: "app", name: "read", policy: '{"Version":"2012-10-17"}' };

  it("is put on its role, changed there and taken off", async () => {
    const made = await account.create(inputs);
    expect(made.id).to.equal("app:read");
    const after = await account.update(made, { ...inputs, policy: '{"Version":"2008-10-17"}' });
    expect(after.changes).to.deep.equal(["PutRolePolicy"]);
    await account.destroy(after);
  });

  it("is gone when its role is", async () => {
    const made = await account.create(inputs);
    await account.destroy(made);
    account.aws.ask("DeleteRole", { RoleName: "app" });
    expect(await account.refresh(made)).to.equal(undefined);
  });
});

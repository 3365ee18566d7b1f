import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.RolePolicyAttachment", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/rolePolicyAttachment:RolePolicyAttachment");
  });
  afterEach(() => account.close());

  const inputs = { role: "app", policyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" };

  it("is made, found and taken away; nothing of it changes in place", async () => {
    account.aws.ask("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: "{}" });
    const made = await account.create(inputs);
    expect(made.id).to.equal("app/arn:aws:iam::aws:policy/ReadOnlyAccess");
    const other = { ...inputs, policyArn: "arn:aws:iam::aws:policy/Other" };
    expect(await account.replacedBy(made, other)).to.deep.equal(["policyArn"]);
    await account.destroy(made);
  });
});

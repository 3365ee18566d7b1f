import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.RolePolicyAttachmentsExclusive", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive");
    account.aws.ask("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: "{}" });
  });
  afterEach(() => account.close());

  const arn = (name: string) => `arn:aws:iam::aws:policy/${name}`;
  const attach = (name: string) =>
    account.aws.ask("AttachRolePolicy", { RoleName: "app", PolicyArn: arn(name) });
  const attached = () =>
    (account.aws.ask("ListAttachedRolePolicies", { RoleName: "app" }) as { AttachedPolicies: object[] })
      .AttachedPolicies;
  const inputs = (...names: string[]) => ({ roleName: "app", policyArns: names.map(arn) });

  it("attaches what is missing and detaches what is too much, in this order", async () => {
    attach("ByHand");
    const made = await account.create(inputs("ReadOnlyAccess"));
    expect(made.id).to.equal("app");
    expect(attached()).to.deep.equal([{ PolicyArn: arn("ReadOnlyAccess") }]);
    const after = await account.update(made, inputs("Other"));
    expect(after.changes).to.deep.equal(["AttachRolePolicy", "DetachRolePolicy"]);
    expect((await account.update(after, inputs())).changes).to.deep.equal(["DetachRolePolicy"]);
  });

  it("takes the order of its list for no change, and another role for another resource", async () => {
    const made = await account.create(inputs("One", "Two"));
    expect((await account.engine.diff(made.inputs, inputs("Two", "One"))).some).to.equal(false);
    expect(await account.replacedBy(made, { ...inputs("One"), roleName: "other" })).to.deep.equal([
      "roleName",
    ]);
  });

  it("finds what somebody attached by hand", async () => {
    const made = await account.create(inputs("ReadOnlyAccess"));
    attach("AdministratorAccess");
    expect((await account.refresh(made))?.inputs.policyArns).to.deep.equal(
      ["ReadOnlyAccess", "AdministratorAccess"].map(arn),
    );
  });

  it("leaves the role as it is when it is deleted, and is gone when the role is", async () => {
    const made = await account.create(inputs("ReadOnlyAccess"));
    await account.engine.delete(made.id, made.state);
    expect(attached()).to.have.length(1);
    account.aws.ask("DetachRolePolicy", { RoleName: "app", PolicyArn: arn("ReadOnlyAccess") });
    account.aws.ask("DeleteRole", { RoleName: "app" });
    expect(await account.refresh(made)).to.equal(undefined);
  });
});

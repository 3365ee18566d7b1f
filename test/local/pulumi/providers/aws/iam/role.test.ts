import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.Role", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/role:Role");
  });
  afterEach(() => account.close());

  const trust = (service: string): string =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
    });
  const inputs = { name: "app", assumeRolePolicy: trust("ec2.amazonaws.com") };

  it("is what IAM made of it, and goes", async () => {
    const made = await account.create({ ...inputs, path: "/team/", tags: { a: "1" } });
    expect(made.id).to.equal("app");
    expect(made.state).to.include({
      arn: "arn:aws:iam::111122223333:role/team/app",
      uniqueId: "AROA",
      maxSessionDuration: 3600,
    });
    await account.destroy(made);
  });

  it("changes its trust policy, its times, its boundary and its tags in place", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1", b: "2" } });
    const boundary = "arn:aws:iam::111122223333:policy/boundary";
    const after = await account.update(made, {
      name: "app",
      assumeRolePolicy: trust("eks.amazonaws.com"),
      description: "other",
      maxSessionDuration: 7200,
      permissionsBoundary: boundary,
      tags: { b: "3" },
    });
    expect(after.changes).to.have.members([
      "UpdateAssumeRolePolicy",
      "UpdateRole",
      "PutRolePermissionsBoundary",
      "UntagRole",
      "TagRole",
    ]);
    expect(after.state).to.deep.include({
      maxSessionDuration: 7200,
      permissionsBoundary: boundary,
      tagsAll: { b: "3" },
    });
    const without = await account.update(after, inputs);
    expect(without.changes).to.include("DeleteRolePermissionsBoundary");
  });

  it("is another under another name or path", async () => {
    const made = await account.create(inputs);
    expect(await account.replacedBy(made, { ...inputs, path: "/other/" })).to.deep.equal(["path"]);
  });

  it("does not differ by how its trust policy is written", async () => {
    const made = await account.create(inputs);
    const { some } = await account.engine.diff(
      made.inputs,
      await account.check({
        ...inputs,
        assumeRolePolicy: JSON.stringify(JSON.parse(inputs.assumeRolePolicy), null, 2),
      }),
    );
    expect(some).to.equal(false);
  });

  it("gets the 26 characters that the real provider adds to a prefix, which must leave room for them", async () => {
    const { name } = await account.check({ assumeRolePolicy: inputs.assumeRolePolicy, namePrefix: "app-" });
    expect(name).to.match(/^app-[0-9a-f]{26}$/);
    const long = { assumeRolePolicy: inputs.assumeRolePolicy, namePrefix: "a".repeat(39) };
    expect((await account.engine.check(long)).failures.join()).to.contain("has 39 characters, at most 38");
  });

  it("goes with policies on it only where it is told to take them off", async () => {
    const { state, ...made } = await account.create({ ...inputs, forceDetachPolicies: true });
    account.aws.ask("AttachRolePolicy", {
      RoleName: "app",
      PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
    });
    account.aws.ask("PutRolePolicy", { RoleName: "app", PolicyName: "inline", PolicyDocument: "{}" });
    const stays = await account.engine
      .delete(made.id, { ...state, forceDetachPolicies: false })
      .catch((error: Error) => error.message);
    expect(stays).to.contain("must detach all policies first");
    await account.destroy({ ...made, state });
  });
});

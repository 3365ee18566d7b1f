import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.eks.PodIdentityAssociation", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:eks/podIdentityAssociation:PodIdentityAssociation");
  });
  afterEach(() => account.close());

  const inputs = {
    clusterName: "dev",
    namespace: "a",
    serviceAccount: "app",
    roleArn: "arn:aws:iam::111122223333:role/one",
  };

  it("is made, given another role in place, and deleted", async () => {
    const made = await account.create({ ...inputs, tags: { a: "1" } });
    expect(made.id).to.match(/^dev,a-/);
    const after = await account.update(made, { ...inputs, roleArn: "arn:aws:iam::111122223333:role/two" });
    expect(after.changes).to.deep.equal(["UpdatePodIdentityAssociation", "UntagResource"]);
    await account.destroy(after);
  });

  it("has the target role, the session tags and the session policy as given, and the external id that EKS makes", async () => {
    const policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    const more = { disableSessionTags: true, policy, targetRoleArn: "arn:aws:iam::222222222222:role/target" };
    const plain = await account.create(inputs);
    expect(plain.state).to.include({ disableSessionTags: false });
    expect(plain.state).not.to.have.any.keys("externalId", "policy");
    const after = await account.update(plain, { ...inputs, ...more });
    expect(after.changes).to.deep.equal(["UpdatePodIdentityAssociation"]);
    expect(after.state).to.include(more);
    const made = await account.create({ ...inputs, ...more });
    expect(made.state.externalId).to.match(/^of a-/);
    const spaced = JSON.stringify(JSON.parse(policy), undefined, 2);
    expect((await account.engine.diff(made.inputs, { ...made.inputs, policy: spaced })).some).to.equal(false);
  });

  it("is another for another ServiceAccount", async () => {
    const made = await account.create(inputs);
    expect(await account.replacedBy(made, { ...inputs, serviceAccount: "b" })).to.deep.equal([
      "serviceAccount",
    ]);
  });
});

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

  it("takes a target role and a session without tags, and gives them back up, in place", async () => {
    const targetRoleArn = "arn:aws:iam::222233334444:role/target";
    const policy = '{"Statement":[]}';
    const made = await account.create({ ...inputs, targetRoleArn });
    const narrowed = await account.update(made, { ...inputs, disableSessionTags: true, policy });
    expect(narrowed.changes).to.deep.equal(["UpdatePodIdentityAssociation"]);
    await account.destroy(await account.update(narrowed, inputs));
  });

  it("is another for another ServiceAccount", async () => {
    const made = await account.create(inputs);
    expect(await account.replacedBy(made, { ...inputs, serviceAccount: "b" })).to.deep.equal([
      "serviceAccount",
    ]);
  });
});

import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.eks.AccessEntry", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:eks/accessEntry:AccessEntry");
  });
  afterEach(() => account.close());

  const principalArn = "arn:aws:iam::111122223333:role/ops";

  it("is made, changed in place and deleted", async () => {
    const made = await account.create({ clusterName: "dev", principalArn });
    expect(made.id).to.equal(`dev:${principalArn}`);
    const news = { clusterName: "dev", principalArn, kubernetesGroups: ["viewers"], tags: { a: "1" } };
    const after = await account.update(made, news);
    expect(after.changes).to.deep.equal(["UpdateAccessEntry", "TagResource"]);
    expect(await account.replacedBy(after, { ...news, type: "EC2_LINUX" })).to.deep.equal(["type"]);
    await account.destroy(after);
  });

  it("has policies, each a resource of its own", async () => {
    account.aws.ask("CreateAccessEntry", { clusterName: "dev", principalArn });
    const associations = await Account.open("aws:eks/accessPolicyAssociation:AccessPolicyAssociation");
    associations.aws.ask("CreateAccessEntry", { clusterName: "dev", principalArn });
    const policyArn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
    const inputs = { clusterName: "dev", principalArn, policyArn, accessScope: { type: "cluster" } };
    const made = await associations.create(inputs);
    expect(made.id).to.equal(`dev#${principalArn}#${policyArn}`);
    const narrower = { ...inputs, accessScope: { type: "namespace", namespaces: ["a"] } };
    expect(await associations.replacedBy(made, narrower)).to.deep.equal(["accessScope"]);
    await associations.destroy(made);
    await associations.close();
  });
});

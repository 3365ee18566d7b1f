import { expect } from "chai";
import { Account } from "../account.ts";

describe("aws.iam.OpenIdConnectProvider", () => {
  let account: Account;
  beforeEach(async () => {
    account = await Account.open("aws:iam/openIdConnectProvider:OpenIdConnectProvider");
  });
  afterEach(() => account.close());

  const url = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC";
  const inputs = { url, clientIdLists: ["sts.amazonaws.com"] };

  it("is known by its URL without scheme, and goes", async () => {
    const made = await account.create(inputs);
    expect(made.id).to.equal(
      "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC",
    );
    expect(made.state.url).to.equal("oidc.eks.eu-central-1.amazonaws.com/id/ABC");
    await account.destroy(made);
  });

  it("changes audiences one by one, thumbprints and tags", async () => {
    const made = await account.create({ ...inputs, clientIdLists: ["a", "b"], tags: { x: "1" } });
    const news = {
      url,
      clientIdLists: ["b", "c"],
      thumbprintLists: ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
    };
    const after = await account.update(made, news);
    expect(after.changes).to.deep.equal([
      "AddClientIDToOpenIDConnectProvider",
      "RemoveClientIDFromOpenIDConnectProvider",
      "UpdateOpenIDConnectProviderThumbprint",
      "UntagOpenIDConnectProvider",
    ]);
  });

  it("keeps its thumbprints where none are given any more, as a provider of pulumi-eks that moves has them", async () => {
    const made = await account.create({
      ...inputs,
      thumbprintLists: ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
    });
    const after = await account.update(made, { ...inputs, tags: { team: "a" } });
    expect(after.changes).to.deep.equal(["TagOpenIDConnectProvider"]);
    expect(after.state.thumbprintLists).to.deep.equal(["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]);
  });

  it("made by a request whose answer was lost is found again", async () => {
    account.aws.loseAnswer("CreateOpenIDConnectProvider");
    const made = await account.create(inputs);
    expect(made.id).to.contain("oidc-provider/");
  });
});

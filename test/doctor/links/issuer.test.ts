import { expect } from "chai";
import { oidcProviderArn, issuer as url } from "../../mocks.ts";
import { brokenOf, cause, clusterArn, look } from "../captured.ts";

const cluster = {
  arn: clusterArn,
  status: "ACTIVE",
  endpoint: "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
};

describe("the doctor's links issuer and oidc-provider", () => {
  it("name an issuer that is not there, or not the API server's own", async () => {
    expect(await cause({ eks: { cluster: async () => cluster } })).to.equal("issuer-missing");
    expect(await cause({ kubernetes: { issuer: async () => "https://other.example" } })).to.equal(
      "issuer-differs",
    );
  });

  it("ask for the API server's issuer once", async () => {
    let asked = 0;
    await look({
      kubernetes: {
        issuer: async () => {
          asked++;
          return `https://${url}`;
        },
      },
    });
    expect(asked).to.equal(1);
  });

  it("name the provider that comes nearest, and the account that has none for the issuer", async () => {
    const like = { arn: `${oidcProviderArn}X`, url: `${url}X`, audiences: ["sts.amazonaws.com"] };
    const broken = brokenOf(await look({ iam: { oidcProviders: async () => [like] } }));
    expect(broken).to.include({ cause: "provider-missing" });
    expect(broken.what).to.contain("111122223333");
    expect(broken.disagreement?.found.value).to.equal(`${url}X`);
    expect(broken.mend[0]).to.equal(
      `aws iam create-open-id-connect-provider --url https://${url} --client-id-list sts.amazonaws.com`,
    );
  });

  it("name an audience that the provider does not list", async () => {
    const provider = { arn: oidcProviderArn, url, audiences: ["other"] };
    expect(await cause({ iam: { oidcProviders: async () => [provider] } })).to.equal("provider-audience");
  });
});

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { pages, quotas, scalePage, trustPolicyLength, withTables } from "../../docs/scale/tables.ts";
import { inlinePolicyCharacters, managedPoliciesPerRole, trustPolicyCharacters } from "../../iam/quotas.ts";
import { trustPolicy } from "../../iam/trust-policy.ts";

describe("docs/scale.md", () => {
  const text = readFileSync(scalePage, "utf8");

  it("says what is computed", () => {
    expect(withTables(text), "run `node docs/scale/tables.ts`").to.equal(text);
  });

  it("has no figure of its own", () => {
    const prose = text
      .replace(/<!-- scale:(\w+) -->[\s\S]*?<!-- \/scale:\1 -->/g, "")
      .replace(/```[\s\S]*?```/g, "")
      .replace(/`[^`]*`|\]\([^)]*\)|#\d+/g, ""); // code, addresses, numbers of threads
    expect(prose.match(/\b\d[\d.,]*\b/g)).to.equal(null);
  });

  it("counts what fits as a hand does", () => {
    // 50 other roles, and of each cluster two of its own and thirty of its bindings.
    const roles = (clusters: number) => 50 + clusters * (2 + 30);
    expect(roles(29)).to.be.at.most(quotas.rolesPerAccount.value);
    expect(roles(30)).to.be.above(quotas.rolesPerAccount.value);
    expect(text).to.match(/\| clusters of 30 bindings: .*a role for each \| 29 \(IAM roles\) \|/);
    // With Pod Identity all clusters share the thirty: 50 + 30 + 2 for each cluster.
    expect(50 + 30 + 2 * 2460).to.equal(quotas.rolesPerAccount.raised);
    expect(text).to.match(/\| clusters of 30 bindings: Pod Identity.* \| 2,460 \(IAM roles\) \|/);
  });

  it("measures trust policies as long as a real one", () => {
    const real = trustPolicy({
      oidcProviderArn:
        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
      namespace: "team-a",
      serviceAccount: "reader",
    });
    expect(trustPolicyLength(1, 1, "team-a".length)).to.equal(JSON.stringify(real).length);
  });

  it("has the quotas that the program holds to", () => {
    const { trustPolicyCharacters: trust, managedPoliciesPerRole: managed, ...others } = quotas;
    expect([trust.value, trust.raised]).to.deep.equal(Object.values(trustPolicyCharacters));
    expect([managed.value, managed.raised]).to.deep.equal(Object.values(managedPoliciesPerRole));
    expect(others.inlinePolicyCharacters.value).to.equal(inlinePolicyCharacters);
  });

  it("names a page for every quota, and uses every page", () => {
    expect(Object.keys(pages).sort()).to.deep.equal(
      [...new Set(Object.values(quotas).map(({ source }) => source))].sort(),
    );
  });
});

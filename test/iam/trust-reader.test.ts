import { expect } from "chai";
import { podIdentityTrustPolicy, trustPolicy } from "../../iam/trust-policy.ts";
import { admitsPodIdentity, onClaim, restricts, tokenTrusts } from "../../iam/trust-reader.ts";
import { issuer, oidcProviderArn } from "../mocks.ts";

describe("reading a trust policy", () => {
  const own = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" });

  it("finds who is admitted by a token, and what is asked of it", () => {
    const [trust, ...others] = tokenTrusts(own);
    if (trust === undefined) throw new Error("none");
    expect(others).to.deep.equal([]);
    expect(trust.issuers).to.deep.equal([issuer.toLowerCase()]);
    expect(onClaim(trust, "sub").map(({ values }) => values)).to.deep.equal([
      ["system:serviceaccount:team-a:reader"],
    ]);
    expect(onClaim(trust, "aud").every(restricts)).to.equal(true);
  });

  it("does not take a * for a restriction, nor another issuer's claim for its own", () => {
    const [statement] = own.Statement;
    const conditioned = (Condition: object) => tokenTrusts({ Statement: [{ ...statement, Condition }] })[0];
    const any = conditioned({ StringLike: { [`${issuer}:sub`]: "*" } });
    expect(any && onClaim(any, "sub").some(restricts)).to.equal(false);
    const other = conditioned({ StringEquals: { [`https://${issuer}:sub`]: "x" } });
    expect(other && onClaim(other, "sub")).to.deep.equal([]);
  });

  it("knows EKS Pod Identity by its service, and no token by it", () => {
    const policy = podIdentityTrustPolicy([{ namespace: "a", serviceAccount: "b" }]);
    expect(policy.Statement.map((one) => admitsPodIdentity(JSON.parse(JSON.stringify(one))))).to.deep.equal([
      true,
    ]);
    expect(tokenTrusts(policy)).to.deep.equal([]);
  });
});

import { expect } from "chai";
import { judgePodIdentityTrust, judgeTrust } from "../../../doctor/trust-verdict.ts";
import { podIdentityTrustPolicy, trustPolicy } from "../../../iam/trust-policy.ts";
import { oidcProviderArn } from "../../mocks.ts";
import {
  associated,
  association,
  brokenOf,
  claims,
  issuer,
  look,
  refusal,
  role,
  unseenOf,
} from "../captured.ts";

/** The document that a mend would put, as a shell would read it. */
const documentOf = ({ mend: [command = ""] }: { mend: readonly string[] }): string =>
  (/--policy-document '(.*)'$/s.exec(command)?.[1] ?? "").replaceAll("'\\''", "'");
const other = trustPolicy({ oidcProviderArn, namespace: "team-b", serviceAccount: "writer" });
const trusted = (trustPolicy: object) => ({
  iam: { role: async () => ({ ...role, trustPolicy: JSON.stringify(trustPolicy) }) },
});

describe("the doctor's links trust", () => {
  const token = { issuer, providerArn: oidcProviderArn, sub: claims.sub, aud: "sts.amazonaws.com" };

  it("give a mend that admits the ServiceAccount, and leaves whom else the role admits", async () => {
    const broken = brokenOf(await look(trusted(other)));
    expect(broken).to.include({ cause: "trust-subject" });
    const document = documentOf(broken);
    expect(judgeTrust(document, token).fault).to.equal(undefined);
    const writer = { ...token, sub: "system:serviceaccount:team-b:writer" };
    expect(judgeTrust(document, writer).fault).to.equal(undefined);
  });

  it("give a mend without the Deny that is in the way, and ask for its reason", async () => {
    const [right] = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" }).Statement;
    const broken = brokenOf(await look(trusted({ Statement: [right, { ...right, Effect: "Deny" }] })));
    expect(broken).to.include({ cause: "trust-deny" });
    expect(broken.advice?.[0]).to.contain("ask why");
    expect(judgeTrust(documentOf(broken), token).fault).to.equal(undefined);
  });

  it("leave to STS what only STS can judge, and are shown by its answer", async () => {
    const { Statement } = trustPolicy({ oidcProviderArn, namespace: "team-a", serviceAccount: "reader" });
    const narrowed = {
      Statement: Statement.map((one) => ({
        ...one,
        Condition: { ...one.Condition, IpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
      })),
    };
    expect((await look(trusted(narrowed))).state).to.equal("healthy");
    const refused = await look({ ...trusted(narrowed), sts: { assume: async () => refusal } });
    expect(brokenOf(refused)).to.include({ cause: "sts-refused" });
    expect(unseenOf(refused, "trust").why).to.contain("aws:sourceip 203.0.113.0/24");
  });

  describe("for EKS Pod Identity", () => {
    const own = podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "reader" }]);
    const broken = async (trustPolicy: object, sessionTags = true) => {
      const { eks, ...rest } = associated();
      return brokenOf(
        await look({
          ...rest,
          ...trusted(trustPolicy),
          eks: { ...eks, association: async () => ({ ...association, sessionTags }) },
        }),
      );
    };
    const tags = new Map<string, string | undefined>([
      ["aws:requesttag/kubernetes-namespace", "team-a"],
      ["aws:requesttag/kubernetes-service-account", "reader"],
    ]);

    it("name a role of IRSA, one that may not be tagged, and one for another ServiceAccount", async () => {
      const { Version, Statement } = own;
      const cases: [cause: string, policy: object][] = [
        ["trust-principal", other],
        ["trust-tag-session", { Version, Statement: [{ ...Statement[0], Action: "sts:AssumeRole" }] }],
        ["trust-condition", podIdentityTrustPolicy([{ namespace: "team-b", serviceAccount: "reader" }])],
      ];
      for (const [cause, policy] of cases) {
        const found = await broken(policy);
        expect(
          found.cause === cause || (cause === "trust-principal" && found.cause === "trust-action"),
          found.cause,
        ).to.equal(true);
        expect(judgePodIdentityTrust(documentOf(found), tags, true).fault).to.equal(undefined);
      }
    });

    it("name a condition on tags where the association sets none", async () => {
      const found = await broken(own, false);
      expect(found).to.include({ cause: "trust-condition" });
      expect(found.what).to.contain("which the request does not have");
      // Opened for sessions without tags, it would be for all of the account's.
      expect(found.mend).to.deep.equal([
        "aws eks update-pod-identity-association --region eu-central-1 --cluster-name dev --association-id a-0123 --no-disable-session-tags",
      ]);
    });
  });
});

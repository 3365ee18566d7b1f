import { expect } from "chai";
import { verifyPodIdentity } from "../../../local/aws/podidentity.ts";
import { cluster, podAudience, podClaims, podEnvironment, podRoleArn, podToken, podTrust } from "./pods.ts";
import { accountId, now, refusal, type Signer, sign, signer, subject } from "./tokens.ts";

const clusterArn = `arn:aws:eks:eu-central-1:${accountId}:cluster/${cluster}`;
const sessionTags = {
  "eks-cluster-arn": clusterArn,
  "eks-cluster-name": cluster,
  "kubernetes-namespace": "default",
  "kubernetes-service-account": "s3-irsa",
  "kubernetes-pod-name": "s3-lister-5d8f7c6b9-x2x4z",
  "kubernetes-pod-uid": "3f6c0e6a-0000-4000-8000-000000000001",
};

describe("verifyPodIdentity", () => {
  let key: Signer;
  before(async () => {
    key = await signer();
  });
  const said = async (
    claims: Record<string, unknown> = {},
    changes: Parameters<typeof podEnvironment>[1] = {},
    name = cluster,
  ) => refusal(verifyPodIdentity(name, await podToken(key, claims), podEnvironment(key, changes)));
  const admitted = async (changes: Parameters<typeof podEnvironment>[1] = {}) =>
    verifyPodIdentity(cluster, await podToken(key), podEnvironment(key, changes));

  describe("admits a pod's own token", () => {
    it("to its association's role, for six hours, with the six session tags", async () => {
      const { pod, hops } = await admitted();
      expect(pod).to.deep.equal({
        namespace: "default",
        serviceAccount: "s3-irsa",
        name: sessionTags["kubernetes-pod-name"],
        uid: sessionTags["kubernetes-pod-uid"],
      });
      expect(hops).to.have.length(1);
      expect(hops[0]).to.deep.include({ roleArn: podRoleArn, durationSeconds: 21_600, tags: sessionTags });
      expect(hops[0].roleSessionName).to.match(/^eks-irsa-s3-lister-[\w-]{37}$/);
    });

    it("with a session name that STS takes, however long the names are", async () => {
      const long = {
        ...podClaims["kubernetes.io"],
        pod: { name: "p".repeat(253), uid: sessionTags["kubernetes-pod-uid"] },
      };
      const token = await podToken(key, { "kubernetes.io": long });
      const name = "c".repeat(100);
      const env = podEnvironment(key);
      const { hops } = await verifyPodIdentity(name, token, {
        ...env,
        issuer: () => env.issuer(cluster),
        association: (_, ...of) => env.association(cluster, ...of),
      });
      expect(hops[0].roleSessionName).to.have.length.at.most(64);
    });

    it("by conditions on its tags and on the cluster that EKS acts for", async () => {
      const by = (Condition: object) => admitted({ trustPolicy: podTrust({ Condition }) });
      await by({ StringEquals: { "aws:RequestTag/kubernetes-service-account": "s3-irsa" } });
      await by({ StringLike: { "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:*:*:cluster/irsa" } });
      await by({
        StringEquals: { "aws:SourceAccount": accountId },
        ArnEquals: { "aws:SourceArn": clusterArn },
      });
    });

    it("without tags where the association turns them off, and by a trust without sts:TagSession", async () => {
      const { hops } = await admitted({
        associated: { disableSessionTags: true },
        trustPolicy: podTrust({ Action: "sts:AssumeRole" }),
      });
      expect(hops[0].tags).to.deep.equal({});
    });

    it("with the session policy of the association", async () => {
      const { hops } = await admitted({ associated: { disableSessionTags: true, policy: "{}" } });
      expect(hops[0].policy).to.equal("{}");
    });

    it("to a target role by its own, both for an hour, with the same tags and no external id", async () => {
      const targetRoleArn = "arn:aws:iam::222222222222:role/target";
      const { hops } = await admitted({ associated: { targetRoleArn } });
      expect(hops.map(({ roleArn, durationSeconds }) => [roleArn, durationSeconds])).to.deep.equal([
        [podRoleArn, 3600],
        [targetRoleArn, 3600],
      ]);
      expect(hops[1]).to.deep.include({ tags: sessionTags, externalId: undefined });
    });

    it("to a target role by external id where there are no tags, and bounds that role alone", async () => {
      const targetRoleArn = "arn:aws:iam::222222222222:role/target";
      const associated = { targetRoleArn, disableSessionTags: true, policy: "{}" };
      const [first, second] = (await admitted({ associated })).hops;
      expect(first).not.to.have.property("policy");
      expect(second).to.deep.include({
        tags: {},
        policy: "{}",
        externalId: `eu-central-1/${accountId}/irsa/default/s3-irsa`,
      });
    });
  });

  describe("refuses", () => {
    const invalid = /^400 InvalidTokenException: /;

    it("another cluster", async () => {
      expect(await said({}, {}, "other")).to.equal(
        "404 ResourceNotFoundException: No cluster found for name: other.",
      );
    });

    it("a token that is none, of another issuer, or of another key", async () => {
      const env = podEnvironment(key);
      expect(await refusal(verifyPodIdentity(cluster, "a.b.c", env))).to.match(invalid);
      expect(await said({ iss: "https://oidc.eks.eu-central-1.amazonaws.com/id/OTHER" })).to.match(invalid);
      const forged = await podToken(await signer());
      expect(await refusal(verifyPodIdentity(cluster, forged, env))).to.equal(
        "400 InvalidTokenException: The token's signature does not verify.",
      );
    });

    it("an expired one as expired, and one that is not valid yet", async () => {
      expect(await said({ exp: now })).to.match(/^400 ExpiredTokenException: /);
      expect(await said({ nbf: now + 1 })).to.match(invalid);
    });

    it("a token for STS, or for the API server", async () => {
      for (const aud of ["sts.amazonaws.com", "https://kubernetes.default.svc"]) {
        expect(await said({ aud: [aud] })).to.equal(
          `400 InvalidTokenException: The token is for ${aud}, not for ${podAudience}.`,
        );
      }
    });

    it("a token that is bound to no pod", async () => {
      for (const bound of [
        undefined,
        {},
        { namespace: "default", serviceaccount: { name: "s3-irsa" } },
        { ...podClaims["kubernetes.io"], pod: { name: "p" } },
        { ...podClaims["kubernetes.io"], pod: { name: ["p"], uid: "u" } },
      ]) {
        expect(await said({ "kubernetes.io": bound }), JSON.stringify(bound)).to.equal(
          "400 InvalidTokenException: The token is bound to no pod.",
        );
      }
      const unbound = await sign(key, { aud: [podAudience] });
      expect(await refusal(verifyPodIdentity(cluster, unbound, podEnvironment(key)))).to.match(invalid);
    });

    it("a subject that is not the ServiceAccount that it is bound to", async () => {
      expect(await said({ sub: `${subject}x` })).to.match(invalid);
    });

    it("a token whose pod is gone", async () => {
      expect(await said({}, { isCurrent: async () => false })).to.contain(
        "Kubernetes takes the token no more: its pod or its ServiceAccount is gone.",
      );
    });

    it("a pod of a ServiceAccount without an association", async () => {
      const other = { namespace: "other", serviceaccount: { name: "s3-irsa" } };
      const claims = {
        sub: "system:serviceaccount:other:s3-irsa",
        "kubernetes.io": { ...podClaims["kubernetes.io"], ...other },
      };
      expect(await said(claims)).to.equal(
        "404 ResourceNotFoundException: No Pod Identity association found for the ServiceAccount other/s3-irsa in the cluster irsa.",
      );
    });

    const denied =
      "400 AccessDeniedException: Unauthorized Exception! EKS does not have permissions to assume the associated role.";
    for (const [what, statement] of Object.entries({
      "another service": { Principal: { Service: "ec2.amazonaws.com" } },
      "the account's root": { Principal: { AWS: `arn:aws:iam::${accountId}:root` } },
      "no sts:TagSession": { Action: "sts:AssumeRole" },
      "no sts:AssumeRole": { Action: "sts:TagSession" },
      "another namespace in its condition": {
        Condition: { StringEquals: { "aws:RequestTag/kubernetes-namespace": "other" } },
      },
      "another cluster in its condition": {
        Condition: { StringEqualsIfExists: { "aws:RequestTag/eks-cluster-name": "other" } },
      },
      "the association as the source, which EKS does not send": {
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:eks:*:*:podidentityassociation/irsa/*" } },
      },
      "a Deny": { Effect: "Deny" },
    })) {
      it(`a role whose trust policy has ${what}`, async () => {
        expect(await said({}, { trustPolicy: podTrust(statement) })).to.equal(denied);
      });
    }

    it("a role that is not there, or lies on another path, or whose trust is no policy", async () => {
      expect(await said({}, { role: async () => undefined })).to.equal(denied);
      expect(await said({}, { associated: { roleArn: `arn:aws:iam::${accountId}:role/app` } })).to.equal(
        denied,
      );
      expect(await said({}, { trustPolicy: "{" })).to.equal(denied);
    });
  });
});

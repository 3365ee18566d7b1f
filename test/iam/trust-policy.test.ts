import { expect } from "chai";
import fc from "fast-check";
import {
  podIdentityTrustPolicy,
  type Subject,
  stsAudience,
  subject,
  type TrustPolicyArgs,
  trustPolicy,
} from "../../iam/trust-policy.ts";
import { trustAllows } from "../../local/aws/trust-simulator.ts";
import { issuer, oidcProviderArn } from "../mocks.ts";

// Judged by @cloud-copilot/iam-simulate, an IAM evaluator that is not ours.

describe("the trust policy", () => {
  const admits = (args: TrustPolicyArgs, claims: { sub: string; aud: string }, provider = oidcProviderArn) =>
    trustAllows({
      trustPolicy: JSON.stringify(trustPolicy(args)),
      roleArn: "arn:aws:iam::111122223333:role/test",
      roleSessionName: "test",
      accountId: "111122223333",
      providerArn: provider,
      issuer: provider.replace(/^.*oidc-provider\//, ""),
      claims,
    });

  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
  const namespace = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join("-"));
  const account = fc.array(namespace, { minLength: 1, maxLength: 3 }).map((words) => words.join("."));
  const exact = fc.record({ namespace, serviceAccount: account });
  const provider = fc
    .tuple(fc.constantFrom("aws", "aws-cn", "aws-us-gov"), fc.stringMatching(/^[0-9A-F]{32}$/))
    .map(
      ([partition, id]) =>
        `arn:${partition}:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/${id}`,
    );
  const property = (
    runs: number,
    test: (...args: never[]) => Promise<void>,
    ...arbitraries: fc.Arbitrary<unknown>[]
  ) =>
    fc.assert(
      fc.asyncProperty(fc.tuple(...arbitraries), (values) => test(...(values as never[]))),
      { numRuns: runs },
    );
  const sub = (one: { namespace: string; serviceAccount: string }) =>
    subject(one.namespace, one.serviceAccount);

  it("admits what was asked, from each of its clusters, and nobody else", async () => {
    await property(
      60,
      async (
        subjects: { namespace: string; serviceAccount: string }[],
        providers: string[],
        stranger: { namespace: string; serviceAccount: string },
        elsewhere: string,
      ) => {
        const [first, ...otherSubjects] = subjects as [Subject, ...Subject[]];
        const args = { ...first, otherSubjects, oidcProviderArn: providers, maxCharacters: 100_000 };
        const asked = subjects.some((one) => sub(one) === sub(stranger));
        for (const arn of providers) {
          for (const one of subjects) {
            expect(await admits(args, { sub: sub(one), aud: stsAudience }, arn)).to.equal(true);
          }
          expect(await admits(args, { sub: sub(stranger), aud: stsAudience }, arn)).to.equal(asked);
          expect(await admits(args, { sub: sub(subjects[0] as never), aud: "vault" }, arn)).to.equal(false);
          // What StringLike would take for a pattern is a text like any other.
          expect(await admits(args, { sub: "system:serviceaccount:*:*", aud: stsAudience }, arn)).to.equal(
            false,
          );
        }
        if (!providers.includes(elsewhere)) {
          expect(
            await admits(args, { sub: sub(subjects[0] as never), aud: stsAudience }, elsewhere),
          ).to.equal(false);
        }
      },
      fc.array(exact, { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(provider, { minLength: 1, maxLength: 2 }),
      exact,
      provider,
    );
  });

  it("admits by a pattern what it matches, and keeps to the audience", async () => {
    await property(
      40,
      async (start: string, rest: string, name: string, other: string) => {
        const args = {
          oidcProviderArn,
          namespace: { matching: `${start}-*` },
          serviceAccount: name,
        };
        const token = (namespace: string, serviceAccount: string) =>
          admits(args, { sub: subject(namespace, serviceAccount), aud: stsAudience });
        expect(await token(`${start}-${rest}`, name)).to.equal(true);
        expect(await token(start, name)).to.equal(false);
        expect(await token(`${start}-${rest}`, other)).to.equal(other === name);
        expect(await admits(args, { sub: subject(`${start}-${rest}`, name), aud: "vault" })).to.equal(false);
      },
      word,
      namespace,
      account,
      account,
    );
  });

  it("is this document for one ServiceAccount", () => {
    expect(trustPolicy({ oidcProviderArn, namespace: "a", serviceAccount: "b" }).Statement).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Federated: oidcProviderArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${issuer}:sub`]: "system:serviceaccount:a:b",
            [`${issuer}:aud`]: "sts.amazonaws.com",
          },
        },
      },
    ]);
  });

  it("that is too long says how many ServiceAccounts, or clusters, there is room for", () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      namespace: "team-namespace",
      serviceAccount: `application-${String(index).padStart(2, "0")}`,
    }));
    const [first, ...otherSubjects] = many as [Subject, ...Subject[]];
    let message = "";
    try {
      trustPolicy({ oidcProviderArn, ...first, otherSubjects });
    } catch (error) {
      message = (error as Error).message;
    }
    const room = Number(/room for (\d+) of its 60 ServiceAccounts/.exec(message)?.[1]);
    expect(message).to.match(/^The trust policy has \d+ characters; IAM takes 2048\./);
    const fitting = (count: number) =>
      trustPolicy({ oidcProviderArn, ...first, otherSubjects: otherSubjects.slice(0, count - 1) });
    expect(JSON.stringify(fitting(room)).length).to.be.at.most(2048);
    expect(() => fitting(room + 1)).to.throw("IAM takes 2048");

    const clusters = Array.from({ length: 9 }, (_, index) => oidcProviderArn.replace(/.$/, String(index)));
    const one = { namespace: "a".repeat(20), serviceAccount: "b".repeat(20) };
    expect(() => trustPolicy({ oidcProviderArn: clusters, ...one })).to.throw("room for 4 of its 9 clusters");
    expect(
      trustPolicy({ oidcProviderArn: clusters.slice(0, 8), ...one, maxCharacters: 4096 }).Statement,
    ).to.have.length(8);
  });

  const refused: [what: string, args: Partial<TrustPolicyArgs>, message: string][] = [
    ["an issuer's URL", { oidcProviderArn: `https://${issuer}` }, "is not the ARN of an IAM OIDC provider"],
    [
      "the ARN of a role",
      { oidcProviderArn: "arn:aws:iam::111122223333:role/x" },
      "is not the ARN of an IAM OIDC provider",
    ],
    [
      "a star in a name, which StringEquals would take literally",
      { serviceAccount: "*" },
      '"*" is not the name of a ServiceAccount',
    ],
    ["an empty namespace", { namespace: "" }, '"" is not the name of a namespace'],
    ["a colon in a name", { serviceAccount: "a:b" }, "is not the name of a ServiceAccount"],
    [
      "a pattern that matches one name only",
      { namespace: { matching: "team-a" } },
      "is no pattern for a namespace",
    ],
    ["a pattern over the colon", { namespace: { matching: "a*:b" } }, "is no pattern for a namespace"],
  ];
  for (const [what, args, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => trustPolicy({ oidcProviderArn, namespace: "a", serviceAccount: "b", ...args })).to.throw(
        message,
      );
    });
  }
});

describe("the trust policy for EKS Pod Identity", () => {
  const [one, two] = [
    { namespace: "a", serviceAccount: "b" },
    { namespace: "c", serviceAccount: "d" },
  ] as const;
  const conditions = (...args: Parameters<typeof podIdentityTrustPolicy>) =>
    podIdentityTrustPolicy(...args).Statement.map(({ Condition }) => Condition);

  it("has a statement a ServiceAccount, since a pair of tags cannot be one of several", () => {
    expect(conditions([one, two], { clusterNames: ["prod"] })).to.deep.equal(
      [one, two].map(({ namespace, serviceAccount }) => ({
        StringEquals: {
          "aws:RequestTag/eks-cluster-name": "prod",
          "aws:RequestTag/kubernetes-namespace": namespace,
          "aws:RequestTag/kubernetes-service-account": serviceAccount,
        },
      })),
    );
  });

  it("asks for the cluster by its name even where it takes a pattern for the rest", () => {
    expect(
      conditions([{ namespace: { matching: "a-*" }, serviceAccount: "b" }], { clusterNames: ["x", "y"] }),
    ).to.deep.equal([
      {
        StringEquals: { "aws:RequestTag/eks-cluster-name": ["x", "y"] },
        StringLike: {
          "aws:RequestTag/kubernetes-namespace": "a-*",
          "aws:RequestTag/kubernetes-service-account": "b",
        },
      },
    ]);
  });

  it("has no condition on tags for sessions without them, and both actions, as AWS documents it for every association", () => {
    expect(
      podIdentityTrustPolicy([one, two], { clusterNames: ["x"], sessionTags: false }).Statement,
    ).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
      },
    ]);
  });

  it("that is too long says how many there is room for", () => {
    const many = Array.from({ length: 30 }, (_, index) => ({
      namespace: "team",
      serviceAccount: `a${index}`,
    }));
    expect(() => podIdentityTrustPolicy(many, { clusterNames: ["prod"] })).to.throw(
      /^The trust policy has \d+ characters; IAM takes 2048\. There is room for \d of its 30 ServiceAccounts\./,
    );
  });
});

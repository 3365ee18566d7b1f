import { expect } from "chai";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa.ts";
import type { IdentityArgs } from "../../components/irsa-identity.ts";
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

/** The way from IRSA to EKS Pod Identity, an `up` each, and back. */
const phases: readonly IdentityArgs[] = [
  "irsa",
  { mechanism: "irsa", migrating: true },
  { mechanism: "pod-identity", migrating: true },
  "pod-identity",
];

describe("IrsaServiceAccount on its way between the mechanisms", () => {
  /** What there is in each phase. */
  async function walk(args: Partial<IrsaServiceAccountArgs> = {}) {
    const seen = [];
    for (const identity of phases) {
      const registered = await setMocks();
      const given = { oidcProviderArn, namespace: "team-a", clusterName: "dev", ...args, identity };
      // These are a web identity token's.
      if (identity === "pod-identity") {
        Object.assign(given, { audience: undefined, tokenExpirationSeconds: undefined });
      }
      const irsa = new IrsaServiceAccount("app", given);
      await settled(registered);
      seen.push({ irsa, registered, ...factsOf(registered), additions: irsa.podAdditions });
    }
    return seen;
  }

  function factsOf(registered: Registered[]) {
    const { Statement } = JSON.parse(
      only(registered, "aws:iam/role:Role").inputs.assumeRolePolicy as string,
    ) as { Statement: { Action: string | string[] }[] };
    const { metadata } = only(registered, "kubernetes:core/v1:ServiceAccount").inputs as {
      metadata: { annotations?: Record<string, string> };
    };
    return {
      trust: Statement.map(({ Action }) =>
        Action === "sts:AssumeRoleWithWebIdentity" ? "web identity" : "Pod Identity",
      ),
      annotated: metadata.annotations?.["eks.amazonaws.com/role-arn"] !== undefined,
      associated: registered.some(({ type }) => type.endsWith(":PodIdentityAssociation")),
    };
  }

  it("trusts both mechanisms on the way, and only the one at either end", async () => {
    expect((await walk()).map(({ trust }) => trust)).to.deep.equal([
      ["web identity"],
      ["web identity", "Pod Identity"],
      ["web identity", "Pod Identity"],
      ["Pod Identity"],
    ]);
  });

  it("never takes away in one step what pods of the step before rely on", async () => {
    const seen = await walk();
    for (const [index, now] of seen.entries()) {
      // What a pod that was admitted in this phase may live by: where there are both, the association wins, if it has
      // taken effect; a template's web identity wins over both.
      const livesBy = [
        ...(now.annotated ? ["web identity"] : []),
        ...(now.associated && now.additions === undefined ? ["Pod Identity"] : []),
      ];
      for (const next of [seen[index - 1], seen[index + 1]]) {
        if (next === undefined) continue;
        // The last step wants that every pod was looked at: see docs/migrating.md.
        const checked = now.associated && !next.annotated ? ["Pod Identity"] : livesBy;
        expect(next.trust, `from phase ${index}`).to.include.members(checked);
      }
    }
  });

  it("keeps the annotation until the last step, so that a pod which the association came too late for has a role", async () => {
    const seen = await walk();
    expect(seen.map(({ annotated }) => annotated)).to.deep.equal([true, true, true, false]);
    expect(seen.map(({ associated }) => associated)).to.deep.equal([false, false, true, true]);
  });

  it("tells pods of web identity by their template before the association goes, which SDKs take first", async () => {
    const seen = await walk({ tokenExpirationSeconds: 3600, audience: "vault" });
    expect(seen.map(({ additions }) => additions !== undefined)).to.deep.equal([false, true, false, false]);
    const { irsa, additions } = seen[1] ?? expect.fail();
    expect(additions?.env[1]).to.deep.equal({
      name: "AWS_WEB_IDENTITY_TOKEN_FILE",
      value: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    });
    expect(additions?.env[0]).to.deep.equal({ name: "AWS_ROLE_ARN", value: irsa.roleArn });
    expect(additions?.volumeMounts).to.deep.equal([
      {
        name: "aws-iam-token",
        mountPath: "/var/run/secrets/eks.amazonaws.com/serviceaccount",
        readOnly: true,
      },
    ]);
    const token = { audience: "vault", expirationSeconds: 3600, path: "token" };
    expect(additions?.volumes).to.deep.equal([
      { name: "aws-iam-token", projected: { sources: [{ serviceAccountToken: token }] } },
    ]);
  });

  it("has pods made anew at each step, so that each step is proved", async () => {
    const digests = [];
    for (const { irsa } of await walk()) digests.push(JSON.stringify(await known(irsa.podAnnotations)));
    expect(new Set(digests).size).to.equal(phases.length);
  });

  it("replaces neither role nor ServiceAccount", async () => {
    const names = (await walk()).map(({ registered }) =>
      registered
        .filter(({ type }) => /:Role$|:ServiceAccount$/.test(type))
        .map(({ name }) => name)
        .sort(),
    );
    for (const one of names) expect(one).to.deep.equal(names[0]);
  });

  it("wants the cluster's name as soon as Pod Identity is trusted", () => {
    const identity = { mechanism: "irsa", migrating: true } as const;
    expect(() => new IrsaServiceAccount("app", { oidcProviderArn, namespace: "a", identity })).to.throw(
      "clusterName is not set; EKS Pod Identity needs",
    );
  });

  it("counts both trusts against the account's quota", () => {
    const otherSubjects = Array.from({ length: 6 }, (_, index) => ({
      namespace: "team-namespace",
      serviceAccount: `application-${index}`,
    }));
    const make = (identity: IdentityArgs) => () =>
      new IrsaServiceAccount("app", {
        oidcProviderArn,
        namespace: "team-namespace",
        clusterName: "dev",
        otherSubjects,
        identity,
      });
    expect(make({ mechanism: "pod-identity", migrating: true })).to.throw(
      /^otherSubjects holds .*; the trust policy has \d+ characters; IAM takes 2048\. There is room for \d of its 7/,
    );
  });
});

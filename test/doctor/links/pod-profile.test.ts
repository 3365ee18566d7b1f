import { expect } from "chai";
import { awsConfig, podAdditions } from "../../../components/pod-additions.ts";
import type { Container } from "../../../doctor/world.ts";
import { listBuckets } from "../../../iam/policies.ts";
import {
  allow,
  associated,
  brokenOf,
  type Change,
  container,
  findingOf,
  look,
  named,
  pod,
  podOfAssociation,
  policy,
  refusal,
  role,
  roleArn,
  session,
  unseenOf,
} from "../captured.ts";

const target = "arn:aws:iam::222233334444:role/invoices";
const additions = podAdditions({ roleArn, configMap: "aws-config" });
const env = Object.fromEntries((additions?.env ?? []).map(({ name, value }) => [name, String(value)]));
const file = { volume: "aws-config", path: "/etc/eks-irsa/aws" };
const told: Partial<Container> = {
  env: { ...container.env, ...env },
  mounts: [...container.mounts, file],
};
const text = (roleOfPod = roleArn) => awsConfig({ roleArn: roleOfPod, target, externalId: "x1" }).data.config;

/** A pod that `chain` sends on to a role of another account, where all is as it should be. */
const chained = (
  entry: { text?: string } | undefined = { text: text() },
  containers: readonly Partial<Container>[] = [told],
  more: Change = {},
): Change => ({
  iam: { policies: async () => [{ name: "assume", document: policy(allow("sts:AssumeRole", target)) }] },
  targetIam: {
    accountId: async () => "222233334444",
    role: async () => ({
      ...role,
      name: "invoices",
      arn: target,
      trustPolicy: policy({
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { AWS: roleArn },
        Condition: { StringEquals: { "sts:ExternalId": "x1" } },
      }),
    }),
    policies: async () => [{ name: "list", document: JSON.stringify(listBuckets.document) }],
  },
  sts: {
    assume: async () => ({
      admitted: true,
      session: {
        arn: "first",
        assume: async (arn, externalId) =>
          arn === target && externalId === "x1" ? session("second") : refusal,
      },
    }),
  },
  ...more,
  kubernetes: {
    pods: async () => [
      {
        ...pod,
        configMaps: [{ volume: "aws-config", name: "aws-config" }],
        containers: containers.map((one, at) => ({ ...container, name: `app-${at}`, ...one })),
      },
    ],
    configMapEntry: async (_, name, key) => (name === "aws-config" && key === "config" ? entry : {}),
    ...more.kubernetes,
  },
});

describe("the doctor's link profile", () => {
  it("walks both hops of what the pod is told, and judges what the second role may do", async () => {
    const diagnosis = await look(chained());
    expect(diagnosis.state, JSON.stringify(diagnosis.links)).to.equal("healthy");
    expect(diagnosis.links.slice(11).map(({ id }) => id)).to.deep.equal([
      ...["sts", "profile", "target-role", "may-assume", "target-trust", "target-sts", "permissions", "sdk"],
    ]);
    expect(findingOf(diagnosis, "profile")).to.deep.equal({
      state: "holds",
      evidence: [`app-0: profile chained, ${roleArn}, then ${target}`],
    });
  });

  it("cannot tell where a web identity stands beside the profile: SDKs differ in which they take", async () => {
    const both = { ...told, env: { ...told.env, ...container.env } };
    const { why } = unseenOf(await look(chained(undefined, [both])), "profile");
    expect(why).to.contain(
      "SDKs for Go and Java take that first and stay arn:aws:iam::111122223333:role/reader",
    );
  });

  it("needs credentials of the second account for what STS does not show, and for nothing else", async () => {
    const elsewhere = chained(undefined, [told], { targetIam: {} });
    expect((await look(elsewhere, { actions: [] })).state).to.equal("healthy");
    expect(unseenOf(await look(elsewhere), "permissions").takes).to.contain("222233334444: --target-profile");
  });

  it("is not asked of a pod that is told of no configuration, nor where the person says what comes next", async () => {
    expect((await look()).links.map(({ id }) => id)).not.to.include("profile");
    const asked = await look(chained(), { assumeRole: target, externalId: "x1" });
    expect(asked.state).to.equal("healthy");
    expect(asked.links.map(({ id }) => id)).not.to.include("profile");
  });

  it("names a configuration that starts at another role, looks elsewhere for the token, or has keys", async () => {
    const other = brokenOf(await look(chained({ text: text(`${roleArn}-before`) })));
    expect(other).to.include({ cause: "profile-other-role" });
    expect(other.disagreement?.found.value).to.equal(`${roleArn}-before`);
    const elsewhere = text()?.replace("/var/run/", "/elsewhere/") ?? "";
    expect(brokenOf(await look(chained({ text: elsewhere })))).to.include({ cause: "token-file" });
    const keys =
      "[profile chained]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s3cr3t";
    const found = await look(chained({ text: keys }));
    expect(brokenOf(found)).to.include({ cause: "own-keys" });
    expect(JSON.stringify(found)).not.to.match(/AKIA|s3cr3t/);
    const missing = brokenOf(await look(chained({ text: "[profile other]\nregion = x" })));
    expect(missing).to.include({ cause: "profile-missing" });
  });

  it("cannot tell of a file that is no ConfigMap's, is gone, or may not be read, and calls nothing healthy", async () => {
    const inImage = { ...told, mounts: container.mounts };
    const cases: [Change, string][] = [
      [chained(undefined, [inImage]), "is no entry of a ConfigMap"],
      [chained({}), "is gone"],
      [chained(undefined, [{ env: { ...container.env, AWS_PROFILE: "x" } }]), "lies in the image"],
      [chained({ text: "[profile chained]\nregion = x" }), "says nothing of credentials"],
      [chained({ text: "[profile chained]\ncredential_process = x" }), "credential_process"],
      [
        { ...chained(), kubernetes: { ...chained().kubernetes, configMapEntry: async () => undefined } },
        "may not be read",
      ],
    ];
    for (const [change, why] of cases) {
      // Its own role's policies are none of what acts: they must not be judged.
      const diagnosis = await look(change);
      expect(diagnosis.state, why).to.equal("unseen");
      expect(unseenOf(diagnosis, "profile").why).to.contain(why);
      expect(findingOf(diagnosis, "permissions").state, why).to.equal("unseen");
    }
  });

  it("asks for one container at a time where they do not go on to the same", async () => {
    const both = chained(undefined, [told, {}]);
    const mixed = await look(both);
    expect(unseenOf(mixed, "profile").takes).to.contain("--container NAME");
    expect((await look(both, { containers: ["app-0"] })).state).to.equal("healthy");
  });

  it("finds the entry under the path that the volume gives it", async () => {
    const change = chained();
    const [one] = (await change.kubernetes?.pods?.("team-a")) ?? [];
    const renamed = {
      ...one,
      configMaps: [{ volume: "aws-config", name: "aws-config", keys: { config: "other" } }],
    };
    const diagnosis = await look({
      ...change,
      kubernetes: {
        ...change.kubernetes,
        pods: async () => [renamed as typeof pod],
        configMapEntry: async (_, __, key) => (key === "other" ? { text: text() } : {}),
      },
    });
    expect(diagnosis.state).to.equal("healthy");
  });

  it("cannot tell of an SDK that takes the pod's token before a profile", async () => {
    const images = named("app/sdk-core-2.29.6.jar", "app/sts-2.29.6.jar");
    const diagnosis = await look(chained(undefined, [told], { images }));
    expect(unseenOf(diagnosis, "sdk").why).to.contain(`does not get to ${target}`);
    expect((await look({ images })).state).to.equal("healthy");
  });

  it("follows the agent's credentials to the next role", async () => {
    const [own] = podOfAssociation.containers;
    const change = associated(chained());
    const config = `[profile chained]\nrole_arn = ${target}\nexternal_id = x1\ncredential_source = EcsContainer`;
    const pods = change.kubernetes?.pods;
    const diagnosis = await look({
      ...change,
      kubernetes: {
        ...change.kubernetes,
        serviceAccount: async () => ({ annotations: {} }),
        configMapEntry: async () => ({ text: config }),
        pods: async (namespace) =>
          namespace === "kube-system"
            ? ((await associated().kubernetes?.pods?.(namespace)) ?? [])
            : ((await pods?.(namespace)) ?? []).map((one) => ({
                ...podOfAssociation,
                configMaps: one.configMaps,
                containers: [
                  {
                    ...container,
                    ...own,
                    env: { ...own?.env, ...env },
                    mounts: [...(own?.mounts ?? []), file],
                  },
                ],
              })),
      },
    });
    expect(diagnosis.chain).to.equal("pod-identity");
    expect(diagnosis.state, JSON.stringify(diagnosis.links)).to.equal("healthy");
    expect(JSON.stringify(findingOf(diagnosis, "profile"))).to.contain(`then ${target}`);
  });
});

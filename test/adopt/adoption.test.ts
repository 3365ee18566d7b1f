import { expect } from "chai";
import { load } from "js-yaml";
import { adoptionOf } from "../../adopt/adoption.ts";
import { reportOf } from "../../adopt/adoption-report.ts";
import type { Estate } from "../../adopt/estate.ts";
import { clusterImport, type ImportEntry, importFile } from "../../adopt/import-file.ts";
import { sameDocument } from "../../adopt/same-document.ts";
import { stackFile } from "../../adopt/stack-settings.ts";
import { podIdentityTrustPolicy, roleTrustPolicy } from "../../iam/trust-policy.ts";
import program from "../../index.ts";
import { issuer, oidcProviderArn, type Registered, setMocks, settled } from "../mocks.ts";
import { accountId, accountOf, estateOf, type Laid, layouts, region } from "./layouts.ts";

const { cdk, claims, eksctl, podIdentity, pulumiAwsIam, roleLike, terraform, terraformLike, tokenTrust } =
  layouts;

/** What the program registers, told the stack file. */
async function registeredBy(estate: Estate): Promise<Registered[]> {
  const { config } = load(stackFile(adoptionOf(estate))) as { config: Record<string, unknown> };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const { name, endpoint, certificateAuthority } = estate.cluster;
  const registered = await setMocks({
    config: raw,
    calls: {
      "aws:eks/getCluster:getCluster": () => ({
        name,
        endpoint,
        certificateAuthorities: [{ data: certificateAuthority }],
        computeConfigs: [],
        vpcConfig: { endpointPublicAccess: true },
        identities: [{ oidcs: [{ issuer: estate.cluster.issuer }] }],
      }),
      "aws:eks/getAddon:getAddon": () => ({ addonVersion: "v1" }),
      "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": () => ({ arn: oidcProviderArn }),
    },
    outputs: {
      "aws:iam/role:Role": (_, { name, path = "/" }) => ({
        name,
        arn: `arn:aws:iam::${accountId}:role${path}${name}`,
      }),
    },
  });
  await program();
  return (await settled(registered)).filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

const urnOf = ({ type, name, logicalName = name }: ImportEntry): string => `${type} ${logicalName}`;

/** The import file against what the program registers: nothing more, nothing less, each under its parent and provider. */
function expectTaken(registered: readonly Registered[], entries: readonly ImportEntry[]): void {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const parentOf = ({ parent }: ImportEntry): string =>
    parent === undefined ? "" : (urnOf(byName.get(parent) as ImportEntry).split(" ")[1] as string);
  expect(entries.map((one) => `${urnOf(one)} of ${parentOf(one)}`)).to.have.members(
    registered.map(({ type, name, parent }) => `${type} ${name} of ${parent.split("::").at(-1)}`),
  );
  expect(new Set(entries.map(({ name }) => name)).size).to.equal(entries.length);
  for (const entry of entries.filter(({ type }) => type === "aws:iam/role:Role"))
    expect(entry.inputs).to.deep.equal({ forceDetachPolicies: true });
  for (const entry of entries)
    expect(entry.component === true, entry.name).to.equal(entry.id === undefined && !entry.inputs);
}

/** What a preview would show to change: the inputs of the program against what is there. */
function changesOf(
  registered: readonly Registered[],
  { roles, serviceAccounts, associations, cluster }: Estate,
) {
  const changes: string[] = [];
  const compare = (what: string, live: unknown, wanted: unknown): void => {
    if (!sameDocument(live, wanted))
      changes.push(`${what}: ${JSON.stringify(live)} is to be ${JSON.stringify(wanted)}`);
  };
  const own = (tags: object): object =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith("aws:")));
  for (const { type, name, inputs } of registered) {
    const role = roles.find((one) => one.name === (inputs.name ?? inputs.role ?? inputs.roleName));
    switch (type) {
      case "aws:iam/role:Role": {
        const { assumeRolePolicy, tags = {}, forceDetachPolicies, ...rest } = inputs;
        expect(forceDetachPolicies, "which the import file brings").to.equal(true);
        compare(`${name} trust`, JSON.parse(role?.trustPolicy ?? ""), JSON.parse(String(assumeRolePolicy)));
        compare(`${name} tags`, own(role?.tags ?? {}), tags);
        const { path, description, maxSessionDuration, permissionsBoundary } = role ?? {};
        const live = { path, description, maxSessionDuration, permissionsBoundary };
        compare(name, live, {
          permissionsBoundary: undefined,
          path: "/",
          maxSessionDuration: 3600,
          ...rest,
          name: undefined,
        });
        break;
      }
      case "aws:iam/rolePolicy:RolePolicy": {
        const policy = roles
          .find((one) => one.name === inputs.role)
          ?.inlinePolicies.find((one) => one.name === inputs.name);
        compare(name, JSON.parse(policy?.document ?? "{}"), JSON.parse(String(inputs.policy)));
        break;
      }
      case "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive":
        compare(name, role?.attachedPolicies, inputs.policyArns);
        break;
      case "kubernetes:core/v1:ServiceAccount": {
        const { metadata, automountServiceAccountToken } = inputs as {
          metadata: { name: string; namespace: string; labels?: object; annotations?: object };
          automountServiceAccountToken?: boolean;
        };
        const live = serviceAccounts.find(
          (one) => one.name === metadata.name && one.namespace === metadata.namespace,
        );
        const { "kubectl.kubernetes.io/last-applied-configuration": applied, ...annotations } =
          live?.annotations ?? {};
        compare(`${name} labels`, live?.labels, metadata.labels ?? {});
        compare(`${name} annotations`, annotations, metadata.annotations ?? {});
        // What is there with nothing in it is not the same as what is not there, to Pulumi's Kubernetes provider.
        const there = applied !== undefined || Object.keys(annotations).length > 0;
        compare(`${name} has annotations`, there, metadata.annotations !== undefined);
        compare(`${name} automount`, live?.automountToken, automountServiceAccountToken);
        break;
      }
      case "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
        const live = associations.find((one) => one.serviceAccount === inputs.serviceAccount);
        const { targetRoleArn, disableSessionTags, policy } = live ?? {};
        compare(
          `${name}'s sessions`,
          { targetRoleArn, disableSessionTags, policy },
          {
            targetRoleArn: inputs.targetRoleArn,
            disableSessionTags: inputs.disableSessionTags,
            policy: inputs.policy,
          },
        );
        compare(name, live && { roleArn: live.roleArn, namespace: live.namespace, tags: own(live.tags) }, {
          roleArn: inputs.roleArn,
          namespace: inputs.namespace,
          tags: inputs.tags ?? {},
        });
        break;
      }
      case "pulumi:providers:kubernetes":
        expect(JSON.stringify(inputs.kubeconfig)).to.contain(cluster.endpoint);
        break;
    }
  }
  return changes;
}

const adopted = async (...laid: Laid[]) => {
  const estate = estateOf(laid);
  const adoption = adoptionOf(estate);
  const registered = await registeredBy(estate);
  expectTaken(registered, importFile(adoption).resources);
  expect(changesOf(registered, estate)).to.deep.equal([]);
  return adoption;
};

describe("adopting", () => {
  it("takes over what eksctl made, whole and without a change", async () => {
    const { described, undescribed } = await adopted(eksctl("team-a", "app"));
    expect(undescribed).to.deep.equal([]);
    expect(described[0]?.binding).to.deep.equal({
      namespace: "team-a",
      serviceAccount: "app",
      role: { name: "eksctl-dev-addon-iamserviceaccount-team-a-app-Role1-AbC" },
      description: "",
      policies: [
        "AmazonS3ReadOnlyAccess",
        {
          name: "eksctl-dev-app-Policy1",
          document: {
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::bucket/*" }],
          },
        },
      ],
      tags: {
        "alpha.eksctl.io/cluster-name": "dev",
        "alpha.eksctl.io/iamserviceaccount-name": "team-a/app",
      },
      labels: { "app.kubernetes.io/managed-by": "eksctl" },
      automountToken: "unset",
    });
  });

  it("takes over what the Terraform module made: prefix, path, boundary, session, policies with paths", async () => {
    const { described } = await adopted(terraform("team-a", "app"));
    expect(described[0]).to.include({ takesServiceAccount: true }).and.not.to.have.property("reference");
    expect(described[0]?.binding).to.deep.include({
      role: {
        name: "app-20260101000000000000000001",
        path: "/irsa/",
        permissionsBoundary: `arn:aws:iam::${accountId}:policy/boundary`,
        maxSessionDuration: 7200,
      },
      policies: [
        `arn:aws:iam::${accountId}:policy/irsa/app-20260101000000000000000002`,
        "service-role/AmazonEBSCSIDriverPolicy",
      ],
      automountToken: true,
    });
  });

  it("takes over what CDK made, and looks past what kubectl left", async () => {
    const { described } = await adopted(cdk("team-a", "app"));
    expect(described[0]?.reference).to.equal(undefined);
    expect(described[0]?.binding).not.to.have.any.keys("annotations", "tags");
  });

  it("refers to the role of @pulumi/aws-iam, which nobody can assume, and takes the ServiceAccount", async () => {
    const { described } = await adopted(pulumiAwsIam("team-a", "app"));
    expect(described[0]?.reference).to.contain("has the provider's ARN in the condition key");
    expect(described[0]?.binding).to.deep.equal({
      namespace: "team-a",
      serviceAccount: "app",
      role: { arn: `arn:aws:iam::${accountId}:role/app-a1b2c3d` },
      automountToken: "unset",
    });
  });

  it("takes associations over, with the role of every association by reference", async () => {
    const { described } = await adopted(
      podIdentity("team-a", "app"),
      podIdentity("team-b", "kubectl", {
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}\n" },
      }),
    );
    expect(described.map(({ reference }) => reference)).to.deep.equal(
      Array(2).fill(
        "its trust policy admits every Pod Identity association of the account, where a binding's names the ServiceAccount",
      ),
    );
    expect(described[0]?.binding).to.deep.include({ identity: "pod-identity", tags: { team: "a" } });
    expect(importFile(adoptionOf(estateOf([podIdentity("team-a", "app")]))).resources.at(-1)).to.include({
      id: "dev,a-app",
    });
  });

  it("takes over a role for Pod Identity that names its ServiceAccount, before that is there", async () => {
    const { role, association } = podIdentity("team-a", "app");
    const own = {
      ...role,
      trustPolicy: JSON.stringify(
        podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "app" }], { clusterNames: ["dev"] }),
      ),
      tags: { team: "a" },
    };
    const { described } = await adopted({ role: own, ...(association && { association }) });
    expect(described[0]).to.include({
      takesServiceAccount: false,
      left: "there is no such ServiceAccount yet",
    });
    expect(described[0]?.binding).to.deep.include({ roleOnly: true, tags: { team: "a" } });
  });

  it("says both where a ServiceAccount is on its way from IRSA to Pod Identity, as eksctl leaves it", async () => {
    const { role, association } = podIdentity("team-a", "app");
    const both = accountOf("team-a", "app", role.arn);
    const { described } = await adopted({ role, account: both, ...(association && { association }) });
    expect(described[0]?.binding).to.deep.include({
      identity: { mechanism: "pod-identity", migrating: true },
      role: { arn: role.arn },
    });
    const ours = roleTrustPolicy({
      subjects: [{ namespace: "team-a", serviceAccount: "app" }],
      webIdentity: { oidcProviderArns: [oidcProviderArn] },
      podIdentity: { clusterNames: ["dev"] },
    });
    const own = { ...role, trustPolicy: JSON.stringify(ours), tags: { team: "a" } };
    const whole = await adopted({ role: own, account: both, ...(association && { association }) });
    expect(whole.described[0]).to.include({ role: own, takesServiceAccount: true });
  });

  it("says what an association has of its own: a second role, no tags, a session policy", async () => {
    const { role, account, association } = podIdentity("team-a", "app");
    const policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';
    const targetRoleArn = "arn:aws:iam::444455556666:role/next";
    const more = { targetRoleArn, disableSessionTags: true, policy };
    const { described } = await adopted({
      role,
      ...(account && { account }),
      ...(association && { association: { ...association, ...more } }),
    });
    expect(described[0]?.reference).to.contain("goes on to another role");
    expect(described[0]?.binding).to.deep.include({
      targetRole: { arn: targetRoleArn },
      session: { disableTags: true, policy: JSON.parse(policy) },
    });
    const untagged = podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "app" }], {
      sessionTags: false,
    });
    const own = { ...role, trustPolicy: JSON.stringify(untagged), tags: { team: "a" } };
    const whole = await adopted({
      role: own,
      ...(account && { account }),
      ...(association && { association: { ...association, disableSessionTags: true } }),
    });
    expect(whole.described[0]).to.include({ role: own, takesServiceAccount: true });
  });

  it("describes a shared role once, with all that it names, and refers the others to it", async () => {
    const trustPolicy = tokenTrust({
      StringEquals: {
        [`${issuer}:sub`]: ["system:serviceaccount:team-b:app", "system:serviceaccount:team-a:app"],
        [`${issuer}:aud`]: ["sts.amazonaws.com"],
      },
    });
    const role = roleLike("shared", { trustPolicy });
    const { described } = await adopted(
      { role, account: accountOf("team-a", "app", role.arn) },
      { role, account: accountOf("team-b", "app", role.arn) },
    );
    expect(described[0]?.binding).to.deep.include({
      otherSubjects: [{ namespace: "team-b", serviceAccount: "app" }],
    });
    expect(described[1]?.reference).to.equal(
      "the role is shared, and the binding of team-a/app describes it",
    );
  });

  it("says patterns beside the ServiceAccount's own name", async () => {
    const trust = JSON.parse(tokenTrust({ StringEquals: claims("team-a", "app") }));
    const { [`${issuer}:sub`]: _, ...aud } = claims("", "");
    trust.Statement.push({
      ...trust.Statement[0],
      Condition: { StringEquals: aud, StringLike: { [`${issuer}:sub`]: "system:serviceaccount:team-*:ap?" } },
    });
    const role = roleLike("like", { trustPolicy: JSON.stringify(trust) });
    const { described } = await adopted({ role, account: accountOf("team-a", "app", role.arn) });
    expect(described[0]?.binding).to.deep.include({
      otherSubjects: [{ namespace: { matching: "team-*" }, serviceAccount: { matching: "ap?" } }],
    });
  });

  it("leaves what a chart, a controller or Kubernetes itself applies, and takes the role", async () => {
    const { role } = eksctl("team-a", "app");
    for (const [more, why] of [
      [{ labels: { "app.kubernetes.io/managed-by": "Helm" } }, "belongs to a Helm chart"],
      [{ annotations: { "meta.helm.sh/release-name": "api" } }, "belongs to the Helm release api"],
      [{ labels: { "argocd.argoproj.io/instance": "x" } }, "Argo CD applies the ServiceAccount"],
      [{ labels: { "kustomize.toolkit.fluxcd.io/name": "x" } }, "Flux applies the ServiceAccount"],
      [{ owners: ["Tenant a"] }, "belongs to Tenant a"],
      [{ otherMetadata: ["finalizers"] }, "has finalizers"],
      [{ annotations: { "eks.amazonaws.com/token-expiration": "10" } }, "tokenExpirationSeconds: it must be"],
      [{ annotations: { "eks.amazonaws.com/sts-regional-endpoints": "1" } }, "annotations as they are"],
      [{ annotations: { "eks.amazonaws.com/audience": "sts.amazonaws.com" } }, "annotations as they are"],
    ] as const) {
      const { described } = await adopted({ role, account: accountOf("team-a", "app", role.arn, more) });
      expect(described[0]?.left, JSON.stringify(more)).to.contain(why);
      expect(described[0]?.binding).to.include({ roleOnly: true });
    }
  });

  it("says what the webhook reads in its own keys", async () => {
    const trustPolicy = tokenTrust({
      StringEquals: { ...claims("team-a", "app"), [`${issuer}:aud`]: "vault" },
    });
    const role = roleLike("app", { trustPolicy });
    const annotations = {
      "eks.amazonaws.com/audience": "vault",
      "eks.amazonaws.com/token-expiration": "3600",
      "eks.amazonaws.com/sts-regional-endpoints": "false",
      "example.com/owner": "me",
    };
    const account = accountOf("team-a", "app", role.arn, { annotations, automountToken: false });
    const { described } = await adopted({ role, account });
    expect(described[0]?.binding).to.deep.include({
      audience: "vault",
      tokenExpirationSeconds: 3600,
      stsRegionalEndpoints: false,
      annotations: { "example.com/owner": "me" },
    });
    expect(described[0]?.binding).not.to.have.any.keys("automountToken", "roleOnly");
  });

  describe("refers to a role whose trust policy is none of a binding's", () => {
    const own = claims("team-a", "app");
    const { [`${issuer}:aud`]: aud, ...withoutAud } = own;
    const { [`${issuer}:sub`]: sub, ...withoutSub } = own;
    const statement = JSON.parse(tokenTrust({ StringEquals: own })).Statement[0];
    const trust = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
    const other = oidcProviderArn.replace(/[0-9A-F]{32}$/, "F".repeat(32));
    const cases: Record<string, [trust: string, why: string]> = {
      "aud by StringLike": [terraformLike("team-a", "app").role.trustPolicy, "compares aud by StringLike"],
      "no aud": [tokenTrust({ StringEquals: withoutAud }), "does not check aud"],
      "no sub": [tokenTrust({ StringEquals: withoutSub }), "does not check sub"],
      "a pattern only": [
        tokenTrust({
          StringEquals: withoutSub,
          StringLike: { [`${issuer}:sub`]: "system:serviceaccount:team-a:*" },
        }),
        "does not name the ServiceAccount team-a/app, which a binding's always does; it admits team-a/*",
      ],
      "another condition": [
        tokenTrust({ StringEquals: { ...own, "aws:SourceVpc": "vpc-1" } }),
        "a condition on aws:SourceVpc",
      ],
      "another operator": [
        tokenTrust({ StringEquals: own, IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }),
        "a condition IpAddress",
      ],
      "an account beside": [
        trust(statement, {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: "sts:AssumeRole",
        }),
        `admits {"AWS":"arn:aws:iam::${accountId}:root"}, which is not this cluster's alone`,
      ],
      "another cluster beside": [
        trust(statement, { ...statement, Principal: { Federated: other } }),
        "which is not this cluster's alone",
      ],
      "a Sid": [trust({ ...statement, Sid: "irsa" }), 'a statement with Sid "irsa"'],
      "a Deny": [trust(statement, { ...statement, Effect: "Deny" }), "has a Deny"],
      "another action": [
        tokenTrust({ StringEquals: own }, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]),
        "allows sts:AssumeRoleWithWebIdentity, sts:TagSession",
      ],
      "a statement a ServiceAccount": [
        trust(statement, { ...statement, Condition: { StringEquals: claims("team-a", "b") } }),
        "spreads over 2 statements what a binding's says in 1",
      ],
      "an older language": [JSON.stringify({ Statement: [statement] }), "of Version 2012-10-17"],
      "no ServiceAccount": [
        tokenTrust({
          StringLike: { [`${issuer}:sub`]: "system:serviceaccount:*" },
          StringEquals: withoutSub,
        }),
        "admits system:serviceaccount:*, which is no namespace and name",
      ],
      "a star that is none": [
        tokenTrust({ StringEquals: { ...own, [`${issuer}:sub`]: "system:serviceaccount:team-a:*" } }),
        "which Kubernetes has no name for",
      ],
      "an audience of its own": [
        tokenTrust({ StringEquals: { ...own, [`${issuer}:aud`]: "vault" } }),
        "takes tokens for vault, and the ServiceAccount's are for sts.amazonaws.com",
      ],
      "two audiences": [
        tokenTrust({ StringEquals: { ...own, [`${issuer}:aud`]: ["a", "b"] } }),
        "several audiences (a, b)",
      ],
      "Pod Identity": [
        JSON.stringify(
          podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "app" }], { clusterNames: ["dev"] }),
        ),
        "does not admit IRSA, by which the ServiceAccount comes to it",
      ],
      "Pod Identity beside": [
        trust(
          statement,
          ...podIdentityTrustPolicy([{ namespace: "team-a", serviceAccount: "app" }]).Statement,
        ),
        "admits EKS Pod Identity, by which the ServiceAccount does not come to it",
      ],
      "no statement": [JSON.stringify({ Version: "2012-10-17", Statement: [] }), "has no statement"],
    };
    for (const [name, [trustPolicy, why]] of Object.entries(cases)) {
      it(name, async () => {
        const role = roleLike("app", { trustPolicy });
        const { described, undescribed } = await adopted({
          role,
          account: accountOf("team-a", "app", role.arn),
        });
        expect(undescribed).to.deep.equal([]);
        expect(described[0]?.reference).to.contain(why);
      });
    }
  });

  it("refers to a role that the configuration does not take, and says why", async () => {
    const { role, account } = eksctl("team-a", "app", {
      inlinePolicies: [
        {
          name: "old",
          document: '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws-cn:s3:::b"}}',
        },
      ],
    });
    const { described } = await adopted({ role, ...(account && { account }) });
    expect(described[0]?.reference).to.contain("a binding cannot say it: policies[1]");
  });

  it("keeps policies apart that have one name", async () => {
    const mine = `arn:aws:iam::${accountId}:policy/AmazonS3ReadOnlyAccess`;
    const { described } = await adopted(
      eksctl("team-a", "app", {
        attachedPolicies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", mine],
      }),
    );
    expect(described[0]?.binding.policies?.slice(0, 2)).to.deep.equal([
      "AmazonS3ReadOnlyAccess",
      { name: "AmazonS3ReadOnlyAccess-2", arn: mine },
    ]);
  });

  it("refers to a role whose policies Pulumi could not tell from another's", async () => {
    const inlinePolicies = (name: string) => [
      { name, document: '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}' },
    ];
    const { described } = await adopted(
      eksctl("team-a", "app", { inlinePolicies: inlinePolicies("b-c") }),
      eksctl("team-a", "app-b", { attachedPolicies: [], inlinePolicies: inlinePolicies("c") }),
    );
    expect(described.map(({ reference }) => reference)).to.deep.equal([
      undefined,
      "Pulumi would know one of its policies as team-a.app-b-c, as it knows another's",
    ]);
  });

  it("says the quotas that the account must have", async () => {
    const attachedPolicies = Array.from(
      { length: 12 },
      (_, index) => `arn:aws:iam::${accountId}:policy/p${index}`,
    );
    const subjects = Array.from(
      { length: 45 },
      (_, index) => `system:serviceaccount:team-a:app-number-${index}`,
    );
    const { described } = await adopted(
      eksctl("team-a", "app-number-0", {
        attachedPolicies,
        trustPolicy: tokenTrust({
          StringEquals: { [`${issuer}:sub`]: subjects, [`${issuer}:aud`]: "sts.amazonaws.com" },
        }),
      }),
    );
    expect(described[0]?.binding.quotas).to.deep.equal({
      managedPoliciesPerRole: 12,
      trustPolicyCharacters: 4096,
    });
  });

  it("lists what it does not describe, and why", () => {
    const { role } = eksctl("team-a", "app");
    const foreign = role.arn.replace(accountId, "444455556666");
    const helm = { labels: { "app.kubernetes.io/managed-by": "Helm" } };
    const { association } = podIdentity("team-b", "both");
    const estate = estateOf(
      [
        { role: roleLike("unused", { trustPolicy: tokenTrust({ StringEquals: claims("a", "b") }) }) },
        { role: roleLike("none") },
      ],
      {
        serviceAccounts: [
          accountOf("team-a", "gone", role.arn),
          accountOf("team-a", "helm", foreign, helm),
          accountOf("team-a", "no-arn", "reader"),
          accountOf("team-a", "no-role", undefined),
          accountOf("team-b", "both", role.arn),
        ],
        associations: association
          ? [
              association,
              { ...association, id: "a-2", serviceAccount: "addon", ownerArn: "arn:aws:eks:::addon/x" },
            ]
          : [],
        roles: [
          roleLike("pod-both"),
          roleLike("unused", { trustPolicy: tokenTrust({ StringEquals: claims("a", "b") }) }),
          roleLike("none"),
        ],
      },
    );
    const { described, undescribed } = adoptionOf(estate);
    expect(described).to.deep.equal([]);
    const listed = undescribed.map(({ what, why }) => `${what}: ${why}`);
    expect(listed[0]).to.match(/^team-a\/gone: there is no role arn/);
    expect(listed[1]).to.match(
      /^team-a\/helm: the ServiceAccount belongs to a Helm chart; and of the role, it is in another account: there is nothing left/,
    );
    expect(listed[2]).to.equal("team-a/no-arn: its annotation holds reader, which is no role's ARN");
    expect(listed[3]).to.match(
      /^team-b\/addon: its association belongs to the add-on arn:aws:eks:::addon\/x/,
    );
    expect(listed[4]).to.match(
      /^team-b\/both: it has the annotation for .* and the Pod Identity association a-both/,
    );
    expect(listed[5]).to.equal(
      `arn:aws:iam::${accountId}:role/unused: it trusts the cluster's issuer, and no ServiceAccount that was looked at names it`,
    );
    expect(listed).to.have.length(6);
    expect(reportOf({ estate, described, undescribed })).to.contain("Not described (6):");
  });

  it("tells what it refers to and what it leaves", () => {
    const helm = { labels: { "app.kubernetes.io/managed-by": "Helm" } };
    const { role } = eksctl("team-a", "helm");
    const report = reportOf(
      adoptionOf(
        estateOf([
          terraform("team-a", "whole"),
          terraformLike("team-a", "like"),
          { role, account: accountOf("team-a", "helm", role.arn, helm) },
        ]),
      ),
    );
    expect(report).to.contain(
      "dev in eu-central-1: 3 found, 3 described; of 1 the stack takes over role and ServiceAccount.",
    );
    expect(report).to.match(
      /Role by reference only.*\(1\):\n {2}team-a\/like: arn:.*compares aud by StringLike/,
    );
    expect(report).to.match(
      /Role only.*\(1\):\n {2}team-a\/helm: the ServiceAccount belongs to a Helm chart/,
    );
  });

  it("has the stack make the OIDC provider where there is none, and says so", () => {
    const adoption = adoptionOf(estateOf([podIdentity("team-a", "app")], { oidcProviderArn: undefined }));
    expect(stackFile(adoption)).to.contain("createOidcProvider: true");
    expect(reportOf(adoption)).to.contain("has no OIDC provider of the cluster's issuer");
  });

  it("imports under the provider that the program makes, with its very configuration", async () => {
    const estate = estateOf([eksctl("team-a", "app")]);
    const [component, provider, , role] = importFile(adoptionOf(estate)).resources;
    expect(clusterImport.resources).to.deep.equal([component]);
    const registered = (await registeredBy(estate)).find(({ type }) => type === provider?.type);
    const { kubeconfig, ...settings } = provider?.inputs ?? {};
    const { plaintext } = kubeconfig as { plaintext: string };
    // Under mocks a secret's value stands as it is.
    const value = registered?.inputs.kubeconfig as { value: string };
    expect({ ...settings, kubeconfig: { ...value, value: JSON.parse(plaintext) } }).to.deep.equal(
      registered?.inputs,
    );
    expect(role).to.include({ version: "7.48.0", parent: "team-a/app" });
    expect(region).to.equal(estate.cluster.region);
  });
});

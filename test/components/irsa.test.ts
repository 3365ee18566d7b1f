import { output, type Resource } from "@pulumi/pulumi";
import { expect } from "chai";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa.ts";
import { policyWarnings, resolvePolicies } from "../../iam/policies.ts";
import { ArgumentError } from "../../iam/validation.ts";
import { issuer, known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("IrsaServiceAccount", () => {
  let registered: Registered[];
  beforeEach(async () => {
    registered = await setMocks();
  });

  const make = async (args: Partial<IrsaServiceAccountArgs> = {}) => {
    const irsa = new IrsaServiceAccount("app", {
      oidcProviderArn,
      namespace: "team-a",
      policies: [],
      ...args,
    });
    await settled(registered);
    return irsa;
  };
  const names = (type: string) => registered.filter((one) => one.type === type).map((one) => one.name);

  it("makes a role that trusts exactly this ServiceAccount of this cluster", async () => {
    await make();
    expect(JSON.parse(only(registered, "aws:iam/role:Role").inputs.assumeRolePolicy as string)).to.deep.equal(
      {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Federated: oidcProviderArn },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition: {
              StringEquals: {
                [`${issuer}:sub`]: "system:serviceaccount:team-a:app",
                [`${issuer}:aud`]: "sts.amazonaws.com",
              },
            },
          },
        ],
      },
    );
  });

  it("annotates the ServiceAccount with the role's ARN", async () => {
    const irsa = await make({ serviceAccount: "reader" });
    expect(only(registered, "kubernetes:core/v1:ServiceAccount").inputs.metadata).to.deep.equal({
      name: "reader",
      namespace: "team-a",
      annotations: { "eks.amazonaws.com/role-arn": await known(irsa.roleArn) },
    });
    expect(await known(irsa.serviceAccountName)).to.equal("reader");
  });

  it("tells in pod annotations all that a pod is admitted with, another text for each change of it", async () => {
    const list = { Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" } as const;
    const variants: Partial<IrsaServiceAccountArgs>[] = [
      {},
      { policies: ["AmazonS3ReadOnlyAccess"] },
      { policies: [{ name: "list", document: { Version: "2012-10-17", Statement: [list] } }] },
      {
        policies: [
          { name: "list", document: { Version: "2012-10-17", Statement: [{ ...list, Sid: "List" }] } },
        ],
      },
      {
        policies: [{ name: "list", document: { Statement: [list] }, attach: "managed" }],
      },
      {
        policies: [{ name: "list", document: { Statement: [{ ...list, Sid: "Own" }] }, attach: "managed" }],
      },
      { role: { permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess" } },
      { role: { arn: "arn:aws:iam::111122223333:role/other" } },
      { identity: "pod-identity", clusterName: "prod" },
      { otherSubjects: [{ namespace: "team-b", serviceAccount: "app" }] },
      { audience: "example.com" },
      { tokenExpirationSeconds: 3600 },
      { serviceAccount: "other" },
    ];
    const seen = new Set<string>();
    for (const variant of variants) {
      const annotations = async () => {
        registered = await setMocks();
        return known((await make(variant)).podAnnotations);
      };
      const first = await annotations();
      expect(await annotations(), "the same again for the same").to.deep.equal(first);
      seen.add(JSON.stringify(first));
      expect(first["eks-irsa/identity"]).to.equal(variant.identity ?? "irsa");
    }
    expect(seen.size).to.equal(variants.length);
  });

  const all = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive";

  it("attaches each policy in its own way, under a name that does not depend on its place", async () => {
    const irsa = await make({
      policies: [
        "AmazonS3ReadOnlyAccess",
        "service-role/AmazonEBSCSIDriverPolicy",
        "arn:aws:iam::111122223333:policy/team/read",
        { name: "later", arn: Promise.resolve("arn:aws:iam::111122223333:policy/later") },
        {
          name: "list",
          document: {
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "s3:ListAllMyBuckets", Resource: "*" }],
          },
        },
      ],
    });
    expect(only(registered, all).inputs).to.deep.equal({
      roleName: await known(irsa.roleName),
      policyArns: [
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
        "arn:aws:iam::111122223333:policy/team/read",
        "arn:aws:iam::111122223333:policy/later",
      ],
    });
    expect(only(registered, all).name).to.equal("app-managed-policies");
    const inline = only(registered, "aws:iam/rolePolicy:RolePolicy");
    expect(inline.name).to.equal("app-list");
    expect(inline.inputs.name).to.equal("list");
    expect(JSON.parse(inline.inputs.policy as string).Statement[0].Action).to.equal("s3:ListAllMyBuckets");
  });

  it("takes the partition of AWS-managed policies from the OIDC provider", async () => {
    await make({
      oidcProviderArn: oidcProviderArn.replace("arn:aws:", "arn:aws-cn:"),
      policies: ["AmazonS3ReadOnlyAccess"],
    });
    expect(only(registered, all).inputs.policyArns).to.deep.equal([
      "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess",
    ]);
  });

  it("has a role let go of all policies as it is deleted, before those that were made for it", async () => {
    await make({ policies: [{ name: "read", document: { Statement: statement }, attach: "managed" }] });
    const { inputs, dependencies } = only(registered, "aws:iam/role:Role");
    expect(inputs.forceDetachPolicies).to.equal(true);
    expect(dependencies.map((urn) => urn.split("::").at(-1))).to.deep.equal(["app-read"]);
  });

  it("lets what takes the pod annotations wait for all that they are about", async () => {
    const irsa = await make({
      identity: "pod-identity",
      clusterName: "prod",
      policies: ["ReadOnlyAccess", { name: "read", document: { Statement: statement } }],
    });
    const waited = await (
      irsa.podAnnotations as unknown as { allResources(): Promise<Set<Resource>> }
    ).allResources();
    const types = [...waited].map((one) => (one as unknown as { __pulumiType: string }).__pulumiType);
    expect(types).to.include.members([
      all,
      "aws:iam/rolePolicy:RolePolicy",
      "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    ]);
  });

  it("takes every managed policy from a role that is to have none", async () => {
    await make();
    expect(only(registered, all).inputs.policyArns).to.deep.equal([]);
    expect(registered.filter((one) => one.custom).map((one) => one.type)).to.have.members([
      "aws:iam/role:Role",
      all,
      "kubernetes:core/v1:ServiceAccount",
    ]);
  });

  it("is the parent of all that it makes", async () => {
    const irsa = await make({ policies: ["AmazonS3ReadOnlyAccess"] });
    const urn = await known(irsa.urn);
    expect(registered.filter((one) => one.custom).map((one) => one.parent)).to.deep.equal([urn, urn, urn]);
  });

  it("passes the tags to the role", async () => {
    await make({ tags: { environment: "prod" } });
    expect(only(registered, "aws:iam/role:Role").inputs.tags).to.deep.equal({ environment: "prod" });
  });

  it("refuses bad policies before it registers anything", async () => {
    expect(
      () =>
        new IrsaServiceAccount("app", {
          oidcProviderArn,
          namespace: "a",
          policies: ["Good", "not a policy"],
        }),
    ).to.throw(
      ArgumentError,
      /^policies\[1\] holds "not a policy"; it must be the name of an AWS managed policy/,
    );
    expect(await settled(registered)).to.deep.equal([]);
    expect(names("aws:iam/role:Role")).to.deep.equal([]);
  });

  const roleInputs = () => only(registered, "aws:iam/role:Role").inputs;
  const statements = () => JSON.parse(roleInputs().assumeRolePolicy as string).Statement;

  it("makes the role as it is told: path, description, boundary, session duration", async () => {
    const boundary = "arn:aws:iam::111122223333:policy/boundary";
    await make({
      role: {
        name: "reader",
        path: "/team-a/",
        description: "Reads",
        permissionsBoundary: boundary,
        maxSessionDuration: 7200,
      },
    });
    expect(roleInputs()).to.include({
      name: "reader",
      path: "/team-a/",
      description: "Reads",
      permissionsBoundary: boundary,
      maxSessionDuration: 7200,
    });
  });

  it("lets AWS make a long name unique, since Pulumi's own suffix would not fit", async () => {
    const name = `${"n".repeat(63)}.reader`;
    new IrsaServiceAccount(name, { oidcProviderArn, namespace: "n" });
    await settled(registered);
    expect(roleInputs().namePrefix).to.equal(`${"n".repeat(37)}-`);
    expect(roleInputs().name).to.equal(undefined);
  });

  it("uses a role that is there, takes nothing from it, and makes the ServiceAccount only", async () => {
    const arn = "arn:aws:iam::111122223333:role/team/reader";
    const irsa = await make({ role: { arn }, policies: [] });
    expect(registered.filter((one) => one.custom).map((one) => one.type)).to.deep.equal([
      "kubernetes:core/v1:ServiceAccount",
    ]);
    expect(await known(irsa.roleName)).to.equal("reader");
    const { annotations } = only(registered, "kubernetes:core/v1:ServiceAccount").inputs.metadata as {
      annotations: unknown;
    };
    expect(annotations).to.deep.equal({ "eks.amazonaws.com/role-arn": arn });
  });

  it("makes the role only, for a chart that brings its ServiceAccount", async () => {
    const irsa = await make({ roleOnly: true, serviceAccount: "chart" });
    expect(registered.filter((one) => one.custom).map((one) => one.type)).to.deep.equal([
      "aws:iam/role:Role",
      all,
    ]);
    expect(await known(irsa.serviceAccountName)).to.equal("chart");
  });

  it("adopts a ServiceAccount by a patch, which never deletes it", async () => {
    await make({ adopt: true });
    expect(names("kubernetes:core/v1:ServiceAccount")).to.deep.equal([]);
    const { inputs } = only(registered, "kubernetes:core/v1:ServiceAccountPatch");
    expect(Object.keys(inputs)).to.have.members(["apiVersion", "kind", "metadata"]);
    expect(inputs.metadata).to.deep.include({ name: "app", namespace: "team-a" });
  });

  it("admits other subjects by name with StringEquals, and by pattern with StringLike on sub alone", async () => {
    await make({
      otherSubjects: [
        { namespace: "team-b", serviceAccount: "app" },
        { namespace: { matching: "team-*" }, serviceAccount: "batch" },
      ],
    });
    const aud = { [`${issuer}:aud`]: "sts.amazonaws.com" };
    expect(statements().map((one: { Condition: unknown }) => one.Condition)).to.deep.equal([
      {
        StringEquals: {
          [`${issuer}:sub`]: ["system:serviceaccount:team-a:app", "system:serviceaccount:team-b:app"],
          ...aud,
        },
      },
      { StringEquals: aud, StringLike: { [`${issuer}:sub`]: "system:serviceaccount:team-*:batch" } },
    ]);
  });

  it("trusts several clusters, a statement each", async () => {
    const second = oidcProviderArn.replace(/[0-9A-F]{32}$/, "F".repeat(32));
    await make({ oidcProviderArn: [oidcProviderArn, second] });
    expect(
      statements().map((one: { Principal: { Federated: string } }) => one.Principal.Federated),
    ).to.deep.equal([oidcProviderArn, second]);
    expect(Object.keys(statements()[1].Condition.StringEquals)[0]).to.equal(
      `${issuer.replace(/[0-9A-F]{32}$/, "F".repeat(32))}:sub`,
    );
  });

  it("passes what the webhook reads on as annotations, and the audience into the trust policy too", async () => {
    await make({
      audience: "vault",
      labels: { team: "a" },
      annotations: { owner: "me" },
      tokenExpirationSeconds: 3600,
      stsRegionalEndpoints: false,
      automountToken: true,
    });
    const { metadata, automountServiceAccountToken } = only(registered, "kubernetes:core/v1:ServiceAccount")
      .inputs as { metadata: Record<string, Record<string, string>>; automountServiceAccountToken: boolean };
    expect(automountServiceAccountToken).to.equal(true);
    expect(metadata.labels).to.deep.equal({ team: "a" });
    expect(metadata.annotations).to.include({
      owner: "me",
      "eks.amazonaws.com/audience": "vault",
      "eks.amazonaws.com/token-expiration": "3600",
      "eks.amazonaws.com/sts-regional-endpoints": "false",
    });
    expect(statements()[0].Condition.StringEquals[`${issuer}:aud`]).to.equal("vault");
  });

  it("gives pods no token for the Kubernetes API unless asked", async () => {
    await make();
    expect(
      only(registered, "kubernetes:core/v1:ServiceAccount").inputs.automountServiceAccountToken,
    ).to.equal(false);
  });

  it("leaves it to each pod whether it gets one, and alone what others add to the ServiceAccount", async () => {
    await make({ automountToken: "unset" });
    const { inputs, ignoreChanges } = only(registered, "kubernetes:core/v1:ServiceAccount");
    expect(inputs).not.to.have.property("automountServiceAccountToken");
    expect(ignoreChanges).to.deep.equal(["secrets", "imagePullSecrets"]);
  });

  it("under Pod Identity associates, and annotates nothing", async () => {
    const irsa = await make({ identity: "pod-identity", clusterName: "dev" });
    expect(only(registered, "aws:eks/podIdentityAssociation:PodIdentityAssociation").inputs).to.include({
      clusterName: "dev",
      namespace: "team-a",
      serviceAccount: "app",
      roleArn: await known(irsa.roleArn),
    });
    const { metadata } = only(registered, "kubernetes:core/v1:ServiceAccount").inputs as {
      metadata: { annotations: unknown };
    };
    expect(metadata.annotations).to.equal(undefined);
  });

  it("keeps the names of role and ServiceAccount when the mechanism changes, so that neither is replaced", async () => {
    await make();
    const before = registered.filter((one) => one.custom).map((one) => [one.type, one.name]);
    registered = await setMocks();
    await make({ identity: "pod-identity", clusterName: "dev" });
    expect(registered.filter((one) => one.custom).map((one) => [one.type, one.name])).to.include.deep.members(
      before,
    );
  });

  const refused: [title: string, args: Partial<IrsaServiceAccountArgs>, message: RegExp][] = [
    [
      "a session of 100 s",
      { role: { maxSessionDuration: 100 } },
      /^role\.maxSessionDuration holds 100; .*3600 to 43200/,
    ],
    ["a path without slashes", { role: { path: "team" } }, /^role\.path holds "team"; it must be/],
    ["a name of 65", { role: { name: "x".repeat(65) } }, /^role\.name holds "x+"; it must be 1 to 64/],
    [
      "name and prefix",
      { role: { name: "a", namePrefix: "b" } },
      /^role\.namePrefix holds "b"; there is a name/,
    ],
    [
      "policies for a role that is there",
      { role: { arn: "arn:aws:iam::111122223333:role/r" }, policies: ["AmazonS3ReadOnlyAccess"] },
      /^policies holds \[.*\]; a role that is there already keeps its policies/,
    ],
    [
      "a role that is there, to be changed",
      { role: { arn: "arn:aws:iam::111122223333:role/r", path: "/" } as never },
      /^role\.path holds "\/"; a role that is there already stays/,
    ],
    [
      "clusters of two partitions",
      { oidcProviderArn: [oidcProviderArn, oidcProviderArn.replace("arn:aws:", "arn:aws-cn:")] },
      /^oidcProviderArn\[1\] holds "arn:aws-cn:.*; it must be of the region's partition \(arn:aws:/,
    ],
    ["roleOnly and adopt", { roleOnly: true, adopt: true }, /^adopt holds true; with roleOnly/],
    [
      "no cluster name for Pod Identity",
      { identity: "pod-identity" },
      /^clusterName is not set; EKS Pod Identity needs/,
    ],
    [
      "an annotation of IRSA's own",
      { annotations: { "eks.amazonaws.com/role-arn": "x" } },
      /^annotations\["eks\.amazonaws\.com\/role-arn"\] holds "x"; role\.arn sets it/,
    ],
    [
      "a token of a minute",
      { tokenExpirationSeconds: 60 },
      /^tokenExpirationSeconds holds 60; .*600 to 86400/,
    ],
    [
      "no OIDC provider",
      { oidcProviderArn: [] },
      /^oidcProviderArn holds \[\]; it must be the ARN of at least one/,
    ],
    [
      "a quota that IAM does not give",
      { quotas: { trustPolicyCharacters: 5000 } },
      /^quotas\.trustPolicyCharacters holds 5000; .*2048 to 4096/,
    ],
  ];
  for (const [title, args, message] of refused) {
    it(`refuses ${title} before it registers anything`, async () => {
      expect(() => new IrsaServiceAccount("app", { oidcProviderArn, namespace: "a", ...args })).to.throw(
        ArgumentError,
        message,
      );
      expect(await settled(registered)).to.deep.equal([]);
    });
  }

  const subjects = Array.from({ length: 40 }, (_, index) => ({
    namespace: "team-namespace",
    serviceAccount: `application-${index}`,
  }));
  const china = oidcProviderArn.replace("arn:aws:", "arn:aws-cn:");
  const policyArn = "arn:aws:iam::111122223333:policy/read";
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" } as const;
  const refusedByOwnKey: [title: string, args: Partial<IrsaServiceAccountArgs>, ...messages: RegExp[]][] = [
    [
      "everything that is wrong, at once",
      { role: { path: "x", maxSessionDuration: 1 }, policies: ["no such thing"], tags: { "aws:x": "y" } },
      /^policies\[0\] holds "no such thing"; /m,
      /^role\.path holds "x"; /m,
      /^role\.maxSessionDuration holds 1; /m,
      /^tags\.aws:x holds "y"; /m,
    ],
    [
      "a statement, by its path",
      { policies: [{ name: "a", document: { Statement: [statement, { ...statement, Sid: "a-b" }] } }] },
      /^policies\[0\]\.document\.Statement\[1\]\.Sid holds "a-b"; it must be letters and digits only\.$/,
    ],
    [
      "a misspelt argument",
      { serviceAcount: "x" } as never,
      /^serviceAcount holds "x"; .*do you mean serviceAccount\?$/,
    ],
    [
      "the arguments of before",
      { serviceAccountName: "x" } as never,
      /^serviceAccountName holds "x"; there is no such key/,
    ],
    [
      "ARNs of another partition than the provider's",
      {
        oidcProviderArn: china,
        policies: [policyArn, { name: "x", arn: `${policyArn}2` }, { Statement: statement }],
        role: { permissionsBoundary: policyArn },
      },
      /^policies\[0\] holds .*region's partition \(arn:aws-cn:/m,
      /^policies\[1\]\.arn holds /m,
      /^policies\[2\]\.Statement\[0\]\.Resource holds /m,
      /^role\.permissionsBoundary holds /m,
    ],
    [
      "more subjects than a trust policy holds",
      { otherSubjects: subjects },
      /^otherSubjects holds .*; the trust policy has \d+ characters; IAM takes 2048\. There is room for \d+ of its 41/,
    ],
    [
      "the same where the provider is known later",
      { otherSubjects: subjects, oidcProviderArn: output(oidcProviderArn) },
      /^otherSubjects holds .*; the trust policy has \d+ characters/,
    ],
    [
      "the same under Pod Identity",
      {
        otherSubjects: subjects,
        identity: "pod-identity",
        clusterName: "dev",
        quotas: { trustPolicyCharacters: 4096 },
      },
      /^otherSubjects holds .*; the trust policy has \d{5} characters; IAM takes 4096\. .* Make several roles, admit by pattern\.$/,
    ],
    [
      "an ARN without a name that is known later",
      { policies: [{ arn: output(policyArn) }] },
      /^policies\[0\]\.name is not set; an ARN that is known later needs one/,
    ],
    [
      "policies that are known later",
      { policies: output([]) as never },
      /^policies holds "\(known later\)"; it must be known from the start/,
    ],
    [
      "a provider's URL",
      { oidcProviderArn: `https://${issuer}` },
      /^oidcProviderArn holds "https.*; it must be the ARN of an IAM OIDC provider/,
    ],
  ];
  for (const [title, args, ...messages] of refusedByOwnKey) {
    it(`refuses ${title}, in the words of its arguments, before it registers anything`, async () => {
      let error: unknown;
      try {
        new IrsaServiceAccount("app", { oidcProviderArn, namespace: "a", ...args });
      } catch (caught) {
        error = caught;
      }
      expect(error).to.be.instanceOf(ArgumentError);
      for (const message of messages) expect((error as Error).message).to.match(message);
      expect((error as ArgumentError).faults).to.have.length(messages.length);
      expect((error as Error).message).not.to.contain("eks-irsa:");
      expect(await settled(registered)).to.deep.equal([]);
    });
  }

  it("asks for a ServiceAccount's name where its own is none", async () => {
    expect(() => new IrsaServiceAccount("my_app", { oidcProviderArn, namespace: "a" })).to.throw(
      ArgumentError,
      /^serviceAccount is not set; the component's own name, my_app, is not one/,
    );
    expect(await settled(registered)).to.deep.equal([]);
  });

  it("takes texts that are known later wherever they decide nothing", async () => {
    await make({
      oidcProviderArn: [output(oidcProviderArn)],
      namespace: Promise.resolve("team-a"),
      serviceAccount: output("reader"),
      description: output("Reads"),
      role: { permissionsBoundary: output(policyArn) },
      otherSubjects: [{ namespace: output("team-b"), serviceAccount: "x" }],
      labels: output({ team: "a" }),
      annotations: { owner: output("me") },
      tags: { team: output("a") },
    });
    expect(roleInputs()).to.deep.include({
      description: "Reads",
      permissionsBoundary: policyArn,
      tags: { team: "a" },
    });
    expect(statements()[0].Condition.StringEquals[`${issuer}:sub`]).to.deep.equal([
      "system:serviceaccount:team-a:reader",
      "system:serviceaccount:team-b:x",
    ]);
    const { metadata } = only(registered, "kubernetes:core/v1:ServiceAccount").inputs as {
      metadata: Record<string, Record<string, string>>;
    };
    expect(metadata.labels).to.deep.equal({ team: "a" });
    expect(metadata.annotations).to.include({ owner: "me" });
  });

  it("judges an ARN that is known later once it is, and makes nothing that would use it", async () => {
    const later = output("arn:aws-cn:iam::111122223333:role/r");
    const { roleArn } = await make({ role: { arn: later } });
    const error = await known(roleArn).catch((error: Error) => error.message);
    expect(error).to.contain(
      'role.arn holds "arn:aws-cn:iam::111122223333:role/r"; it must be of the region\'s partition (arn:aws:...).',
    );
    expect(registered.filter((one) => one.custom)).to.deep.equal([]);
  });

  it("makes a policy of its own of a document that is to be managed, and attaches it", async () => {
    await make({
      policies: [{ name: "read", document: JSON.stringify({ Statement: statement }), attach: "managed" }],
      tags: { team: "a" },
    });
    const policy = only(registered, "aws:iam/policy:Policy");
    expect(policy.name).to.equal("app-read");
    expect(policy.inputs.tags).to.deep.equal({ team: "a" });
    expect(policy.inputs.name).to.equal(undefined);
    expect(JSON.parse(policy.inputs.policy as string)).to.deep.equal({ Statement: [statement] });
    expect(only(registered, all).inputs.policyArns).to.deep.equal([
      "arn:aws:iam::111122223333:policy/app-read",
    ]);
    expect(names("aws:iam/rolePolicy:RolePolicy")).to.deep.equal([]);
  });

  it("lets AWS make the long name of such a policy unique", async () => {
    const name = `${"n".repeat(63)}.${"a".repeat(60)}`;
    new IrsaServiceAccount(name, {
      oidcProviderArn,
      namespace: "n",
      policies: [{ name: "read", document: { Statement: statement }, attach: "managed" }],
    });
    await settled(registered);
    expect(only(registered, "aws:iam/policy:Policy").inputs.namePrefix).to.have.length(102);
  });

  it("takes a document from a file, from the folder that the program runs in", async () => {
    await make({ policies: [{ name: "list", file: "test/policy.json" }] });
    const { policy } = only(registered, "aws:iam/rolePolicy:RolePolicy").inputs;
    expect(JSON.parse(policy as string).Statement[0].Action).to.equal("s3:ListAllMyBuckets");
  });

  it("warns of a policy that allows far more than needed, and names a narrower one", () => {
    const warnings = (...policies: Parameters<typeof resolvePolicies>[0]) =>
      policyWarnings(resolvePolicies(policies));
    expect(warnings("AmazonS3FullAccess")).to.deep.equal([
      "The policy AmazonS3FullAccess allows far more than most workloads need; consider AmazonS3ReadOnlyAccess, or an inline document for the buckets that it uses.",
    ]);
    const wide = (Action: string) => ({
      name: "wide",
      document: {
        Version: "2012-10-17" as const,
        Statement: [{ Effect: "Allow" as const, Action, Resource: "*" }],
      },
    });
    expect(warnings(wide("*"))[0]).to.contain("allows *: name the actions");
    expect(warnings(wide("s3:*"))[0]).to.contain("allows s3:*");
    expect(warnings(wide("S3:*"))[0]).to.contain("allows S3:*");
    expect(warnings(wide("*:*"))[0]).to.contain("allows *:*");
    expect(warnings(wide("s3:Get*"), "AmazonS3ReadOnlyAccess")).to.deep.equal([]);
  });

  it("warns of variables in a document without the version that knows them", () => {
    const warnings = (Version?: "2012-10-17" | "2008-10-17") =>
      policyWarnings(
        resolvePolicies([
          {
            ...(Version && { Version }),
            Statement: {
              Effect: "Allow",
              Action: "s3:GetObject",
              Resource: `arn:aws:s3:::b/\${aws:userid}/*`,
            },
          },
        ]),
      );
    expect(warnings("2012-10-17")).to.deep.equal([]);
    for (const version of [undefined, "2008-10-17"] as const) {
      expect(warnings(version)[0]).to.contain('plain text without Version: "2012-10-17"');
    }
  });
});

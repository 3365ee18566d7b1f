import { output } from "@pulumi/pulumi";
import { expect } from "chai";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa.ts";
import { ArgumentError } from "../../iam/validation.ts";
import { known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks.ts";

describe("IrsaServiceAccount under EKS Pod Identity", () => {
  let registered: Registered[];
  const associationType = "aws:eks/podIdentityAssociation:PodIdentityAssociation";
  const externalId = "eu-central-1/111122223333/dev/team-a/app";
  beforeEach(async () => {
    registered = await setMocks({ outputs: { [associationType]: () => ({ externalId }) } });
  });
  const podIdentity = {
    oidcProviderArn,
    namespace: "team-a",
    identity: "pod-identity",
    clusterName: "dev",
  } as const;
  const make = async (args: Partial<IrsaServiceAccountArgs> = {}) => {
    const irsa = new IrsaServiceAccount("app", { ...podIdentity, ...args });
    await settled(registered);
    return irsa;
  };
  const statements = () =>
    JSON.parse(only(registered, "aws:iam/role:Role").inputs.assumeRolePolicy as string).Statement;
  const associations = () =>
    registered.filter(({ type }) => type === associationType).map(({ name, inputs }) => ({ name, inputs }));
  const targetArn = "arn:aws:iam::222233334444:role/team/target";
  const readOnly = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::invoices/*" }],
  } as const;

  it("trusts the service for this ServiceAccount of this cluster, by the tags that it sets", async () => {
    await make();
    expect(statements()).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
          StringEquals: {
            "aws:RequestTag/eks-cluster-name": "dev",
            "aws:RequestTag/kubernetes-namespace": "team-a",
            "aws:RequestTag/kubernetes-service-account": "app",
          },
        },
      },
    ]);
  });

  it("trusts several clusters, and associates in the first", async () => {
    await make({ clusterName: [output("dev"), "next"] });
    expect(statements()[0].Condition.StringEquals["aws:RequestTag/eks-cluster-name"]).to.deep.equal([
      "dev",
      "next",
    ]);
    expect(associations().map(({ inputs }) => inputs.clusterName)).to.deep.equal(["dev"]);
  });

  it("associates each of the other ServiceAccounts too", async () => {
    const irsa = await make({
      otherSubjects: [
        { namespace: "team-b", serviceAccount: "app" },
        { namespace: "team-c", serviceAccount: "a.b" },
      ],
    });
    const roleArn = await known(irsa.roleArn);
    expect(
      associations().map(({ name, inputs }) => [name, inputs.namespace, inputs.serviceAccount]),
    ).to.have.deep.members([
      ["app-association", "team-a", "app"],
      ["app-association-team-b.app", "team-b", "app"],
      ["app-association-team-c.a.b", "team-c", "a.b"],
    ]);
    expect(associations().map(({ inputs }) => inputs.roleArn)).to.deep.equal([roleArn, roleArn, roleArn]);
    expect(statements()).to.have.length(3);
    expect(irsa.otherAssociations).to.have.length(2);
  });

  it("has EKS go on to a target role, lets the own role assume it, and says what its trust must hold", async () => {
    const irsa = await make({ targetRole: { arn: output(targetArn) } });
    const roleArn = await known(irsa.roleArn);
    expect(associations()[0]?.inputs.targetRoleArn).to.equal(targetArn);
    const { name, inputs } = only(registered, "aws:iam/rolePolicy:RolePolicy");
    expect(name).to.equal("app-assume-role");
    expect(JSON.parse(inputs.policy as string).Statement).to.deep.equal([
      { Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Resource: targetArn },
    ]);
    expect(
      JSON.parse(await known(irsa.targetTrustPolicy as NonNullable<typeof irsa.targetTrustPolicy>)).Statement,
    ).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:root" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
          StringEquals: {
            "aws:RequestTag/eks-cluster-name": "dev",
            "aws:RequestTag/kubernetes-namespace": "team-a",
            "aws:RequestTag/kubernetes-service-account": "app",
          },
          ArnEquals: { "aws:PrincipalArn": roleArn },
        },
      },
    ]);
  });

  it("without session tags has no condition on them, and the target is told by EKS's external id", async () => {
    const irsa = await make({ targetRole: { arn: targetArn }, session: { disableTags: true } });
    expect(statements()).to.deep.equal([
      {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
      },
    ]);
    expect(associations()[0]?.inputs.disableSessionTags).to.equal(true);
    const { inputs } = only(registered, "aws:iam/rolePolicy:RolePolicy");
    expect(JSON.parse(inputs.policy as string).Statement[0].Action).to.deep.equal(["sts:AssumeRole"]);
    const [statement] = JSON.parse(
      await known(irsa.targetTrustPolicy as NonNullable<typeof irsa.targetTrustPolicy>),
    ).Statement;
    expect(statement.Action).to.deep.equal(["sts:AssumeRole"]);
    expect(statement.Condition.StringEquals).to.deep.equal({ "sts:ExternalId": externalId });
  });

  it("narrows its sessions by a policy, which has a pod started anew", async () => {
    const irsa = await make({ session: { disableTags: true, policy: readOnly } });
    expect(JSON.parse(associations()[0]?.inputs.policy as string)).to.deep.equal(readOnly);
    const narrowed = await known(irsa.podAnnotations);
    registered = await setMocks();
    expect(await known((await make({ session: { disableTags: true } })).podAnnotations)).not.to.deep.equal(
      narrowed,
    );
  });

  it("leaves a role that is there as it is, and a target to it", async () => {
    await make({
      role: { arn: "arn:aws:iam::111122223333:role/there" },
      targetRole: { arn: targetArn },
    });
    expect(registered.filter(({ custom }) => custom).map(({ type }) => type)).to.have.members([
      "kubernetes:core/v1:ServiceAccount",
      associationType,
    ]);
  });

  const pattern = { namespace: { matching: "team-*" }, serviceAccount: "app" };
  const refused: [title: string, args: Partial<Record<keyof IrsaServiceAccountArgs, unknown>>, RegExp][] = [
    [
      "a session policy beside session tags",
      { session: { policy: readOnly } },
      /^session\.disableTags is not set; it must be true: AWS takes a session policy for sessions without tags only/,
    ],
    [
      "session tags off, and on",
      { session: { disableTags: false, policy: readOnly } },
      /^session\.disableTags holds false; it must be true: AWS takes/,
    ],
    [
      "a session policy of more than AWS takes",
      {
        session: {
          disableTags: true,
          policy: {
            Statement: { Effect: "Allow", Action: "s3:*", Resource: `arn:aws:s3:::${"b".repeat(2000)}` },
          },
        },
      },
      /^session\.policy holds .*; AWS takes 2048 characters in a session policy/,
    ],
    [
      "a session policy that IAM could not read",
      { session: { disableTags: true, policy: { Statement: { Effect: "Allow", Resource: "*" } } } },
      /^session\.policy\.Statement holds .*; it needs Action or NotAction/,
    ],
    [
      "an external id, which is EKS's to make",
      { targetRole: { arn: targetArn, externalId: "mine" } },
      /^targetRole\.externalId holds "mine"; EKS makes one for each association/,
    ],
    [
      "a target of another partition",
      { targetRole: { arn: targetArn.replace("arn:aws:", "arn:aws-cn:") } },
      /^targetRole\.arn holds .*; it must be of the region's partition/,
    ],
    [
      "a session policy for another partition",
      {
        session: {
          disableTags: true,
          policy: { Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws-cn:s3:::b/*" } },
        },
      },
      /^session\.policy\.Statement\[0\]\.Resource holds .*; it must be of the region's partition/,
    ],
    [
      "a pattern among the other ServiceAccounts, with the reason",
      { otherSubjects: [{ namespace: "team-b", serviceAccount: "app" }, pattern] },
      /^otherSubjects\[1\] holds .*; an association of EKS Pod Identity is for one ServiceAccount/,
    ],
    [
      "another ServiceAccount that is known later",
      { otherSubjects: [{ namespace: output("team-b"), serviceAccount: "app" }] },
      /^otherSubjects\[0\] holds .*; under EKS Pod Identity it gets an association, so it must be known/,
    ],
    [
      "its own ServiceAccount among the others",
      { serviceAccount: "app", otherSubjects: [{ namespace: "team-a", serviceAccount: "app" }] },
      /^otherSubjects\[0\] holds .*; it has an association already/,
    ],
    [
      "the same twice",
      {
        otherSubjects: [
          { namespace: "team-b", serviceAccount: "app" },
          { namespace: "team-b", serviceAccount: "app" },
        ],
      },
      /^otherSubjects\[1\] holds .*; it has an association already/,
    ],
    [
      "IRSA's chain",
      { chain: { role: targetArn } },
      /^chain holds .*; EKS Pod Identity assumes the second role itself: name it in targetRole/,
    ],
    [
      "a policy of its own under the name that the target's has",
      { targetRole: { arn: targetArn }, policies: [{ name: "assume-role", document: readOnly }] },
      /^policies\[0\] holds .*; the policy by which the role may assume targetRole is called assume-role already/,
    ],
    [
      "a target under IRSA",
      { identity: "irsa", targetRole: { arn: targetArn } },
      /^targetRole holds .*chain is/,
    ],
    [
      "a session policy under IRSA",
      { identity: "irsa", session: { disableTags: true, policy: readOnly } },
      /^session holds .*; only EKS Pod Identity \(identity: pod-identity\) has it/,
    ],
    [
      "no name of a cluster",
      { clusterName: [] },
      /^clusterName holds \[\]; it must be the name of at least one/,
    ],
    [
      "a mechanism that there is not",
      { identity: { mechanism: "keys" } },
      /^identity\.mechanism holds "keys"; it must be one of irsa, pod-identity/,
    ],
  ];
  for (const [title, args, message] of refused) {
    it(`refuses ${title}, before it registers anything`, async () => {
      const given = { ...podIdentity, ...args } as IrsaServiceAccountArgs;
      expect(() => new IrsaServiceAccount("app", given)).to.throw(ArgumentError, message);
      expect(await settled(registered)).to.deep.equal([]);
    });
  }
});

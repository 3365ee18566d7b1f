import { expect } from "chai";
import { IrsaServiceAccount, type IrsaServiceAccountArgs } from "../../components/irsa";
import { PolicyError } from "../../components/policies";
import { issuer, known, oidcProviderArn, only, type Registered, setMocks, settled } from "../mocks";

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
    const irsa = await make({ serviceAccountName: "reader" });
    expect(only(registered, "kubernetes:core/v1:ServiceAccount").inputs.metadata).to.deep.equal({
      name: "reader",
      namespace: "team-a",
      annotations: { "eks.amazonaws.com/role-arn": await known(irsa.roleArn) },
    });
    expect(await known(irsa.serviceAccountName)).to.equal("reader");
  });

  it("attaches each policy in its own way, under a name that does not depend on its place", async () => {
    await make({
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
    expect(
      registered
        .filter((one) => one.type === "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        .map((one) => [one.name, one.inputs.policyArn]),
    ).to.have.deep.members([
      ["app-AmazonS3ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
      [
        "app-service-role-AmazonEBSCSIDriverPolicy",
        "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
      ],
      ["app-team-read", "arn:aws:iam::111122223333:policy/team/read"],
      ["app-later", "arn:aws:iam::111122223333:policy/later"],
    ]);
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
    expect(only(registered, "aws:iam/rolePolicyAttachment:RolePolicyAttachment").inputs.policyArn).to.equal(
      "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess",
    );
  });

  it("makes nothing but the role and the ServiceAccount when there are no policies", async () => {
    await make();
    expect(registered.filter((one) => one.custom).map((one) => one.type)).to.have.members([
      "aws:iam/role:Role",
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
    ).to.throw(PolicyError, /^policies\[1\]: it must be the name of an AWS managed policy/);
    expect(await settled(registered)).to.deep.equal([]);
    expect(names("aws:iam/role:Role")).to.deep.equal([]);
  });
});

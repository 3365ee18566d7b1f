import { expect } from "chai";
import { partitionOfArn, partitionOfRegion } from "../../iam/partition.ts";
import {
  awsManagedPolicyArn,
  characters,
  listBuckets,
  PolicyError,
  type PolicyReference,
  partitionOfPolicy,
  resolvePolicies,
  resolvePolicy,
} from "../../iam/policies.ts";
import type { Statement } from "../../iam/policy-document.ts";

describe("policy references", () => {
  const statement: Statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
  const document = (...statements: object[]) =>
    ({ Version: "2012-10-17", Statement: statements }) as never as PolicyReference;

  it("resolve names, ARNs and documents under names that are plain and stable", () => {
    expect(resolvePolicy("service-role/AmazonEBSCSIDriverPolicy")).to.deep.equal({
      kind: "aws-managed",
      name: "service-role-AmazonEBSCSIDriverPolicy",
      path: "service-role/AmazonEBSCSIDriverPolicy",
    });
    const arn = "arn:aws-cn:iam::111122223333:policy/team/read";
    expect(resolvePolicy(arn)).to.deep.equal({ kind: "managed", name: "team-read", arn });
    expect(resolvePolicy(document(statement))).to.deep.include({ kind: "inline", name: "inline" });
    expect(resolvePolicy(listBuckets)).to.deep.include({ kind: "inline", name: "list-buckets" });
  });

  const refused: [what: string, reference: unknown, message: string][] = [
    ["text that is none", "no such thing", "it must be the name of an AWS managed policy"],
    ["the ARN of a role", "arn:aws:iam::111122223333:role/x", "it must be the name of an AWS managed policy"],
    ["an account of 11 digits", "arn:aws:iam::11112222333:policy/x", "it must be the name"],
    ["nothing", null, "it must be the name"],
    ["a bad name", { name: "a b", document: document(statement) }, "its name must be 1 to 128"],
    ["an old version", { Version: "2008-10-17", Statement: [statement] }, 'its Version must be "2012-10-17"'],
    ["no statements", document(), "its Statement must be a list of at least one"],
    [
      "a key of its own",
      { ...(document(statement) as object), Comment: "x" },
      'a policy document has no "Comment"',
    ],
    [
      "a Principal",
      document({ ...statement, Principal: "*" }),
      "Statement[0] has a Principal; the policies of a role have none",
    ],
    [
      "a misspelt key",
      document(statement, { ...statement, Acton: "x" }),
      'Statement[1] has "Acton"; it may have Sid, Effect',
    ],
    [
      "no effect",
      document({ Action: "s3:GetObject", Resource: "*" }),
      'Statement[0] needs Effect: "Allow" or "Deny"',
    ],
    [
      "both Action and NotAction",
      document({ ...statement, NotAction: "s3:*" }),
      "needs Action or NotAction, and not both",
    ],
    ["no resource", document({ Effect: "Allow", Action: "s3:GetObject" }), "needs Resource or NotResource"],
    [
      "an action without service",
      document({ ...statement, Action: ["s3:GetObject", "GetObject"] }),
      'has the Action "GetObject"; it must be like s3:ListAllMyBuckets',
    ],
    [
      "a bucket's name for its ARN",
      document({ ...statement, Resource: "my-bucket" }),
      'has the Resource "my-bucket"; it must be an ARN or "*"',
    ],
  ];
  for (const [what, reference, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => resolvePolicy(reference as PolicyReference)).to.throw(message);
    });
  }

  it("are ten managed ones at most, and the error says which is one too many", () => {
    const ten = Array.from({ length: 10 }, (_, index) => `Policy${index}`);
    expect(resolvePolicies(ten)).to.have.length(10);
    expect(() => resolvePolicies([...ten, "Eleventh"])).to.throw(
      PolicyError,
      "policies[10]: a role takes 10 managed policies by default, and this is number 11.",
    );
    expect(resolvePolicies([...ten, listBuckets])).to.have.length(11);
  });

  it("are 10,240 characters of inline documents at most, white space not counted", () => {
    const long = (name: string, length: number) => {
      const empty = { name, document: document({ ...statement, Sid: "" }) };
      const room = length - characters(empty.document as never);
      return { name, document: document({ ...statement, Sid: "x".repeat(room) }) } as never;
    };
    expect(resolvePolicies([long("a", 5000), long("b", 5240)])).to.have.length(2);
    expect(() => resolvePolicies([long("a", 5000), long("b", 5241)])).to.throw(
      PolicyError,
      "policies[1]: with it the role's inline policies have 10241 characters; IAM takes 10240.",
    );
  });

  it("are each there once", () => {
    expect(() => resolvePolicies(["ReadOnlyAccess", listBuckets, "ReadOnlyAccess"])).to.throw(
      "policies[2]: another policy of the role is called ReadOnlyAccess already",
    );
    expect(() => resolvePolicies([document(statement), document(statement)])).to.throw(
      "policies[1]: a role can have one bare inline document only",
    );
  });

  it("belong to a partition by their ARN; names fit each", () => {
    expect(partitionOfPolicy("arn:aws-us-gov:iam::111122223333:policy/x")).to.equal("aws-us-gov");
    expect(partitionOfPolicy("AmazonS3ReadOnlyAccess")).to.equal(undefined);
    const kmsKeys = ["arn:aws-cn:kms:cn-north-1:111122223333:key/k"];
    expect(partitionOfPolicy({ bundle: "s3-csi", buckets: ["my-bucket"], kmsKeys })).to.equal("aws-cn");
    expect(partitionOfPolicy({ bundle: "s3-csi", buckets: ["my-bucket"] })).to.equal(undefined);
    expect(awsManagedPolicyArn("aws-cn", "AmazonS3ReadOnlyAccess")).to.equal(
      "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess",
    );
  });
});

describe("partitions", () => {
  for (const [region, partition] of [
    ["eu-central-1", "aws"],
    ["us-east-1", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["us-isob-east-1", "aws-iso-b"],
    ["eusc-de-east-1", "aws-eusc"],
  ]) {
    it(`${region} is in ${partition}`, () => {
      expect(partitionOfRegion(region ?? "")).to.equal(partition);
    });
  }

  it("are the second part of every ARN, and nothing else is one", () => {
    expect(partitionOfArn("arn:aws-cn:iam::111122223333:role/x")).to.equal("aws-cn");
    expect(() => partitionOfArn("iam::111122223333:role/x")).to.throw();
  });
});

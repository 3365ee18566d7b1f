import { expect } from "chai";
import { charactersOf, checkPolicyDocument, type PolicyKind } from "../../../local/aws/policy-check.ts";
import { AwsError } from "../../../local/aws/reply.ts";
import { irsaTrust, trustPolicy } from "./tokens.ts";

describe("checkPolicyDocument", () => {
  const told = (policy: unknown, kind: PolicyKind = "permissions"): string => {
    try {
      checkPolicyDocument(typeof policy === "string" ? policy : JSON.stringify(policy), kind);
      return "taken";
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return `${error.code}: ${error.message}`;
    }
  };
  const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
  const policy = (...statements: object[]) => ({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ ...allow, ...statement })),
  });

  const refused: [what: string, policy: unknown, message: string][] = [
    ["no JSON", "{", "This policy contains invalid Json"],
    ["a list", [allow], "Syntax errors in policy."],
    ["no statement", policy(), "Syntax errors in policy. (Statement: there is none)"],
    ["another version", { ...policy({}), Version: "2012-10-18" }, "Syntax errors in policy."],
    ["an effect in lower case", policy({ Effect: "allow" }), "Syntax errors in policy."],
    ["a principal", policy({ Principal: "*" }), "Has prohibited field Principal"],
    ...["some-doc", "a b", "a_b"].map((Sid): [string, unknown, string] => [
      `the statement id ${Sid}`,
      policy({ Sid }),
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    ]),
    ["a statement id that is a number", policy({ Sid: 1 }), "Syntax errors in policy."],
    [
      "a statement id that comes twice",
      policy({ Sid: "a" }, { Sid: "b" }, { Sid: "a" }),
      "Statement IDs (SID) in a single policy must be unique.",
    ],
    ["no action", policy({ Action: [] }), "Policy statement must contain actions."],
    ["no resource", policy({ Resource: [] }), "Policy statement must contain resources."],
    [
      "an action without a service",
      policy({ Action: ["s3:*", "getobject"] }),
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ],
    ["two colons", policy({ Action: "s3:a:b" }), "Actions/Condition can contain only one colon."],
    ["a service by pattern", policy({ Action: "s*:GetObject" }), "Vendor s* is not valid"],
    [
      "a resource that is no ARN",
      policy({ Resource: "bucket" }),
      'Resource bucket must be in ARN format or "*".',
    ],
    [
      "another partition's resource",
      policy({ Resource: "arn:aws-us-gov:s3:::b" }),
      'Partition "aws-us-gov" is not valid for resource "arn:aws-us-gov:s3:::b".',
    ],
    [
      "resources of any service",
      policy({ Resource: "arn:aws:*:::b" }),
      "Resource vendor must be fully qualified and cannot contain regexes.",
    ],
    [
      "an operator that there is not",
      policy({ Condition: { StringEqual: { "aws:username": "a" } } }),
      "Syntax errors in policy. (Statement[0].Condition: StringEqual is no condition operator)",
    ],
    [
      "an operator that takes no IfExists",
      policy({ Condition: { NullIfExists: { "aws:username": "a" } } }),
      "Syntax errors in policy. (Statement[0].Condition: NullIfExists is no condition operator)",
    ],
    ["conditions as a list", policy({ Condition: [] }), "Syntax errors in policy."],
    [
      "a condition without operator",
      policy({ Condition: { "aws:username": "a" } }),
      "Syntax errors in policy.",
    ],
  ];
  for (const [what, document, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(told(document)).to.satisfy((text: string) =>
        text.startsWith(`MalformedPolicyDocument: ${message}`),
      );
    });
  }

  it("refuses characters above U+00FF, wherever they are, and takes those below", () => {
    expect(told(policy({ Resource: "arn:aws:s3:::b/–" }))).to.equal(
      "ValidationError: The specified value for policyDocument is invalid. It must contain only printable ASCII characters.",
    );
    expect(told(policy({ Resource: "arn:aws:s3:::b/ü" }))).to.equal("taken");
  });

  it("takes what IAM takes", () => {
    for (const [what, document] of Object.entries({
      "no version": { Statement: [allow] },
      "one statement that is no list": { Version: "2012-10-17", Statement: allow },
      "empty statement ids": policy({ Sid: "" }, { Sid: "" }),
      "booleans and numbers in conditions": policy({
        Condition: { Bool: { "aws:SecureTransport": true }, NumericLessThan: { "s3:max-keys": 10 } },
      }),
      "sets and IfExists": policy({
        Condition: {
          "ForAllValues:StringLikeIfExists": { "aws:TagKeys": ["a*"] },
          Null: { "aws:username": "true" },
        },
      }),
      "no conditions": policy({ Condition: {} }),
      "an ARN of any partition": policy({ Resource: ["arn:*:s3:::b", "*"] }),
      "all but": policy({
        Action: undefined,
        NotAction: "iam:*",
        Resource: undefined,
        NotResource: "arn:aws:s3:::b",
      }),
    }))
      expect(told(document), what).to.equal("taken");
  });

  describe("of a role's trust", () => {
    it("takes the one of IRSA, and refuses what a trust policy may not hold", () => {
      expect(told(irsaTrust, "trust")).to.equal("taken");
      expect(told(trustPolicy(undefined, { Resource: "*" }), "trust")).to.contain(
        "Has prohibited field Resource",
      );
      expect(told(trustPolicy(undefined, { Sid: "a-b" }), "trust")).to.contain("must be alpha-numeric");
      expect(told(trustPolicy({ StringEqual: { a: "b" } }), "trust")).to.contain("Syntax errors in policy.");
      expect(told(trustPolicy(undefined, { Action: "s3:GetObject" }), "trust")).to.equal(
        "MalformedPolicyDocument: AssumeRole policy may only specify STS AssumeRole actions.",
      );
    });
  });

  it("counts characters without white space", () => {
    expect(charactersOf('{\n  "a": "b c"\t}')).to.equal('{"a":"bc"}'.length);
  });
});

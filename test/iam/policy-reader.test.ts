import { expect } from "chai";
import { allActions, allows, conditions, matches, statementsOf } from "../../iam/policy-reader.ts";

describe("reading anybody's policies", () => {
  it("takes text or an object, one statement or several, and none of what is no policy", () => {
    const one = { Effect: "Allow", Action: "s3:*" };
    for (const document of [{ Statement: one }, { Statement: [one] }, JSON.stringify({ Statement: one })]) {
      expect(statementsOf(document)).to.deep.equal([one]);
    }
    for (const none of [undefined, null, "{", {}, "null"]) expect(statementsOf(none)).to.deep.equal([]);
  });

  it("matches as IAM does: stars over slashes and lines, one character for a question mark", () => {
    expect(matches("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b\nc")).to.equal(true);
    expect(matches("a?c", "abc")).to.equal(true);
    expect(matches("a?c", "ac")).to.equal(false);
    expect(matches("a.c", "abc")).to.equal(false);
    expect(matches("S3:*", "s3:GetObject")).to.equal(false);
    expect(matches("S3:*", "s3:GetObject", { ignoreCase: true })).to.equal(true);
  });

  it("knows whether a statement speaks of an action, by name or by all but some", () => {
    expect(allows({ Action: ["s3:Get*"] }, "S3:GetObject")).to.equal(true);
    expect(allows({ Action: ["s3:Get*"] }, "s3:PutObject")).to.equal(false);
    expect(allows({ NotAction: "iam:*" }, "s3:PutObject")).to.equal(true);
    expect(allows({ NotAction: "iam:*" }, "iam:GetRole")).to.equal(false);
    expect(allows({}, "s3:GetObject")).to.equal(false);
  });

  it("tells what is allowed wholesale, and nothing of a denial", () => {
    expect(allActions({ Effect: "Allow", Action: ["s3:*", "kms:Decrypt", "*"] })).to.deep.equal([
      "s3:*",
      "*",
    ]);
    expect(allActions({ Effect: "Allow", NotAction: ["iam:*"] })).to.deep.equal(["all but iam:*"]);
    expect(allActions({ Effect: "Deny", Action: "*" })).to.deep.equal([]);
  });

  it("has conditions line by line, in lower case, with ForAllValues kept: it lets through what has no value", () => {
    const Condition = {
      "ForAnyValue:StringLike": { "aws:TagKeys": "a" },
      "ForAllValues:StringEquals": { K: ["b", "c"] },
    };
    expect(conditions({ Condition })).to.deep.equal([
      { operator: "stringlike", key: "aws:tagkeys", values: ["a"] },
      { operator: "forallvalues:stringequals", key: "k", values: ["b", "c"] },
    ]);
  });
});

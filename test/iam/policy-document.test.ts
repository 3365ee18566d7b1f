import { expect } from "chai";
import { arnsIn, characters, policyDocument } from "../../iam/policy-document.ts";
import { check } from "../../iam/validation.ts";

describe("a policy document", () => {
  const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
  const read = (document: unknown) => check(policyDocument, document);
  const fault = (change: object): string => {
    try {
      read({ Version: "2012-10-17", Statement: [{ ...statement, ...change }] });
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("is an object or JSON text, with one statement or a list: the same comes out", () => {
    const whole = { Version: "2012-10-17", Statement: [statement] };
    for (const given of [whole, { ...whole, Statement: statement }, JSON.stringify(whole)]) {
      expect(read(given)).to.deep.equal(whole);
    }
    expect(() => read("{")).to.throw("it is no JSON");
    expect(() => read({ ...whole, Statement: [] })).to.throw("Statement holds []");
  });

  it("names actions and resources in every form that IAM takes", () => {
    for (const Action of ["*", "*:*", "S3:get*", "s3:Get?bject", ["s3:GetObject", "kms:Decrypt"]]) {
      expect(fault({ Action }), String(Action)).to.equal("");
    }
    for (const Resource of ["*", "arn:aws:s3:*", "arn:aws:s3:::b", "arn:aws:iam::111122223333:role/a"]) {
      expect(fault({ Resource }), Resource).to.equal("");
    }
    for (const Action of ["GetObject", "s3.GetObject", "s3:", ""]) {
      expect(fault({ Action }), Action).to.contain("an action such as");
    }
    for (const Resource of ["b/*", "arn:aws:s3", "arn:aws:s3:::", ""]) {
      expect(fault({ Resource }), Resource).to.contain("an ARN (");
    }
  });

  it("has an action or all but some, a resource or all but some, and never both or a principal", () => {
    expect(fault({ NotAction: "s3:*" })).to.contain("it needs Action or NotAction, and not both");
    expect(fault({ Action: undefined })).to.contain("it needs Action or NotAction, and not both");
    expect(fault({ NotResource: "*" })).to.contain("it needs Resource or NotResource, and not both");
    expect(fault({ Principal: "*" })).to.contain("the role itself is the principal");
  });

  it("has operators that IAM knows, in any case and with any prefix", () => {
    const under = (operator: string) => fault({ Condition: { [operator]: { "aws:SourceVpc": "vpc-1" } } });
    for (const one of [
      "StringEquals",
      "stringlike",
      "ForAnyValue:StringLikeIfExists",
      "Null",
      "BoolIfExists",
    ]) {
      expect(under(one), one).to.equal("");
    }
    expect(under("StringEqual")).to.contain("do you mean StringEquals?");
    expect(under("NullIfExists")).to.contain("IAM has no such operator");
  });

  it("has each Sid once", () => {
    const twice = [statement, statement].map((one) => ({ ...one, Sid: "Read" }));
    expect(() => read({ Statement: twice })).to.throw("Statement[0] has this Sid already");
  });

  it("tells where its resources stand, and its length without white space", () => {
    const { Statement } = read({
      Statement: [statement, { ...statement, Resource: ["arn:aws:s3:::c", "*"] }],
    });
    expect(arnsIn({ Statement })).to.deep.equal([
      { path: ["Statement", 0, "Resource"], arn: "arn:aws:s3:::b/*" },
      { path: ["Statement", 1, "Resource", 0], arn: "arn:aws:s3:::c" },
      { path: ["Statement", 1, "Resource", 1], arn: "*" },
    ]);
    expect(characters({ Statement: [{ Sid: "a b\tc" }] })).to.equal(
      '{"Statement":[{"Sid":"ab\\tc"}]}'.length,
    );
  });
});

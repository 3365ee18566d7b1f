import { expect } from "chai";
import fc from "fast-check";
import { type Access, accessOf, patternsMeet, within } from "../../doctor/access.ts";
import { matches } from "../../iam/policy-reader.ts";
import { allow, policy, variable } from "./captured.ts";

const deny = (Action: string, Resource = "*", more: object = {}) => ({
  Effect: "Deny",
  Action,
  Resource,
  ...more,
});
const tagged = `arn:aws:s3:::a/${variable("aws:PrincipalTag/team")}`;

describe("the doctor's judgement of permissions", () => {
  const cases: [what: string, documents: string[], access: Access["kind"], resource?: string][] = [
    ["nothing", [], "not allowed"],
    ["the action, in another case", [policy(allow("S3:getobject"))], "allowed"],
    ["a pattern", [policy(allow("s3:Get*"))], "allowed"],
    ["another action", [policy(allow("s3:PutObject"))], "not allowed"],
    ["all but another", [policy({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })], "allowed"],
    ["another resource", [policy(allow("s3:GetObject", "arn:aws:s3:::b/*"))], "not allowed"],
    ["this resource", [policy(allow("s3:GetObject", "arn:aws:s3:::a/*"))], "allowed"],
    [
      "under a condition",
      [policy(allow("s3:*", "*", { Condition: { Bool: { x: "true" } } }))],
      "conditionally",
    ],
    ["denied in another policy", [policy(allow("s3:*")), policy(deny("s3:Get*"))], "denied"],
    ["denied elsewhere", [policy(allow("s3:*"), deny("s3:*", "arn:aws:s3:::b/*"))], "allowed"],
    ["some of all", [policy(allow("s3:GetObject", "arn:aws:s3:::b/*"))], "on some resources", "*"],
    ["all but some", [policy(allow("s3:*"), deny("s3:*", "arn:aws:s3:::b/*"))], "on some resources", "*"],
    [
      "a part of a pattern",
      [policy(allow("s3:*", "arn:aws:s3:::a/x*"))],
      "on some resources",
      "arn:aws:s3:::a/*",
    ],
    ["by a variable", [policy(allow("s3:*", tagged))], "conditionally"],
    ["by a variable that cannot fit", [policy(allow("s3:*", tagged.replace("a/", "b/")))], "not allowed"],
    ["denied by a variable", [policy(allow("s3:*"), deny("s3:*", tagged))], "conditionally"],
    [
      "denied but for a variable",
      [policy(allow("s3:*"), { Effect: "Deny", Action: "s3:*", NotResource: tagged })],
      "conditionally",
    ],
    [
      "denied but for this",
      [policy(allow("s3:*"), { Effect: "Deny", Action: "s3:*", NotResource: "arn:aws:s3:::a/*" })],
      "allowed",
    ],
    ["a star that is written out", [policy(allow("s3:*", `arn:aws:s3:::a/${variable("*")}`))], "not allowed"],
  ];
  for (const [what, documents, access, resource = "arn:aws:s3:::a/key"] of cases) {
    it(`${what}: ${access}`, () => {
      expect(accessOf(documents, "s3:GetObject", resource).kind).to.equal(access);
    });
  }

  it("says on what it hangs", () => {
    expect(accessOf([policy(allow("s3:*", tagged))], "s3:GetObject", "arn:aws:s3:::a/x").on).to.deep.equal([
      tagged,
    ]);
  });

  it("takes the lesser of two", () => {
    const allowed: Access = { kind: "allowed", on: [] };
    const some: Access = { kind: "on some resources", on: ["x"] };
    expect(within(allowed, some)).to.equal(some);
    expect(within(some, allowed)).to.equal(some);
  });

  it("knows when two patterns have a text in common", () => {
    const text = fc.stringMatching(/^[ab/]{0,6}$/);
    const pattern = fc.stringMatching(/^[ab/*?]{0,6}$/);
    fc.assert(
      fc.property(pattern, pattern, text, (one, other, common) => {
        if (matches(one, common) && matches(other, common)) expect(patternsMeet(one, other)).to.equal(true);
        expect(patternsMeet(one, common)).to.equal(matches(one, common));
      }),
      { numRuns: 500 },
    );
    expect(patternsMeet("a*", "*b")).to.equal(true);
    expect(patternsMeet("a*", "b*")).to.equal(false);
  });
});

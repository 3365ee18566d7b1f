import { expect } from "chai";
import { automaticName, pathInPolicyArn, policyArn, roleSchema } from "../../iam/role.ts";
import { check, plain } from "../../iam/validation.ts";

describe("a role's rules", () => {
  const fault = (role: object): string => {
    try {
      check(roleSchema(plain), role);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("take what IAM takes, to its bounds", () => {
    for (const role of [
      {},
      { name: "x".repeat(64), path: "/", maxSessionDuration: 43_200 },
      { namePrefix: "x".repeat(38), path: `/${"p".repeat(510)}/`, maxSessionDuration: 3600 },
      {
        description: "r\u00e9my's\n".repeat(125),
        permissionsBoundary: "arn:aws:iam::aws:policy/ReadOnlyAccess",
      },
      { arn: "arn:aws-cn:iam::111122223333:role/team/reader" },
    ]) {
      expect(fault(role), JSON.stringify(role)).to.equal("");
    }
  });

  it("refuse one step beyond them, by the key", () => {
    for (const [key, value] of [
      ["name", "x".repeat(65)],
      ["name", "a b"],
      ["namePrefix", "x".repeat(39)],
      ["path", "/team"],
      ["path", `/${"p".repeat(511)}/`],
      ["description", "x".repeat(1001)],
      ["description", "\u201cquoted\u201d"],
      ["permissionsBoundary", "arn:aws:iam::111122223333:role/not-a-policy"],
      ["maxSessionDuration", 3599],
      ["maxSessionDuration", 43_201],
    ] as const) {
      expect(fault({ [key]: value }), `${key}: ${value}`).to.match(new RegExp(`^${key} holds `));
    }
  });

  it("leave a role that is there as it is, and take one name only", () => {
    expect(fault({ arn: "arn:aws:iam::111122223333:role/r", path: "/" })).to.contain("stays as it is");
    expect(fault({ name: "a", namePrefix: "b" })).to.contain("leave out one of the two");
  });

  it("know what is behind policy/ in a managed policy's ARN, and no other ARN", () => {
    expect(pathInPolicyArn("arn:aws:iam::aws:policy/service-role/X")).to.equal("service-role/X");
    expect(pathInPolicyArn("arn:aws:iam::111122223333:policy/a")).to.equal("a");
    for (const other of ["arn:aws:iam::aws:role/X", "arn:aws:iam::aws:policy/", "policy/X"]) {
      expect(pathInPolicyArn(other), other).to.equal(undefined);
      expect(policyArn.safeParse(other).success, other).to.equal(false);
    }
  });
});

describe("a role's automatic name", () => {
  it("is Pulumi's while its seven characters and a dash fit, and AWS's of a prefix beyond", () => {
    expect(automaticName("x".repeat(56))).to.deep.equal({});
    const { namePrefix = "" } = automaticName("x".repeat(57));
    expect(namePrefix).to.equal(`${"x".repeat(37)}-`);
    expect(automaticName("x".repeat(57), 128)).to.deep.equal({});
  });
});

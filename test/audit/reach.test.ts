import { expect } from "chai";
import { audit } from "../../audit/audit.ts";
import { reachReader } from "../../audit/reach.ts";
import { reachInWords } from "../../audit/summary.ts";
import { allow, cleanWorld, document, role, type World } from "./clean.ts";

describe("what a role effectively may do", () => {
  const boundary = "arn:aws:iam::111122223333:policy/boundary";
  const deny = (Action: string, more: object = {}) => ({ Effect: "Deny", Action, Resource: "*", ...more });
  /** In words, as the terminal has it. */
  const reach = (own: readonly object[], limit?: readonly object[], session?: readonly object[]): string => {
    const read = reachReader({ documents: limit ? { [boundary]: document(...limit) } : {} });
    const found = read(
      role("reader", {
        inline: [{ name: "own", document: document(...own) }],
        ...(limit && { boundaryArn: boundary }),
      }),
      session && document(...session),
    );
    return reachInWords({ arn: "", way: "irsa", ...found });
  };

  const cases: [what: string, found: string, own: object[], limit?: object[], session?: object[]][] = [
    ["its services", "s3, sqs", [allow(["s3:GetObject", "sqs:*"], "arn:aws:s3:::a/*")]],
    ["all of a service", "all of sqs", [allow("sqs:*"), allow("sqs:List*")]],
    [
      "all of a service on some resources is not all of it",
      "sqs",
      [allow("sqs:*", "arn:aws:sqs:*:*:a"), allow("sqs:List*")],
    ],
    ["everything", "everything", [allow("*")]],
    [
      "sensitive actions by name",
      "ssm; sensitive: ssm:GetParameter, ssm:GetParameters, ssm:GetParametersByPath",
      [allow("ssm:GetParameter*")],
    ],
    [
      "on some resources",
      "secretsmanager; sensitive: secretsmanager:GetSecretValue (on some resources)",
      [allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:a")],
    ],
    [
      "conditionally",
      "kms; sensitive: kms:Decrypt (conditionally)",
      [
        allow("kms:Decrypt", "*", {
          Condition: { StringEquals: { "kms:ViaService": "s3.eu-central-1.amazonaws.com" } },
        }),
      ],
    ],
    ["a Deny takes away", "sqs", [allow(["s3:GetObject", "sqs:SendMessage"]), deny("s3:*")]],
    [
      "a Deny on a condition does not",
      "s3, sqs",
      [
        allow(["s3:GetObject", "sqs:SendMessage"]),
        deny("s3:*", { Condition: { Bool: { "aws:SecureTransport": "false" } } }),
      ],
    ],
    ["a boundary narrows", "s3", [allow("*")], [allow("s3:GetObject")]],
    ["a boundary takes all", "nothing", [allow("s3:*")], [allow("sqs:*")]],
    ["a boundary that allows more gives nothing", "s3", [allow("s3:GetObject")], [allow("*")]],
    [
      "a boundary's Deny holds",
      "sqs",
      [allow(["s3:GetObject", "sqs:SendMessage"])],
      [allow("*"), deny("s3:*")],
    ],
    [
      "a boundary on other resources",
      "nothing",
      [allow("s3:GetObject", "arn:aws:s3:::a/*")],
      [allow("s3:*", "arn:aws:s3:::b/*")],
    ],
    ["patterns that meet", "sqs", [allow("sqs:Send*")], [allow("sqs:*Message")]],
    [
      "a session policy narrows further",
      "sqs",
      [allow(["s3:GetObject", "sqs:SendMessage"])],
      [allow("*")],
      [allow("sqs:*")],
    ],
    ["within a boundary an action is no longer there", "iam", [allow("iam:*")], [allow("iam:Get*")]],
    ["the case of actions does not matter", "iam; sensitive: iam:PassRole", [allow("IAM:passrole")]],
  ];
  for (const [what, found, own, limit, session] of cases) {
    it(what, () => {
      expect(reach(own, limit, session)).to.equal(found);
    });
  }

  it("is not told whole where a policy could not be read", () => {
    const arn = "arn:aws:iam::aws:policy/Unreadable";
    expect(reachReader({ documents: {} })(role("reader", { attached: [arn] })).unread).to.deep.equal([arn]);
    const world = cleanWorld();
    world.roles = world.roles.map((one) => (one.name === "reader" ? { ...one, attached: [arn] } : one));
    expect(audit(world).unseen.map(({ what }) => what)).to.deep.equal([`The policy ${arn}`]);
  });

  it("a boundary keeps what would be an administrator from being one", () => {
    const world = cleanWorld();
    const reader = world.roles.find(({ name }) => name === "reader") as World["roles"][number];
    reader.inline = [{ name: "all", document: document(allow("*")) }];
    reader.boundaryArn = boundary;
    world.documents[boundary] = document(allow("s3:GetObject"));
    expect(audit(world).findings).to.deep.equal([]);
  });
});

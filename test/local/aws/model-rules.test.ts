import { expect } from "chai";
import { modelError, violationsOf } from "../../../local/aws/model-rules.ts";
import { asModel } from "../../../local/aws/models.ts";
import { description } from "./boxes.ts";

describe("the rules of a model", () => {
  const told = (input: unknown, { service = "box", protocol = "json" } = {}): string | undefined => {
    const model = asModel({ ...description, metadata: { protocol } });
    const operation = model.operations.find(({ name }) => name === "MakeBox");
    if (operation === undefined) throw new Error("The model lacks its operation.");
    const error = modelError(service, violationsOf(model, { operation, input }));
    return error && `${error.code}: ${error.message}`;
  };
  const box = { BoxName: "oak", Tags: [{ Key: "aa" }] };
  const broken = (constraints: string[]) =>
    `ValidationException: ${constraints.length} validation error${constraints.length === 1 ? "" : "s"} detected: ${constraints.join("; ")}`;

  it("take what keeps them, and members that they do not know", () => {
    expect(told(box)).to.equal(undefined);
    const all = { Kind: "WOOD", Depth: 3, Labels: { aa: "bb" }, Sealed: true, Anything: [1, "x"], Other: 1 };
    expect(told({ ...box, ...all })).to.equal(undefined);
  });

  it("name everything that breaks them, and where", () => {
    expect(
      told({ BoxName: "O", Kind: "GLASS", Tags: [{}, { Key: "bb", Inner: [{ Key: "b!" }] }, {}] }),
    ).to.equal(
      broken([
        "Value 'O' at 'boxName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        "Value 'O' at 'boxName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
        "Value 'GLASS' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [WOOD, STEEL]",
        `Value '[{},{"Key":"bb","Inner":[{"Key":"b!"}]},{}]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2`,
        "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
        "Value 'b!' at 'tags.2.member.inner.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
        "Value null at 'tags.3.member.key' failed to satisfy constraint: Member must not be null",
      ]),
    );
  });

  it("ask for what is required, for null too", () => {
    expect(told({ ...box, BoxName: null })).to.equal(
      broken(["Value null at 'boxName' failed to satisfy constraint: Member must not be null"]),
    );
  });

  it("hold numbers to their bounds, as text of a form too, and keys and values of maps", () => {
    expect(told({ ...box, Depth: 4 })).to.contain(
      "at 'depth' failed to satisfy constraint: Member must have value less",
    );
    for (const Depth of ["0", "deep"])
      expect(told({ ...box, Depth }, { protocol: "query" })).to.contain(
        "Member must have value greater than or equal to 1",
      );
    expect(told({ ...box, Labels: { AA: "BB" } }))
      .to.contain("at 'labels.AA.key'")
      .and.contain("at 'labels.AA.member'");
  });

  it("refuse JSON of another type", () => {
    expect(told({ ...box, Kind: 1 })).to.equal("SerializationException: The value of kind is no string.");
    expect(told({ ...box, Tags: {} })).to.equal("SerializationException: The value of tags is no array.");
    expect(told(undefined)).to.equal("SerializationException: The body is no object.");
    expect(told({ ...box, Sealed: "true" }, { protocol: "query" }), "all is text there").to.equal(undefined);
  });

  it("are told in the words of the service", () => {
    const name = { ...box, BoxName: "Oak" };
    expect(told(name, { service: "sts" })).to.match(
      /^ValidationError: 1 validation error detected: Value 'Oak' at/,
    );
    expect(told(name, { service: "logs" })).to.match(
      /^InvalidParameterException: 1 validation error detected/,
    );
    expect(told(name, { service: "ecr" })).to.equal(
      "InvalidParameterException: Invalid parameter at 'boxName' failed to satisfy constraint: 'must satisfy regular expression '[a-z]+''",
    );
    expect(told({ ...box, Tags: [{ Key: "A!" }] }, { service: "ecr" })).to.equal(
      "InvalidParameterException: Invalid parameter at 'tags' failed to satisfy constraint: 'Member must satisfy constraint: [Member must satisfy regular expression pattern: [a-z]+]'",
    );
    expect(told(name, { service: "eks" })).to.equal(
      'InvalidParameterException: The parameter boxName contains invalid characters. It should conform to the regular expression "[a-z]+"',
    );
    expect(told({ Tags: [] }, { service: "ec2" })).to.equal(
      "MissingParameter: The request must contain the parameter boxName",
    );
    expect(told({ ...box, Kind: "GLASS" }, { service: "ec2" })).to.equal(
      "InvalidParameterValue: Value (GLASS) for parameter kind is invalid. It must satisfy enum value set: [WOOD, STEEL].",
    );
  });

  it("are told as IAM does, who says what a name may hold instead of its pattern", () => {
    const model = asModel({
      metadata: { protocol: "query" },
      operations: { CreateRole: { http: { method: "POST", requestUri: "/" }, input: { shape: "Role" } } },
      shapes: {
        Role: { type: "structure", members: { RoleName: { shape: "Name" }, Path: { shape: "Path" } } },
        Name: { type: "string", max: 64, pattern: "[\\w+=,.@-]+" },
        Path: { type: "string", pattern: "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" },
      },
    });
    const [operation] = model.operations;
    if (operation === undefined) throw new Error("The model lacks its operation.");
    const iam = (input: object) => modelError("iam", violationsOf(model, { operation, input }))?.message;
    expect(iam({ RoleName: "app", Path: "/team/" })).to.equal(undefined);
    expect(iam({ RoleName: "a b" })).to.equal(
      "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
    );
    expect(iam({ Path: "team" })).to.equal(
      "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    );
    expect(iam({ RoleName: "x".repeat(65) })).to.equal(
      `1 validation error detected: Value '${"x".repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    );
  });
});

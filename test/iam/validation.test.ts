import { expect } from "chai";
import * as z from "zod";
import {
  ArgumentError,
  anyOf,
  check,
  flag,
  integer,
  keyOf,
  known,
  list,
  map,
  nearest,
  object,
  text,
} from "../../iam/validation.ts";

describe("the dialect of validation", () => {
  /** What `check` says is wrong, a line each; nothing when it takes the value. */
  const refusal = (schema: z.ZodType, value: unknown): string[] => {
    try {
      check(schema, value);
      return [];
    } catch (error) {
      expect(error).to.be.instanceOf(ArgumentError);
      return (error as Error).message.split("\n");
    }
  };

  it("says of each value what it holds and what it may hold, all at once", () => {
    const schema = object({ count: integer(1, 3), on: flag(), name: text("text") });
    expect(refusal(schema, { count: 4, on: "yes" })).to.deep.equal([
      "count holds 4; it must be a whole number from 1 to 3.",
      'on holds "yes"; it must be true or false.',
      "name is not set; it must be text.",
    ]);
    expect(refusal(schema, [])).to.deep.equal(["holds []; it must be a map of count, on, name."]);
  });

  it("tells of unknown keys which there are, and which is near", () => {
    const schema = object({ policies: flag().optional(), role: flag().optional() }, { arn: "say role.arn" });
    expect(refusal(schema, { polices: 1, colour: 2, arn: 3 })).to.deep.equal([
      "polices holds 1; there is no such key; there are policies, role; do you mean policies?",
      "colour holds 2; there is no such key; there are policies, role.",
      "arn holds 3; say role.arn.",
    ]);
    expect(refusal(schema, JSON.parse('{"__proto__": 1}'))).to.have.length(1);
  });

  it("knows what is near, and what is not", () => {
    expect(nearest("StringEqual", ["StringLike", "StringEquals"])).to.equal("StringEquals");
    expect(nearest("tag", ["tags", "role"])).to.equal("tags");
    expect(nearest("nothing", ["tags", "role", "build"])).to.equal(undefined);
  });

  it("judges what fits no form by the one that comes nearest", () => {
    const forms = anyOf(
      [
        object({ name: text("text"), existing: z.literal(true, "it must be true") }),
        object({ stack: text("text") }),
        object({
          name: text("text").optional(),
          existing: z.literal(false, "it must be false").optional(),
          count: integer(0, 9).optional(),
        }),
        z.string().refine((value) => value.startsWith("x"), "it must start with x"),
      ],
      "a form",
    );
    for (const [value, ...lines] of [
      [{ existing: true }, "name is not set; it must be text."],
      [{ stack: 5 }, "stack holds 5; it must be text."],
      [{ count: 10 }, "count holds 10; it must be a whole number from 0 to 9."],
      ["y", 'holds "y"; it must start with x.'],
      [5, "holds 5; it must be a form."],
    ] as const) {
      expect(refusal(forms, value), JSON.stringify(value)).to.deep.equal(lines);
    }
  });

  it("tells of the value as it was given, and not as it was read", () => {
    const schema = object({
      size: object({ min: integer(0, 9).default(1), max: integer(0, 9).optional() })
        .transform(({ min, max = 0 }) => ({ min, max }))
        .refine(({ min, max }) => min <= max, { path: ["max"], error: "it must be at least min" }),
    });
    expect(refusal(schema, { size: {} })).to.deep.equal(["size.max is not set; it must be at least min."]);
  });

  it("knows what comes later from what is there, and shows neither promise nor output", () => {
    const later = { apply: () => {}, secret: "x" };
    for (const value of [later, Promise.resolve(1)]) {
      expect(refusal(object({ a: known(flag()) }), { a: value })).to.deep.equal([
        'a holds "(known later)"; it must be known from the start: it decides which resources there are.',
      ]);
      expect(refusal(object({ a: flag() }), { a: { b: value } })[0]).to.contain('{"b":"(known later)"}');
    }
    expect(refusal(object({ a: known(flag()) }), { a: true })).to.deep.equal([]);
  });

  it("asks lists for something, and maps for keys", () => {
    expect(refusal(object({ a: list(text("text"), "a list", { max: 2 }) }), { a: [] })[0]).to.contain(
      "a list.",
    );
    expect(
      refusal(object({ a: list(text("text"), "a list", { max: 2 }) }), { a: ["x", "y", "z"] })[0],
    ).to.contain("a list, at most 2.");
    const names = map(text("text"), "a map", "a letter", (key) => /^[a-z]$/.test(key));
    expect(refusal(object({ a: names }), { a: { b: "x", "c.d": "y" } })).to.deep.equal([
      'a["c.d"] holds "y"; its key must be a letter.',
    ]);
  });

  it("writes paths as Pulumi does", () => {
    expect(keyOf(["policies", 0, "document", "Statement", 1])).to.equal("policies[0].document.Statement[1]");
    expect(keyOf(["annotations", "example.com/team"])).to.equal('annotations["example.com/team"]');
    expect(keyOf(["tags", "aws:x"])).to.equal("tags.aws:x");
  });
});

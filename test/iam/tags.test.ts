import { expect } from "chai";
import { tagsFault, tagsSchema } from "../../iam/tags.ts";
import { plain } from "../../iam/validation.ts";

describe("tags", () => {
  const takes = (tags: unknown) => tagsSchema(plain).safeParse(tags).success;

  it("are of letters, digits, spaces and a few marks, and not of AWS", () => {
    expect(takes({ "team of r\u00e9my": "a/b = c+d@e:_.-" })).to.equal(true);
    for (const tags of [
      { "": "a" },
      { "aws:x": "a" },
      { "AWS:x": "a" },
      { a: "aws:x" },
      { a: "<" },
      { a: 1 },
      [],
    ]) {
      expect(takes(tags), JSON.stringify(tags)).to.equal(false);
    }
    expect(takes({ ["k".repeat(128)]: "v".repeat(256) })).to.equal(true);
    expect(takes({ ["k".repeat(129)]: "" })).to.equal(false);
    expect(takes({ a: "v".repeat(257) })).to.equal(false);
  });

  it("are 50 at most, whose keys differ in more than their case", () => {
    const some = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, ""]));
    expect(tagsFault(some(50))).to.equal(undefined);
    expect(tagsFault(some(51))?.problem).to.equal("a resource takes 50 tags, and these are 51");
    expect(tagsFault({ team: "a", Team: "a" })).to.deep.include({ key: "Team" });
  });
});

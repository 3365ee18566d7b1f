import { expect } from "chai";
import { jsonReply } from "../../../local/aws/reply.ts";
import { defined, edit, merge, parseObject } from "../../../local/eks/json.ts";

describe("EKS's JSON", () => {
  it("is merged member by member, lists as a whole", () => {
    expect(merge({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, d: { e: 1 } })).to.deep.equal({
      a: { b: 1, c: [3] },
      d: { e: 1 },
    });
  });

  it("is an object, or none", () => {
    expect(parseObject('{"a":1}')).to.deep.equal({ a: 1 });
    for (const text of ["", "{", "[1]", "null", "1"]) expect(parseObject(text), text).to.deep.equal({});
    expect(defined({ a: undefined, b: null, c: 0 })).to.deep.equal({ b: null, c: 0 });
  });

  it("is edited in an answer that has it, and is no error", async () => {
    const change = () => ({ name: "b" });
    const reply = jsonReply({ cluster: { name: "a" }, other: 1 });
    expect(JSON.parse((await edit(reply, "cluster", change)).body)).to.deep.equal({
      cluster: { name: "b" },
      other: 1,
    });
    for (const other of [
      jsonReply({ cluster: { name: "a" } }, 404),
      jsonReply({ cluster: "a" }),
      jsonReply({}),
    ])
      expect(await edit(other, "cluster", change)).to.equal(other);
  });
});

import { expect } from "chai";
import {
  containsUnknown,
  fromStruct,
  isAbsent,
  secret,
  toStruct,
  unknown,
} from "../../../../local/pulumi/provider-host/properties.ts";

describe("properties", () => {
  it("go over the wire and come back, without what is undefined, dates as text", () => {
    const given = { a: [1, "two", null, { b: true }], gone: undefined, at: new Date(0) };
    expect(fromStruct(toStruct(given))).to.deep.equal({
      a: [1, "two", null, { b: true }],
      at: "1970-01-01T00:00:00.000Z",
    });
    expect(fromStruct(undefined)).to.deep.equal({});
  });

  it("come without the marks of secrets, however deep", () => {
    const marked = { password: secret("hush"), list: [secret({ inner: secret(1) })] };
    expect(fromStruct(toStruct(marked))).to.deep.equal({ password: "hush", list: [{ inner: 1 }] });
  });

  it("know whether something in them is unknown", () => {
    expect(containsUnknown({ a: [{ b: unknown }] })).to.equal(true);
    expect(containsUnknown({ a: [{ b: "known" }] })).to.equal(false);
  });

  it("count as absent when empty, and not when false or 0", () => {
    for (const empty of [undefined, null, "", [], {}]) expect(isAbsent(empty)).to.equal(true);
    for (const value of [false, 0, "a", [0], { a: 0 }]) expect(isAbsent(value)).to.equal(false);
  });
});

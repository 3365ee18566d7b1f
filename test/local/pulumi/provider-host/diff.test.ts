import { expect } from "chai";
import {
  asJson,
  deepEqual,
  differences,
  formatPath,
  liveInputs,
  type Property,
  sameJson,
  sameSet,
  sameValue,
} from "../../../../local/pulumi/provider-host/diff.ts";

describe("comparing properties", () => {
  it("does not tell absent from empty, but tells false and 0 from absent", () => {
    expect(deepEqual({ a: {}, b: [], c: "", d: null }, {})).to.equal(true);
    expect(deepEqual({ a: false }, {})).to.equal(false);
    expect(deepEqual({ a: 0 }, {})).to.equal(false);
    expect(deepEqual([1, 2], [2, 1])).to.equal(false);
  });

  it("takes lists as sets where their order has no meaning", () => {
    expect(sameSet(["b", "a"], ["a", "b"])).to.equal(true);
    expect(sameSet(["a"], ["a", "a"])).to.equal(false);
    expect(sameSet(undefined, [])).to.equal(true);
  });

  it("takes JSON as what it says, and text that is none as text", () => {
    expect(sameJson('{"a":1,"b":2}', '{ "b": 2, "a": 1 }')).to.equal(true);
    expect(sameJson('{"a":1}', { a: 2 })).to.equal(false);
    expect(asJson("{no")).to.equal("{no");
  });

  it("takes a default for what is not given", () => {
    expect(sameValue({ default: "brown" }, undefined, "brown")).to.equal(true);
    expect(sameValue({ default: "brown" }, undefined, "red")).to.equal(false);
    expect(sameValue({ equal: () => true }, "red", "blue")).to.equal(true);
  });

  it("writes paths as the engine reads them", () => {
    expect(formatPath(["spec", "containers", 0, "image"])).to.equal("spec.containers[0].image");
    expect(formatPath(["metadata", "annotations", "eks.amazonaws.com/role-arn"])).to.equal(
      'metadata.annotations["eks.amazonaws.com/role-arn"]',
    );
  });
});

describe("differences", () => {
  const properties: Record<string, Property> = {
    name: { replace: true },
    network: { members: { cidrs: { equal: sameSet }, zone: { replace: true } } },
  };
  const found = (olds: Record<string, unknown>, news: Record<string, unknown>) =>
    differences(olds, news, properties).map(
      ({ path, kind, replace }) => `${kind} ${formatPath(path)}${replace ? " (replaces)" : ""}`,
    );

  it("go as deep as the values do, and replace from a member on", () => {
    expect(found({ list: [1, { a: 1 }] }, { list: [1, { a: 2 }, 3] })).to.deep.equal([
      "update list[1].a",
      "add list[2]",
    ]);
    expect(found({ network: { zone: "a" } }, { network: { zone: "b" } })).to.deep.equal([
      "update network.zone (replaces)",
    ]);
    expect(found({ name: "a", size: 1 }, { size: 1 })).to.deep.equal(["delete name (replaces)"]);
  });

  it("of a value with an equality of its own are one, as a whole", () => {
    expect(found({ network: { cidrs: ["a", "b"] } }, { network: { cidrs: ["b", "a"] } })).to.deep.equal([]);
    expect(found({ network: { cidrs: ["a", "b"] } }, { network: { cidrs: ["c"] } })).to.deep.equal([
      "update network.cidrs",
    ]);
  });

  it("do not count what begins with two underscores: it is the host's own", () => {
    expect(found({ __defaults: ["name"] }, { __defaults: [] })).to.deep.equal([]);
  });
});

describe("inputs that lead to a live state", () => {
  const properties: Record<string, Property> = {
    colour: { default: "brown" },
    lid: { members: { open: {}, hinge: {} } },
    token: {},
  };
  const inputs = (old: object, state: object, live: object) =>
    liveInputs(properties, old as never, state as never, live as never);

  it("keep what cannot be read back, and what means the same as it was written", () => {
    const old = { token: "hush", colour: "brown", __defaults: [] };
    expect(inputs(old, old, { colour: undefined })).to.deep.equal(old);
  });

  it("take what differs, also inside, and what was set though never given", () => {
    const old = { lid: { open: true } };
    expect(
      inputs(old, { lid: { open: true, hinge: "steel" } }, { lid: { open: false, hinge: "steel" } }),
    ).to.deep.equal({ lid: { open: false } });
    expect(inputs({}, { colour: "brown" }, { colour: "red" })).to.deep.equal({ colour: "red" });
  });

  it("leave out what the service fills in and nobody changed", () => {
    expect(inputs({}, { colour: "beige" }, { colour: "beige" })).to.deep.equal({});
  });
});

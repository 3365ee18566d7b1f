import { expect } from "chai";
import {
  type AutoNaming,
  autoName,
  wasDefaulted,
  withAutoNames,
} from "../../../../local/pulumi/provider-host/autoname.ts";

const request = (logicalName: string, autoNaming?: AutoNaming) => ({
  logicalName,
  seed: Buffer.from("seed"),
  autoNaming,
});

describe("an automatic name", () => {
  it("is the logical name and seven digits, the same for the same seed, cut to what the service takes", () => {
    expect(autoName(request("box"), { maxLength: 20 })).to.match(/^box-[0-9a-f]{7}$/);
    expect(autoName(request("box"), { maxLength: 20 })).to.equal(autoName(request("box"), { maxLength: 20 }));
    const cut = autoName(request("a-name-that-is-far-too-long"), { maxLength: 20 });
    expect(cut)
      .to.match(/^a-name-that--[0-9a-f]{7}$/)
      .and.to.have.lengthOf(20);
    expect(autoName(request("Box"), { maxLength: 20, lowerCase: true })).to.match(/^box-/);
  });

  it("without a seed is another each time", () => {
    const anew = () => autoName({ logicalName: "box", seed: new Uint8Array() }, { maxLength: 20 });
    expect(anew()).not.to.equal(anew());
  });

  it("begins with the prefix, if there is one, and ends with the digits that its type adds", () => {
    expect(autoName(request("box"), { maxLength: 64, prefix: "mine-" })).to.match(/^mine-[0-9a-f]{7}$/);
    expect(autoName(request("box"), { maxLength: 64, prefix: "mine-", afterPrefix: 26 })).to.match(
      /^mine-[0-9a-f]{26}$/,
    );
    expect(() => autoName(request("box"), { maxLength: 30, prefix: "mine-", afterPrefix: 26 })).to.throw(
      'the prefix "mine-" has 5 characters, at most 4',
    );
  });

  it("is what the stack's settings propose, enforce or forbid", () => {
    const named = (mode: AutoNaming["mode"], lowerCase = false) =>
      autoName(request("box", { proposedName: "Proposed", mode }), { maxLength: 20, lowerCase });
    expect(named("propose")).to.equal("Proposed");
    expect(named("propose", true)).to.equal("proposed");
    expect(named("enforce", true)).to.equal("Proposed");
    expect(() => named("disable")).to.throw(
      "automatic naming is disabled for this resource, so it needs a name",
    );
  });
});

describe("the names of a resource", () => {
  const properties = { name: { autoName: { maxLength: 64 } }, size: {} };
  const named = (olds: object, news: object, logicalName = "box") =>
    withAutoNames(properties, olds as never, news as never, request(logicalName));

  it("are the person's, or made and remembered as made", () => {
    expect(named({}, { name: "mine" })).to.deep.equal({ name: "mine", __defaults: [] });
    const made = named({}, { size: 1 });
    expect(made.name).to.match(/^box-/);
    expect(wasDefaulted(made, "name")).to.equal(true);
    expect(wasDefaulted(named({}, { name: "mine" }), "name")).to.equal(false);
  });

  it("stay while the prefix does", () => {
    const olds = named({}, { namePrefix: "a-" });
    expect(olds.name).to.match(/^a-/);
    expect(named(olds, { namePrefix: "a-", size: 2 }, "other").name).to.equal(olds.name);
    expect(named(olds, { namePrefix: "b-" }).name).to.match(/^b-/);
  });
});

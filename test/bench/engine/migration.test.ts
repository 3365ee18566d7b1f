import { expect } from "chai";
import { checkStep, type Step } from "../../../bench/engine/migration.ts";

describe("the migration, measured", () => {
  const step: Step = {
    name: "from 3 to 4",
    identity: "pod-identity",
    does: ["update Role", "update Account"],
  };
  const check = (done: Readonly<Record<string, number>>) => () => checkStep(step, 10, done);

  it("counts a step that did to each binding what it says", () => {
    expect(check({ "update Account": 10, "update Role": 10 })).not.to.throw();
  });

  for (const [name, done, did] of [
    ["nothing", {}, "nothing"],
    ["less", { "update Role": 10, "update Account": 9 }, "update Role 10 times, update Account 9 times"],
    [
      "something else",
      { "replace Role": 10, "update Account": 10 },
      "replace Role 10 times, update Account 10 times",
    ],
    [
      "more",
      { "update Role": 10, "update Account": 10, "delete Role": 1 },
      "update Role 10 times, update Account 10 times, delete Role 1 times",
    ],
  ] as const) {
    it(`refuses one that did ${name}`, () => {
      expect(check(done)).to.throw(
        `The step from 3 to 4 of 10 bindings is to update Role and update Account of each, and nothing else. It did: ${did}.`,
      );
    });
  }
});

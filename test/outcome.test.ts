import { expect } from "chai";
import { closing, countLine, nothing, type Outcome, readClosing, sum } from "./outcome.ts";

describe("the outcome of tests", () => {
  const outcome: Outcome = { passed: 3, skipped: 1, failures: ["first: not\n  so", "second"] };

  it("is closed with its failures, a line each, and its counts, which can be read again", () => {
    expect(closing(outcome)).to.equal("✖ first: not so\n✖ second\n3 passed, 2 failed, 1 skipped");
    expect(readClosing(`5 passed, 0 failed\nmore\n${closing(outcome)}\n`)).to.deep.equal({
      ...outcome,
      failures: ["first: not so", "second"],
    });
  });

  it("says nothing of skipped tests where there are none", () => {
    expect(countLine({ ...nothing, passed: 3 })).to.equal("3 passed, 0 failed");
  });

  it("is none where nothing was counted, and fails as often as it says, named or not", () => {
    expect(readClosing("it fell over")).to.equal(undefined);
    expect(readClosing("✖ elsewhere\n\n1 passed, 2 failed")?.failures).to.have.length(2);
  });

  it("adds up", () => {
    expect(sum(outcome, { passed: 1, skipped: 0, failures: ["third"] })).to.deep.equal({
      passed: 4,
      skipped: 1,
      failures: ["first: not\n  so", "second", "third"],
    });
  });
});

import { expect } from "chai";
import { type Figure, wholeRun } from "../../bench/benchmark.ts";
import { pageTables } from "../../bench/results.ts";

describe("the figures on a page", () => {
  const figure = (
    name: string,
    subjects: Readonly<Record<string, number[]>>,
    goals: Figure["goals"] = [],
  ): Figure => ({
    name,
    unit: "s",
    series: Object.entries(subjects).map(([subject, samples]) => ({ subject, samples })),
    goals,
  });

  it("are a row each, with medians, ratios and what was asked of them; of other subjects, another table", () => {
    const goals = [{ subject: "ours", against: "raw", atMost: 1.1 }];
    const [first, second, ...more] = pageTables([
      figure("up", { ours: [1, 3, 2], raw: [2, 2, 2] }, goals),
      figure("preview", { ours: [4], raw: [2] }, goals),
      figure("memory", { ours: [4], bare: [2] }, [{ subject: "ours", against: "bare" }]),
    ]);
    expect(more).to.deep.equal([]);
    expect(first?.split("\n").slice(2)).to.deep.equal([
      "| up | 2 s | 2 s | × 1.00 ✔ at most 1.1 |",
      "| preview | 4 s | 2 s | × 2.00 ✖ at most 1.1 |",
    ]);
    expect(second).to.equal(
      "|  | ours | bare | / bare |\n| --- | --- | --- | --- |\n| memory | 4 s | 2 s | × 2.00 |",
    );
  });

  it("are shares where they are steps of a run", () => {
    const [table] = pageTables([
      figure("from stopped", { boot: [1], [wholeRun]: [4] }, [{ subject: "boot", against: wholeRun }]),
    ]);
    expect(table?.split("\n")).to.deep.equal([
      "| from stopped | time | share |",
      "| --- | --- | --- |",
      "| boot | 1 s | 25 % |",
      "| the whole run | 4 s |  |",
    ]);
  });
});

import { expect } from "chai";
import { doubled, type Figure, growthOf, inTurns, spread, verdicts } from "../../bench/benchmark.ts";

describe("a benchmark", () => {
  it("measures every subject once a round, each round beginning with another one, after one that warms up", async () => {
    const order: string[] = [];
    const subject = (name: string, value: number) => async (round: number) => {
      order.push(`${name}${round}`);
      return { seconds: value + round, bytes: value };
    };
    const figures = await inTurns(2, { a: subject("a", 10), b: subject("b", 20) });
    expect(order).to.deep.equal(["a-1", "b-1", "a0", "b0", "b1", "a1"]);
    expect(figures).to.deep.equal({
      seconds: [
        { subject: "a", samples: [10, 11] },
        { subject: "b", samples: [20, 21] },
      ],
      bytes: [
        { subject: "a", samples: [10, 10] },
        { subject: "b", samples: [20, 20] },
      ],
    });
  });

  it("measures a single round without one before it: nothing is quoted of that", async () => {
    const order: number[] = [];
    const figures = await inTurns(1, { a: async (round) => ({ seconds: order.push(round) }) });
    expect(order).to.deep.equal([0]);
    expect(figures.seconds).to.deep.equal([{ subject: "a", samples: [1] }]);
  });

  it("quotes the median, between two where they are even", () => {
    expect(spread([3, 1, 2])).to.deep.equal({ median: 2, min: 1, max: 3 });
    expect(spread([4, 1, 2, 3])).to.deep.equal({ median: 2.5, min: 1, max: 4 });
    expect(() => spread([])).to.throw("There is no median of nothing.");
  });

  it("tells what one more takes, where there are many and where there are few", () => {
    const seconds = new Map([
      [10, [1]],
      [100, [10]],
      [1000, [190]],
    ]);
    const growth = growthOf("each more", seconds, [10, 100, 1000]);
    expect(growth.series).to.deep.equal([
      { subject: "from 10 to 100", samples: [0.1] },
      { subject: "from 100 to 1,000", samples: [0.2] },
    ]);
    expect(verdicts(growth)[0]).to.include({ met: false }).and.have.nested.property("ratio.median", 2);
  });

  it("gives twice as many twice as long", () => {
    const of = (...more: number[]): Figure => {
      const seconds = new Map([
        [100, [1, 2, 3]],
        [200, more],
      ]);
      return doubled("audit", "bindings", seconds, [100, 200]);
    };
    expect(of(2, 4, 9).series).to.deep.equal([
      { subject: "200 bindings", samples: [2, 4, 9] },
      { subject: "100 bindings", samples: [1, 2, 3] },
    ]);
    expect(verdicts(of(2, 4, 9))[0])
      .to.include({ met: true })
      .and.have.nested.property("ratio.median", 2);
    expect(verdicts(of(2, 5, 9))[0]?.met).to.equal(false);
  });

  describe("judges a goal", () => {
    const figure = (atMost?: number): Figure => ({
      name: "preview",
      unit: "s",
      series: [
        { subject: "ours", samples: [2, 9, 12] },
        { subject: "raw", samples: [2, 3, 10] },
      ],
      goals: [{ subject: "ours", against: "raw", ...(atMost === undefined ? {} : { atMost }) }],
    });

    it("by the median of the ratios, round by round", () => {
      // The medians' own ratio is 3.
      expect(verdicts(figure(1.2))).to.deep.equal([
        { subject: "ours", against: "raw", atMost: 1.2, ratio: { median: 1.2, min: 1, max: 3 }, met: true },
      ]);
      expect(verdicts(figure(1.1))[0]?.met).to.equal(false);
    });

    it("and nothing where nothing is asked", () => {
      expect(verdicts(figure())[0]?.met).to.equal(undefined);
    });

    it("never without its subject", () => {
      const goals = [{ subject: "ours", against: "nobody" }];
      expect(() => verdicts({ ...figure(), goals })).to.throw("The figure preview has no nobody.");
    });
  });
});

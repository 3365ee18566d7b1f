import { expect } from "chai";
import { isFlat, type Sample, trendOf } from "./trend.ts";

describe("a trend", () => {
  const samples = (value: (minute: number) => number): Sample[] =>
    Array.from({ length: 60 }, (_, minute) => ({ hours: minute / 60, value: value(minute) }));
  /** The same each time, and of no direction. */
  const noise = (minute: number): number => Math.sin(minute * 12.9898) * 5;

  it("is a line's slope, without an error where all lie on it", () => {
    const { slope, error, rise, mean } = trendOf(samples((minute) => 100 + minute));
    expect(slope).to.be.closeTo(60, 1e-6);
    expect(error).to.be.closeTo(0, 1e-6);
    expect(rise).to.be.closeTo(59, 1e-6);
    expect(mean).to.be.closeTo(129.5, 1e-6);
  });

  it("is flat in noise, and where it rises by a small share; not where it leaks", () => {
    expect(isFlat(trendOf(samples((minute) => 100 + noise(minute))), 0)).to.equal(true);
    expect(isFlat(trendOf(samples((minute) => 100 + minute / 20)), 0.05)).to.equal(true);
    expect(isFlat(trendOf(samples((minute) => 100 + minute / 2 + noise(minute))), 0.05)).to.equal(false);
    expect(isFlat(trendOf(samples((minute) => 100 - minute)), 0)).to.equal(true);
  });

  it("is none of two samples", () => {
    expect(() => trendOf(samples(() => 1).slice(0, 2))).to.throw("There is no trend in 2 samples.");
  });
});

import { expect } from "chai";
import { type Figure, verdicts, wholeRun } from "../../bench/benchmark.ts";
import { plotOf } from "../../bench/plot.ts";
import { readResults } from "../../bench/results.ts";

/** The texts of an SVG, as they are drawn. */
const textsOf = (svg = ""): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) =>
    text.replaceAll("&amp;", "&").replaceAll("&#39;", "'"),
  );
const count = (all: readonly string[], one: string): number => all.filter((other) => other === one).length;

describe("the plots", () => {
  const figure = (name: string, of: number, against: number, atMost?: number): Figure => ({
    name,
    unit: "s",
    series: [
      { subject: "ours", samples: [of] },
      { subject: "raw", samples: [against] },
    ],
    goals: [{ subject: "ours", against: "raw", ...(atMost === undefined ? {} : { atMost }) }],
  });

  for (const [name, { figures }] of Object.entries(readResults())) {
    it(`have a row for every ratio that was measured, whole and under its figure: ${name}`, async () => {
      const texts = textsOf(await plotOf(figures));
      for (const one of figures.filter((each) => verdicts(each).length > 0)) {
        expect(count(texts, one.name), one.name).to.equal(1);
      }
      const wanted = figures.flatMap(verdicts);
      const rows = texts.filter((text) =>
        wanted.some(({ subject, against }) =>
          [subject, `against ${against}`, `${subject} / ${against}`].includes(text),
        ),
      );
      expect(rows).to.have.length(wanted.length);
      expect(texts.join()).not.to.contain("…");
    });
  }

  it("say what their marks mean, and a goal only where there is one", async () => {
    const texts = textsOf(await plotOf([figure("a", 2, 1, 3)]));
    expect(texts).to.include.members(["median", "least to most", "goal: at most", "times raw"]);
    expect(textsOf(await plotOf([figure("a", 2, 1)]))).not.to.include("goal: at most");
    expect(await plotOf([{ ...figure("a", 2, 1), goals: [] }])).to.equal(undefined);
  });

  it("have an axis that fits: near 1 linear and close, far apart logarithmic, of shares in per cent", async () => {
    expect(textsOf(await plotOf([figure("a", 1.02, 1, 1.05)]))).to.include.members(["1.00", "1.05"]);
    const far = textsOf(await plotOf([figure("a", 1, 10), figure("b", 8, 1)]));
    expect(far).to.include.members(["0.1", "0.2", "0.5", "1", "2", "5", "10"]).and.not.include("100");
    const share: Figure = {
      name: "a run",
      unit: "s",
      series: [
        { subject: "a step", samples: [1] },
        { subject: wholeRun, samples: [4] },
      ],
      goals: [{ subject: "a step", against: wholeRun }],
    };
    expect(textsOf(await plotOf([share]))).to.include.members([
      "0%",
      "100%",
      "a step",
      `share of ${wholeRun}`,
    ]);
  });

  it("have a dark form of every colour", async () => {
    const svg = (await plotOf([figure("a", 2, 1, 3)])) ?? "";
    const [, rules = "", drawing = ""] =
      /<style>@media \(prefers-color-scheme: dark\)\{(.*?)\}<\/style>(.*)/s.exec(svg) ?? [];
    const used = new Set(
      [...drawing.matchAll(/ (?:fill|stroke)="(#[0-9a-f]{3,6})"/g)].map(([, colour]) => colour),
    );
    expect(used.size).to.be.greaterThan(4);
    for (const colour of used) expect(rules, colour).to.contain(`="${colour}"]`);
  });
});

import type { TopLevelSpec } from "vega-lite";
import { type Figure, type Verdict, verdicts, wholeRun } from "./benchmark.ts";

/** Colours in light and in dark. Every one has a contrast of at least 3 to its ground, text one of at least 4.5 (WCAG 2.2). */
const colours = {
  ground: ["#ffffff", "#0d1117"],
  text: ["#24292f", "#e6edf3"],
  grid: ["#e4e7ea", "#2a3038"],
  one: ["#77808a", "#8b949e"],
  spread: ["#5788b7", "#5a8fc4"],
  median: ["#0b4f94", "#a5d6ff"],
  goal: ["#b3121d", "#ff8b82"],
} as const;
const light = (name: keyof typeof colours): string => colours[name][0];

/** What the marks mean, by the legend's words. */
const legend = {
  "least to most": light("spread"),
  median: light("median"),
  "goal: at most": light("goal"),
} as const;
type Mark = keyof typeof legend;

interface Row {
  readonly figure: string;
  readonly label: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly goal: number | null;
}

/**
 * The ratios of a benchmark as a picture: where each lies, how far it goes, and the most that it may be. SVG, with a dark
 * form for readers who want one; undefined where there is no ratio.
 */
export async function plotOf(figures: readonly Figure[]): Promise<string | undefined> {
  const all = figures.flatMap((figure) => verdicts(figure).map((verdict) => ({ figure, verdict })));
  if (all.length === 0) return undefined;
  const { label, title } = wordsOf(all.map(({ verdict }) => verdict));
  const rows = all.map(({ figure, verdict }): Row => {
    const { ratio, atMost } = verdict;
    return { figure: figure.name, label: label(verdict), ...ratio, goal: atMost ?? null };
  });
  const scale = scaleOf(rows, title === shareTitle);
  const goals = rows.some(({ goal }) => goal !== null);
  const words = (Object.keys(legend) as Mark[]).filter((word) => goals || !word.startsWith("goal"));
  const marked = (what: Mark) => ({
    datum: what,
    scale: { domain: words, range: words.map((word) => legend[word]) },
    legend: { orient: "bottom" as const, title: null, symbolType: "square" },
  });
  const y = {
    field: "label",
    type: "nominal",
    sort: null,
    title: null,
    axis: { labelLimit: 0, labelOverlap: false, ticks: false, domain: false, grid: true },
  } as const;
  const x = (field: string) => ({ field, type: "quantitative", title, ...scale }) as const;
  const svg = await render({
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: light("ground"),
    padding: 10,
    data: { values: rows },
    facet: {
      field: "figure",
      type: "nominal",
      sort: figures.map(({ name }) => name),
      title: null,
      header: {
        labelOrient: "top",
        labelAnchor: "start",
        labelFontWeight: "bold",
        labelLimit: 0,
        labelPadding: 2,
      },
    },
    columns: 1,
    spacing: 6,
    resolve: { scale: { y: "independent" } },
    spec: {
      width: 440,
      height: { step: 18 },
      layer: [
        {
          mark: { type: "rule", strokeWidth: 3 },
          encoding: { y, x: x("min"), x2: { field: "max" }, color: marked("least to most") },
        },
        {
          mark: { type: "point", filled: true, size: 70, opacity: 1 },
          encoding: { y, x: x("median"), color: marked("median") },
        },
        ...(goals
          ? [
              {
                transform: [{ filter: "datum.goal !== null" }],
                mark: { type: "tick" as const, thickness: 3, size: 16, opacity: 1 },
                encoding: { y, x: x("goal"), color: marked("goal: at most") },
              },
            ]
          : []),
        ...(title === shareTitle
          ? []
          : [
              {
                mark: { type: "rule" as const, strokeDash: [3, 3], color: light("one") },
                encoding: { x: { datum: 1 } },
              },
            ]),
      ],
    },
    config: {
      view: { stroke: null },
      font: "system-ui, sans-serif",
      axis: {
        labelColor: light("text"),
        titleColor: light("text"),
        gridColor: light("grid"),
        tickColor: light("one"),
        domainColor: light("one"),
        titleFontWeight: "normal",
      },
      header: { labelColor: light("text") },
      legend: { labelColor: light("text") },
    },
  });
  return withDarkForm(svg);
}

const shareTitle = `share of ${wholeRun}`;

/** What rows are called, and the axis: what all have in common is said once. */
function wordsOf(all: readonly Verdict[]): { label: (one: Verdict) => string; title: string } {
  const [first] = all;
  const [subject, against] = [first?.subject, first?.against];
  const oneSubject = all.every((one) => one.subject === subject);
  const oneAgainst = all.every((one) => one.against === against);
  if (oneAgainst && against === wholeRun) return { label: (one) => one.subject, title: shareTitle };
  if (oneAgainst) return { label: (one) => one.subject, title: `times ${against}` };
  if (oneSubject) return { label: (one) => `against ${one.against}`, title: `${subject}: times the other` };
  return { label: (one) => `${one.subject} / ${one.against}`, title: "ratio" };
}

/** Shares and ratios near 1 lie on a linear axis that just holds them; what differs by more, on a logarithmic one. */
function scaleOf(rows: readonly Row[], shares: boolean) {
  const values = rows.flatMap(({ min, max, goal }) => [min, max, ...(goal === null ? [] : [goal])]);
  const [least, most] = [Math.min(1, ...values), Math.max(1, ...values)];
  if (shares) return { scale: { domain: [0, 1] }, axis: { format: "%" } };
  if (most / least <= 2)
    return { scale: { zero: false, nice: true, domain: [least, most] }, axis: { tickCount: 6 } };
  const steps = [-3, -2, -1, 0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
  const from = steps.findLast((step) => step <= least) ?? least;
  const to = steps.find((step) => step >= most) ?? most;
  const ticks = steps.filter((step) => step >= from && step <= to);
  return {
    scale: { type: "log" as const, domain: [from, to], nice: false },
    axis: { values: ticks, format: "~g" },
  };
}

/** The same picture where the reader's colours are dark: rules of a style sheet win over an SVG's attributes. */
function withDarkForm(svg: string): string {
  const rules = Object.values(colours).flatMap(([from, to]) =>
    ["fill", "stroke"].map((attribute) => `[${attribute}="${from}"]{${attribute}:${to}}`),
  );
  const style = `<style>@media (prefers-color-scheme: dark){${rules.join("")}}</style>`;
  return svg.replace(/^(<svg[^>]*>)/, `$1${style}`);
}

async function render(spec: TopLevelSpec): Promise<string> {
  // They come as ES modules only.
  const [{ compile }, { logger, None, parse, View }] = await Promise.all([
    import("vega-lite"),
    import("vega"),
  ]);
  // It warns of each facet's own rows, which are meant.
  const view = new View(parse(compile(spec, { logger: logger(None) }).spec), { renderer: "none" });
  return view.toSVG();
}

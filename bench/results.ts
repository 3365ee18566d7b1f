import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { markdownTable, withSection } from "../docs/sections.ts";
import { project } from "../local/machine/paths.ts";
import { columnsOf, table } from "../terminal.ts";
import {
  type Benchmark,
  type Figure,
  type Goal,
  type Series,
  spread,
  type Verdict,
  verdicts,
  wholeRun,
} from "./benchmark.ts";
import { plotOf } from "./plot.ts";

// What a person sees of the figures: a table on the terminal, `bench/results.json` with every sample, and `docs/bench.md` with
// plots. The documentation's prose is written by hand; the tables in it stand between markers and are replaced.

/** What was measured of one benchmark, where and when. */
export interface Result {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  /** The commit that was checked out; with `+` when the files were not those of it. */
  readonly commit: string;
  readonly machine: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

export type Results = Readonly<Record<string, Result>>;

const resultsFile = join(project, "bench", "results.json");
const docs = join(project, "docs");
const page = join(docs, "bench.md");
/** Pathspecs of Git that leave out what is written here. */
const written = [":!bench/results.json", ":!docs/bench.md", ":!docs/bench"];

export function resultOf(benchmark: Benchmark, figures: readonly Figure[], seconds: number): Result {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: project, encoding: "utf8" }).trim();
  // What the benchmarks before this one have written is no change to what is measured.
  const changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ...written);
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.version}`;
  return {
    title: benchmark.title,
    date: new Date().toISOString(),
    commit: `${git("rev-parse", "--short", "HEAD")}${changed ? "+" : ""}`,
    machine,
    seconds: Math.round(seconds),
    figures,
  };
}

/** The figures as rows: what, who, the median and how far it goes, the ratios and whether they are what they should be. */
function rowsOf(figures: readonly Figure[]): string[][] {
  return figures.flatMap((figure) => [
    ...figure.series.map((series, index) => [
      index === 0 ? figure.name : "",
      series.subject,
      quantity(series, figure.unit),
      "",
    ]),
    ...verdicts(figure).map((verdict) => [
      "",
      `${verdict.subject} / ${verdict.against}`,
      ratio(verdict),
      judgement(verdict),
    ]),
  ]);
}

const header = ["figure", "of", "median (least to most)", "goal"];

function quantity({ samples }: Series, unit: Figure["unit"]): string {
  const { median, min, max } = spread(samples);
  const range = samples.length > 1 ? ` (${short(min)} to ${short(max)})` : "";
  return `${short(median)} ${unit}${range}`;
}

function ratio({ ratio: { median, min, max } }: Verdict): string {
  return `× ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

function judgement({ atMost, met }: Verdict): string {
  return atMost === undefined ? "" : `${met ? "✔" : "✖"} at most ${atMost}`;
}

/** Three digits that count. */
const short = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

/** The figures for a terminal. */
export function terminalTable(figures: readonly Figure[]): string {
  const notes = figures.flatMap(({ name, note }) => (note ? [`  ${name}: ${note}`] : []));
  return [table([header, ...rowsOf(figures)], columnsOf(process.stdout)), ...notes].join("\n");
}

/** Keeps what was measured: the results of other benchmarks stay. */
export async function keep(name: string, result: Result): Promise<void> {
  const results: Results = { ...readResults(), [name]: result };
  writeFileSync(resultsFile, `${JSON.stringify(results, undefined, 2)}\n`);
  await writePage(results);
}

export function readResults(): Results {
  try {
    return JSON.parse(readFileSync(resultsFile, "utf8")) as Results;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return {};
  }
}

/** Brings tables and plots of the documentation in line with the results. */
export async function writePage(results: Results): Promise<void> {
  let text = readFileSync(page, "utf8");
  for (const [name, result] of Object.entries(results)) {
    const plot = await plotOf(result.figures);
    if (plot !== undefined) {
      mkdirSync(join(docs, "bench"), { recursive: true });
      writeFileSync(join(docs, "bench", `${name}.svg`), plot);
    }
    text = withSection(text, `bench:${name}`, sectionOf(name, result, plot !== undefined));
  }
  writeFileSync(page, text);
}

/** What stands between the markers of a benchmark. */
function sectionOf(name: string, result: Result, plotted: boolean): string {
  const notes = new Set(result.figures.flatMap(({ note }) => note ?? []));
  return [
    ...(plotted ? [`![${result.title}](bench/${name}.svg)`, ""] : []),
    ...pageTables(result.figures).flatMap((table) => [table, ""]),
    ...[...notes].flatMap((note) => [note, ""]),
    `Measured on ${result.date.slice(0, 10)} at ${result.commit}, in ${result.seconds} s: ${result.machine}.`,
  ].join("\n");
}

/** The figures for a page: a row each, medians only; how far they go is in the plot. Those of the same subjects are one table. */
export function pageTables(figures: readonly Figure[]): string[] {
  const subjectsOf = ({ series }: Figure): string => series.map(({ subject }) => subject).join("\n");
  return [...Map.groupBy(figures, (one) => (isShares(one) ? one.name : subjectsOf(one))).values()].map(
    (group) => {
      const [first] = group;
      return first !== undefined && isShares(first) ? shareTable(first) : comparison(group);
    },
  );
}

/** Whether it is steps of a run. */
const isShares = (figure: Figure): boolean =>
  (figure.goals ?? []).some(({ against }) => against === wholeRun);

function shareTable(figure: Figure): string {
  const shares = new Map(verdicts(figure).map(({ subject, ratio }) => [subject, ratio.median]));
  const rows = figure.series.map((series) => {
    const share = shares.get(series.subject);
    return [
      series.subject,
      medianOf(series, figure.unit),
      share === undefined ? "" : `${Math.round(share * 100)} %`,
    ];
  });
  return markdownTable([figure.name, "time", "share"], rows);
}

function comparison(figures: readonly Figure[]): string {
  const subjects = figures[0]?.series.map(({ subject }) => subject) ?? [];
  const title = ({ subject, against }: Goal): string =>
    subject === subjects[0] ? `/ ${against}` : `${subject} / ${against}`;
  const columns = [...new Set(figures.flatMap(({ goals = [] }) => goals.map(title)))];
  const rows = figures.map((figure) => {
    const judged = new Map(verdicts(figure).map((verdict) => [title(verdict), verdict]));
    return [
      figure.name,
      ...figure.series.map((series) => medianOf(series, figure.unit)),
      ...columns.map((column) => {
        const verdict = judged.get(column);
        return verdict === undefined
          ? ""
          : [`× ${verdict.ratio.median.toFixed(2)}`, judgement(verdict)].filter(Boolean).join(" ");
      }),
    ];
  });
  return markdownTable(["", ...subjects, ...columns], rows);
}

const medianOf = ({ samples }: Series, unit: Figure["unit"]): string =>
  `${short(spread(samples).median)} ${unit}`;

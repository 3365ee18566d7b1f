// What a benchmark gives: figures of several subjects, measured in turns in one run, so that what slows the machine
// slows all of them. What is quoted is a ratio, never a time alone.

/** What a benchmark measured of one subject, once in each round. */
export interface Series {
  /** Who was measured: `eks-irsa`, `raw SDK`. The same words in all figures of a benchmark. */
  readonly subject: string;
  /** One value a round; the same index is the same round in all series of a figure. */
  readonly samples: readonly number[];
}

/** One quantity of several subjects. */
export interface Figure {
  /** What was measured: `preview`, `resident memory`. Unique within its benchmark. */
  readonly name: string;
  readonly unit: "s" | "MB" | "requests/s" | "bytes" | "resources";
  readonly series: readonly Series[];
  readonly goals?: readonly Goal[];
  /** Said under the table: what a reader must know of this figure. */
  readonly note?: string;
}

/** What a figure ought to be: a subject's samples over another's, round by round; the median counts. */
export interface Goal {
  readonly subject: string;
  readonly against: string;
  /** The most that the median of the ratios may be. Absent: the ratio is shown, and nothing is asked of it. */
  readonly atMost?: number;
}

/** Against whom a step is measured of whose share of a run is asked. */
export const wholeRun = "the whole run";

export interface Context {
  /** A few rounds of the smallest sizes: to see that it runs, as CI does. Its figures are not kept. */
  readonly short: boolean;
  /** An earlier commit to compare with, by its short name. Only local's benchmarks know how. */
  readonly before?: string;
  /** Shows what the benchmark is at. */
  readonly say: (line: string) => void;
}

export interface Benchmark {
  /** As given on the command line: `npm run bench -- NAME`. */
  readonly name: string;
  readonly title: string;
  /** Measures everything. Rejects when something cannot be measured: there is no figure without a measurement. */
  readonly run: (context: Context) => Promise<readonly Figure[]>;
}

/** The middle of some numbers, and how far they go. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws Error when there are no numbers. */
export function spread(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error("There is no median of nothing.");
  const at = (index: number): number => sorted[index] ?? min;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min, max };
}

/** What came of a goal. */
export interface Verdict extends Goal {
  readonly ratio: Spread;
  /** Undefined where nothing was asked. */
  readonly met: boolean | undefined;
}

/** Looks at the goals of a figure. @throws Error when a goal names a subject that was not measured. */
export function verdicts({ name, series, goals = [] }: Figure): Verdict[] {
  const samplesOf = (subject: string): readonly number[] => {
    const found = series.find((one) => one.subject === subject);
    if (found === undefined) throw new Error(`The figure ${name} has no ${subject}.`);
    return found.samples;
  };
  return goals.map((goal) => {
    const floor = samplesOf(goal.against);
    const ratio = spread(
      samplesOf(goal.subject).flatMap((value, round) => {
        const other = floor[round];
        return other === undefined ? [] : [value / other];
      }),
    );
    return { ...goal, ratio, met: goal.atMost === undefined ? undefined : ratio.median <= goal.atMost };
  });
}

/** What one more takes, where there are many and where there are few: the same, if it grows as they do. Three sizes, from the least. */
export function growthOf(
  name: string,
  seconds: ReadonlyMap<number, readonly number[]> = new Map(),
  [least, middle, most]: readonly [number, number, number],
): Figure {
  const each = (more: number, fewer: number): number[] => {
    const base = seconds.get(fewer) ?? [];
    return (seconds.get(more) ?? []).map((value, round) => (value - (base[round] ?? value)) / (more - fewer));
  };
  const words = (from: number, to: number) =>
    `from ${from.toLocaleString("en")} to ${to.toLocaleString("en")}`;
  const [few, many] = [words(least, middle), words(middle, most)];
  return {
    name,
    unit: "s",
    series: [
      { subject: few, samples: each(middle, least) },
      { subject: many, samples: each(most, middle) },
    ],
    goals: [{ subject: many, against: few, atMost: 1 }],
  };
}

/** Twice as many of something may take twice as long. */
export function doubled(
  name: string,
  things: string,
  seconds: ReadonlyMap<number, readonly number[]> = new Map(),
  [fewer, more]: readonly [number, number],
): Figure {
  const series = (size: number): Series => ({
    subject: `${size} ${things}`,
    samples: seconds.get(size) ?? [],
  });
  const [half, whole] = [series(fewer), series(more)];
  return {
    name: `${name}, twice as many`,
    unit: "s",
    series: [whole, half],
    goals: [{ subject: whole.subject, against: half.subject, atMost: 2 }],
  };
}

/**
 * Measures subjects in turns: every subject once a round, each round beginning with another one. A first round warms
 * caches and is not counted; of a single round nothing is quoted, and none goes before it.
 *
 * @param rounds Counted rounds.
 * @param subjects What to do for a subject, and what it measured: values by figure.
 * @returns Series by figure, in the order of the subjects.
 */
export async function inTurns<Key extends string>(
  rounds: number,
  subjects: Readonly<Record<string, (round: number) => Promise<Readonly<Record<Key, number>>>>>,
  options: { readonly warmUp?: boolean; readonly say?: (line: string) => void } = {},
): Promise<Record<Key, Series[]>> {
  const names = Object.keys(subjects);
  const samples = new Map<Key, Map<string, number[]>>();
  for (let round = (options.warmUp ?? rounds > 1) ? -1 : 0; round < rounds; round++) {
    const first = Math.max(round, 0) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      options.say?.(`${round < 0 ? "warm-up" : `round ${round + 1} of ${rounds}`}: ${name}`);
      const values = await subjects[name]?.(round);
      if (round < 0 || values === undefined) continue;
      for (const [key, value] of Object.entries(values) as [Key, number][]) {
        const bySubject = samples.get(key) ?? new Map<string, number[]>();
        samples.set(key, bySubject.set(name, [...(bySubject.get(name) ?? []), value]));
      }
    }
  }
  const series = (bySubject: Map<string, number[]>): Series[] =>
    names.flatMap((subject) => {
      const values = bySubject.get(subject);
      return values === undefined ? [] : [{ subject, samples: values }];
    });
  return Object.fromEntries([...samples].map(([key, values]) => [key, series(values)])) as Record<
    Key,
    Series[]
  >;
}

/** One stack of bindings as it was measured. */
export interface EngineSample {
  readonly bindings: number;
  /** Resources in its state, providers and the stack itself included. */
  readonly resources: number;
  /** Whether the engine wrote its whole state at each step, or once at the end. */
  readonly checkpoints: boolean;
  readonly previewSeconds: number;
  /** The first `up`, with providers that take no time. */
  readonly upSeconds: number;
  /** An `up` that changes nothing. */
  readonly unchangedSeconds: number;
  readonly stateBytes: number;
  /** What the engine wrote in the first `up`: its state, over and over, and what it said to program and providers. */
  readonly upWrittenBytes: number;
  readonly unchangedWrittenBytes: number;
}

/** What was seen of a stack that references another one, whose outputs then changed. */
export interface ReferenceTrial {
  readonly bindings: number;
  /** Whether the referencing stack's state stayed as it was when the platform stack was brought up. */
  readonly untouchedByPlatformUp: boolean;
  /** Updates that its preview showed after that. */
  readonly updatesPending: number;
  /** Updates that were left after an `up` of its own. */
  readonly afterOwnUp: number;
}

export interface Measured {
  readonly date: string;
  readonly machine: string;
  /** The engine's version. */
  readonly engine: string;
  readonly node: string;
  readonly samples: readonly EngineSample[];
  readonly references: ReferenceTrial;
}

/**
 * What was measured now, with the samples of other sizes from before, if they are of the same day, machine and engine:
 * a large stack takes longer to measure than all the small ones.
 */
export function together(before: Measured, now: Measured): Measured {
  const same = (["date", "machine", "engine", "node"] as const).every((key) => before[key] === now[key]);
  const is = (a: EngineSample) => (b: EngineSample) =>
    a.bindings === b.bindings && a.checkpoints === b.checkpoints;
  const others = same ? before.samples.filter((one) => !now.samples.some(is(one))) : [];
  return {
    ...now,
    samples: [...others, ...now.samples].sort(
      (a, b) => Number(b.checkpoints) - Number(a.checkpoints) || a.bindings - b.bindings,
    ),
  };
}

/** What the samples say of a stack of any size. */
export interface EngineModel {
  readonly upSeconds: (bindings: number) => number;
  readonly upWrittenBytes: (bindings: number) => number;
  /** The same when the engine writes its state once at the end. */
  readonly upSecondsWithoutCheckpoints: (bindings: number) => number;
  readonly previewSeconds: (bindings: number) => number;
  readonly unchangedSeconds: (bindings: number) => number;
  readonly stateBytes: (bindings: number) => number;
  readonly resources: (bindings: number) => number;
  /** The largest stack that was measured with checkpoints: beyond it all is extrapolated. */
  readonly measuredTo: number;
  /** The largest relative distance of a first `up` as measured from the curve. */
  readonly worstMiss: number;
}

/**
 * Lays curves through the samples. With checkpoints each of the steps writes a state that grows with the steps before it,
 * so that `up` has a part that grows with the square; everything else grows in proportion.
 *
 * @throws Error when there are too few samples.
 */
export function engineModel({ samples }: Measured): EngineModel {
  const withEach = samples.filter((one) => one.checkpoints);
  const atEnd = samples.filter((one) => !one.checkpoints);
  const curve = (
    of: readonly EngineSample[],
    value: (one: EngineSample) => number,
    degree: 1 | 2,
  ): ((bindings: number) => number) =>
    polynomial(
      of.map((one) => [one.bindings, value(one)] as const),
      degree,
    );
  const upSeconds = curve(withEach, (one) => one.upSeconds, 2);
  return {
    upSeconds,
    upWrittenBytes: curve(withEach, (one) => one.upWrittenBytes, 2),
    upSecondsWithoutCheckpoints: curve(atEnd, (one) => one.upSeconds, 1),
    previewSeconds: curve(samples, (one) => one.previewSeconds, 1),
    unchangedSeconds: curve(samples, (one) => one.unchangedSeconds, 1),
    stateBytes: curve(samples, (one) => one.stateBytes, 1),
    resources: curve(samples, (one) => one.resources, 1),
    measuredTo: Math.max(...withEach.map((one) => one.bindings)),
    worstMiss: Math.max(
      ...withEach.map((one) => Math.abs(upSeconds(one.bindings) - one.upSeconds) / one.upSeconds),
    ),
  };
}

/**
 * The polynomial that comes nearest to some points, each distance taken relative to the point's value, so that small
 * stacks count as much as large ones. A coefficient that would be negative is left out: no cost shrinks with size.
 */
export function polynomial(
  points: readonly (readonly [x: number, y: number])[],
  degree: 1 | 2,
): (x: number) => number {
  if (new Set(points.map(([x]) => x)).size <= degree)
    throw new Error(`${points.length} samples are too few for a curve of degree ${degree}.`);
  let powers = Array.from({ length: degree + 1 }, (_, power) => power);
  for (;;) {
    const rows = points.map(([x, y]) => powers.map((power) => x ** power / y));
    const coefficients = leastSquares(
      rows,
      rows.map(() => 1),
    );
    const kept = powers.filter((_, index) => (coefficients[index] ?? 0) >= 0);
    if (kept.length === powers.length) {
      const terms = powers.map((power, index) => [power, coefficients[index] ?? 0] as const);
      return (x) => terms.reduce((sum, [power, coefficient]) => sum + coefficient * x ** power, 0);
    }
    powers = kept;
  }
}

/** Solves the normal equations by elimination. */
function leastSquares(rows: readonly (readonly number[])[], wanted: readonly number[]): number[] {
  const size = rows[0]?.length ?? 0;
  const cell = (row: readonly number[], column: number): number => row[column] ?? 0;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) =>
      rows.reduce((sum, row) => sum + cell(row, i) * cell(row, j), 0),
    ),
    rows.reduce((sum, row, index) => sum + cell(row, i) * cell(wanted, index), 0),
  ]);
  for (const [pivot, pivotRow] of matrix.entries()) {
    for (const [index, row] of matrix.entries()) {
      if (index === pivot) continue;
      const factor = cell(row, pivot) / cell(pivotRow, pivot);
      for (let column = pivot; column <= size; column++) {
        row[column] = cell(row, column) - factor * cell(pivotRow, column);
      }
    }
  }
  return matrix.map((row, index) => cell(row, size) / cell(row, index));
}

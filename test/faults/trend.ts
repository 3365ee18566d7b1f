/** A value at a time, in hours. */
export interface Sample {
  readonly hours: number;
  readonly value: number;
}

/** How values go with time: a line through them by least squares. */
export interface Trend {
  /** An hour. */
  readonly slope: number;
  /** Standard error of the slope: what chance alone may make of it. */
  readonly error: number;
  /** What the line rises by, from the first sample to the last. */
  readonly rise: number;
  readonly mean: number;
}

/** @throws Error where there are fewer than three samples, or all are of one time. */
export function trendOf(samples: readonly Sample[]): Trend {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, one) => sum + of(one), 0) / count;
  const [time, level] = [mean(({ hours }) => hours), mean(({ value }) => value)];
  const spread = samples.reduce((sum, { hours }) => sum + (hours - time) ** 2, 0);
  if (count < 3 || spread === 0) throw new Error(`There is no trend in ${count} samples.`);
  const slope = samples.reduce((sum, { hours, value }) => sum + (hours - time) * (value - level), 0) / spread;
  const rest = samples.reduce(
    (sum, { hours, value }) => sum + (value - level - slope * (hours - time)) ** 2,
    0,
  );
  const times = samples.map(({ hours }) => hours);
  return {
    slope,
    error: Math.sqrt(rest / (count - 2) / spread),
    rise: slope * (Math.max(...times) - Math.min(...times)),
    mean: level,
  };
}

/** Whether values stay as they are: a rise is none that chance may make (three standard errors), nor one of a small share. */
export const isFlat = ({ slope, error, rise, mean }: Trend, share: number): boolean =>
  slope <= 3 * error || rise <= share * mean;

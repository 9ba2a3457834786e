/** What a handful of measurements of one thing say. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many measurements it is made of. */
  readonly count: number;
}

/**
 * The value below which a share of the samples lies, by the nearest-rank method, so that it always is one of them.
 *
 * @param share from 0 to 1: 0.5 is the median, 0.99 the 99th percentile
 * @returns NaN when there are no samples
 * @throws RangeError for another share
 */
export function quantile(samples: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`the share is ${share}: it must be from 0 to 1`);
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The middle of the samples, the mean of the middle two where their number is even; NaN when there are none. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const [lower, upper] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((lower ?? Number.NaN) + (upper ?? Number.NaN)) / 2;
}

/** Median and range of the samples; NaN in each when there are none. */
export function spreadOf(samples: readonly number[]): Spread {
  return { median: median(samples), least: quantile(samples, 0), most: quantile(samples, 1), count: samples.length };
}

/**
 * How many times the baseline each sample is, paired by their place: what slows the whole machine in one round slows both, and the ratio
 * of that round stays.
 *
 * @throws RangeError when there are not as many of the one as of the other
 */
export function pairedRatios(samples: readonly number[], baseline: readonly number[]): number[] {
  if (samples.length !== baseline.length)
    throw new RangeError(`${samples.length} samples cannot be paired with ${baseline.length} of the baseline`);
  return samples.map((sample, place) => sample / (baseline[place] ?? Number.NaN));
}

/** A figure with as many digits as can mean something: three, and no decimals from 100 on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** "median (least–most)", or a dash. */
export function spreadText({ median, least, most, count }: Spread): string {
  return count === 0 ? "–" : `${figure(median)} (${figure(least)}–${figure(most)})`;
}

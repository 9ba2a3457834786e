import { QUANTITIES, type QuantityName, type Sample } from "./census.ts";

/** How one quantity went over a run. */
export interface Growth {
  readonly name: QuantityName;
  /** Median of the second quarter of the samples: the first is the process warming up. */
  readonly before: number;
  /** Median of the last quarter. */
  readonly after: number;
  readonly allowance: number;
  /** Whether it rose by more than the allowance. */
  readonly grew: boolean;
}

/**
 * Compares the last quarter of a run with the second. Medians, since a single sample may be unlucky.
 *
 * @param rotations of the whole run
 * @returns undefined when either quarter has no sample
 */
export function growthOf(samples: readonly Sample[], rotations: number): readonly Growth[] | undefined {
  const quarter = (number: number) =>
    samples.filter(({ rotation }) => Math.ceil((rotation * 4) / rotations) === number);
  const [second, last] = [quarter(2), quarter(4)];
  if (second.length === 0 || last.length === 0) return undefined;
  return (Object.keys(QUANTITIES) as QuantityName[]).map((name) => {
    const { allowance } = QUANTITIES[name];
    const before = median(second.map(({ values }) => values[name]));
    const after = median(last.map(({ values }) => values[name]));
    // Whatever could not be counted is not known to be still.
    return { name, before, after, allowance, grew: !(after - before <= allowance) };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

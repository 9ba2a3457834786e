import fc from "fast-check";

/** Set `PROPERTY_SEED` to explore other interleavings; a failure prints the seed and the path to it. */
export const SEED = Number(process.env.PROPERTY_SEED ?? 20_261_104);

/**
 * @param usual how many runs the suite makes in every test run; `PROPERTY_RUNS` asks for another number
 */
export function parameters<T>(usual: number): fc.Parameters<T> {
  const numRuns = Number(process.env.PROPERTY_RUNS ?? usual);
  return { seed: SEED, numRuns, endOnFailure: false, verbose: fc.VerbosityLevel.None };
}

import { pairedRatios, type Spread, spreadOf } from "../statistics.ts";
import { BASELINE } from "./contenders.ts";
import type { Load } from "./plan.ts";

/** What is measured under each load. */
export const LOAD_QUANTITIES = ["perSecond", "p50", "p99", "cpuMicros"] as const;
export type LoadQuantity = (typeof LOAD_QUANTITIES)[number];

/** The name of a measure under a load, such as `select/10/failing/p99`. */
export function loadMeasure({ work, callers, failing }: Load, quantity: LoadQuantity): string {
  return `${work}/${callers}/${failing ? "failing" : "succeeding"}/${quantity}`;
}

/** One figure of one contender in one round; undefined when what was to be measured did not come about. */
export interface Sample {
  readonly measure: string;
  readonly contender: string;
  /** From 1. */
  readonly round: number;
  readonly value: number | undefined;
}

/** Everything that a run measured. */
export interface Results {
  readonly contenders: readonly string[];
  /** Rounds that were completed. */
  readonly rounds: number;
  readonly samples: readonly Sample[];
  /** What makes figures untrue, such as errors that no load asked for, each with its contender and load. */
  readonly unexpected: readonly string[];
  /** Errors that no caller could catch and that would have ended a service, likewise. */
  readonly uncaught: readonly string[];
  readonly tookMs: number;
}

/** The values of a measure by round. Those that did not come about are missing. */
export function valuesOf({ samples }: Results, measure: string, contender: string): Map<number, number> {
  const found = samples.filter((sample) => sample.measure === measure && sample.contender === contender);
  return new Map(found.flatMap(({ round, value }) => (value === undefined ? [] : [[round, value] as const])));
}

/** Median and range of a measure over the rounds. */
export function spreadOver(results: Results, measure: string, contender: string): Spread {
  return spreadOf([...valuesOf(results, measure, contender).values()]);
}

/** The same of its ratio to the baseline's in the same round; rounds in which the baseline has none, or nothing, give no ratio. */
export function ratioOver(results: Results, measure: string, contender: string): Spread {
  const own = valuesOf(results, measure, contender);
  const baseline = valuesOf(results, measure, BASELINE);
  const rounds = [...own.keys()].filter((round) => (baseline.get(round) ?? 0) !== 0);
  const at = (values: Map<number, number>) => rounds.map((round) => values.get(round) ?? Number.NaN);
  return spreadOf(pairedRatios(at(own), at(baseline)));
}

/** In how many rounds the measure was to be had and did not come about. */
export function missingOf({ samples }: Results, measure: string, contender: string): number {
  return samples.filter((s) => s.measure === measure && s.contender === contender && s.value === undefined).length;
}

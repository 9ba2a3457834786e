import type { Outcome } from "../load/outcome.ts";
import { type Evidence, judge, type Report } from "../report.ts";
import { QUANTITIES, type Sample } from "./census.ts";
import { type Growth, growthOf } from "./growth.ts";
import { type Entry, type Reckoning, reckon } from "./ledger.ts";

/** Everything that was seen during a soak. */
export interface SoakEvidence extends Evidence {
  readonly ledger: readonly Entry[];
  readonly samples: readonly Sample[];
  /** Rotations that were asked for, each to be felt. */
  readonly asked: number;
  /** Whether faults came between the rotations, so that a statement that was under way may have been lost. */
  readonly withFaults: boolean;
}

/** A soak, judged. */
export interface SoakReport extends Pick<Report, "failures" | "latency" | "totals"> {
  readonly verdict: "passed" | "failed" | "inconclusive";
  /** Why it is that verdict: one sentence each. */
  readonly reasons: readonly string[];
  readonly rotations: number;
  /** Those in whose window a physical connection was attempted, and after which one was opened. */
  readonly felt: number;
  /** Failed requests that said honestly that their connection was lost to a fault. */
  readonly forgiven: number;
  readonly writes: Reckoning;
  readonly samples: readonly Sample[];
  readonly growth: readonly Growth[];
}

/** At most so many reasons of the same kind are told one by one. */
const TOLD = 3;

/**
 * Judges a soak: as the demonstration is judged, and moreover by every write having been done exactly once and nothing having grown.
 * Among faults, and only there, a request may end as `503 OUTCOME_UNKNOWN`.
 */
export function judgeSoak(evidence: SoakEvidence): SoakReport {
  const { outcomes, withFaults, samples, asked } = evidence;
  const kept = withFaults ? outcomes.filter((outcome) => !isForgiven(outcome)) : outcomes;
  const report = judge({ ...evidence, outcomes: kept });
  const all = judge(evidence);
  const writes = reckon(evidence.ledger, outcomes);
  const growth = growthOf(samples, asked);
  const felt = countFelt(report);
  const wrong = [
    ...(report.verdict === "failed" ? report.reasons : []),
    ...(writes.lost > 0
      ? [`Acknowledged writes that the database never did: ${writes.lost} of ${writes.acknowledged}.`]
      : []),
    ...(writes.doubled > 0 ? [`Writes that the database did more often than asked for: ${writes.doubled}.`] : []),
    ...(growth ?? []).filter(({ grew }) => grew).map(growthReason),
  ];
  const untested = [
    ...(felt < asked ? [`${felt} windows of ${evidence.rotations.length} were felt, and ${asked} are asked for.`] : []),
    ...(felt < asked && report.verdict === "inconclusive" ? shortened(report.reasons) : []),
    ...(writes.acknowledged === 0 ? ["No write was acknowledged."] : []),
    ...(growth === undefined ? ["Nothing was counted in the second or in the last quarter."] : []),
  ];
  const verdict = wrong.length > 0 ? "failed" : untested.length > 0 ? "inconclusive" : "passed";
  const forgiven = outcomes.length - kept.length;
  return {
    verdict,
    reasons: verdict === "passed" ? passedReasons(all, felt, writes, forgiven) : wrong.length > 0 ? wrong : untested,
    rotations: evidence.rotations.length,
    felt,
    forgiven,
    writes,
    samples,
    growth: growth ?? [],
    failures: all.failures,
    latency: all.latency,
    totals: all.totals,
  };
}

/** Windows in which a physical connection was attempted, and after which one was opened: in the others standing connections survived, as ever. */
export function countFelt({ rotations }: Pick<Report, "rotations">): number {
  return rotations.filter((row) => row.connectionsInside + row.retriesInside > 0 && row.connectionsAfter > 0).length;
}

/** What the service answers when a connection ended under a statement: it cannot know, and says so. */
function isForgiven({ succeeded, status, errorCode }: Outcome): boolean {
  return !succeeded && status === 503 && errorCode === "OUTCOME_UNKNOWN";
}

function growthReason({ name, before, after, allowance }: Growth): string {
  const figures = [before, after].map((value) => value.toFixed(1)).join(" to ");
  return `${QUANTITIES[name].label}: from ${figures} (median of the second and of the last quarter), and ${allowance} more are allowed.`;
}

function shortened(reasons: readonly string[]): readonly string[] {
  const more = reasons.length - TOLD;
  return more > 0 ? [...reasons.slice(0, TOLD), `And ${more} more of the kind.`] : reasons;
}

function passedReasons({ totals }: Report, felt: number, { acknowledged }: Reckoning, forgiven: number): string[] {
  const failed = forgiven === 0 ? "none failed" : `${forgiven} lost their connection to a fault and said so`;
  return [
    `${totals.requests} requests over ${felt} rotations that were felt, and ${failed}.`,
    `${acknowledged} acknowledged writes, each done exactly once. Nothing grew.`,
  ];
}

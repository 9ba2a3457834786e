/** The state of an alarm. */
export type State = "ALARM" | "INSUFFICIENT_DATA" | "OK";

/** What of an alarm decides its state. */
export interface Rule {
  /** M. */
  readonly datapoints: number;
  /** N. */
  readonly evaluationPeriods: number;
  readonly treat: "breaching" | "ignore" | "missing" | "notBreaching";
  readonly breaches: (value: number) => boolean;
}

/** A value a period, the latest last; null where there is none. */
export type Series = readonly (number | null)[];

/** Periods that CloudWatch looks back beyond N, as its examples have it; how many in truth it does not say. */
const FURTHER_BACK = 2;

/**
 * The state of an alarm by the rules of "Configuring how CloudWatch alarms treat missing data": real points are taken first, from
 * beyond N periods if need be; only then is what lacks filled in.
 *
 * @param range the latest points, as many as CloudWatch retrieves
 */
export function evaluate(range: Series, rule: Rule, previous: State): State {
  const real = range.filter((value) => value !== null).slice(-rule.evaluationPeriods);
  const breaching = real.filter(rule.breaches).length;
  if (breaching >= rule.datapoints) return "ALARM";
  const lacking = rule.evaluationPeriods - real.length;
  if (lacking === 0) return "OK";
  if (rule.treat === "breaching") return breaching + lacking >= rule.datapoints ? "ALARM" : "OK";
  if (rule.treat === "notBreaching") return "OK";
  if (real.length === 0) return rule.treat === "missing" ? "INSUFFICIENT_DATA" : previous;
  if (breaching < real.length) return "OK";
  // All that there is breaches: "premature" unless it began long enough ago.
  const since = range.length - range.findIndex((value) => value !== null);
  return since >= rule.datapoints && rule.treat === "missing" ? "ALARM" : previous;
}

/** The states that an alarm goes through, one a period, beginning with OK. */
export function statesOver(series: Series, rule: Rule, furtherBack = FURTHER_BACK): readonly State[] {
  const retrieved = rule.evaluationPeriods + furtherBack;
  let state: State = "OK";
  return series.map((_, period) => {
    state = evaluate(series.slice(Math.max(0, period + 1 - retrieved), period + 1), rule, state);
    return state;
  });
}

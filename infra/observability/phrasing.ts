import type * as aws from "@pulumi/aws";
import type { EventAlarm, MetricAlarm } from "./alarm.ts";

/** The longest description that CloudWatch takes ("PutMetricAlarm"). */
export const DESCRIPTION_LIMIT = 1_024;

/** Link to an alarm's section: its heading in the runbook is its key. */
export function runbookLink(key: string, runbookUrl: string): string {
  return `${runbookUrl}#${key}`;
}

/** What whoever is woken reads first: what it means, why there, where to read on. */
export function metricDescription(
  { key, meaning, unit, threshold, evaluation, missing }: MetricAlarm,
  url: string,
): string {
  const { datapoints, evaluationPeriods, periodSeconds } = evaluation;
  return [
    `${meaning}.`,
    `${datapoints} of ${evaluationPeriods} periods of ${periodSeconds} s; threshold ${threshold.value} (${unit}): ${threshold.because}.`,
    `No data is ${missing.treat === "breaching" ? "bad" : "good"}: ${missing.because}.`,
    `Runbook: ${runbookLink(key, url)}`,
  ].join(" ");
}

type MetricQuery = Extract<aws.types.input.cloudwatch.MetricAlarmMetricQuery, object>;

/** The metrics and the expression of an alarm as CloudWatch takes them: one of them is what is compared. */
export function metricQueries({ metrics, expression, evaluation, unit }: MetricAlarm): MetricQuery[] {
  const queries = Object.entries(metrics).map(
    ([id, { namespace, name, dimensions, stat }]): MetricQuery => ({
      id,
      returnData: expression === undefined,
      metric: { namespace, metricName: name, dimensions: { ...dimensions }, stat, period: evaluation.periodSeconds },
    }),
  );
  return expression === undefined ? queries : [...queries, { id: "value", expression, label: unit, returnData: true }];
}

/** The message of an event's match: one line of words in place of the event's JSON ("Amazon EventBridge input transformation"). */
export function eventMessage({ key, meaning, says }: EventAlarm, prefix: string, url: string) {
  return {
    inputPaths: { time: "$.time", what: says },
    inputTemplate: JSON.stringify(`${prefix}: ${meaning}. <time>: <what> Runbook: ${runbookLink(key, url)}`),
  };
}

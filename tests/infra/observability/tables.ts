import assert from "node:assert/strict";
import type { EventAlarm, MetricAlarm } from "../../../infra/observability/alarm.ts";
import { databaseAlarms } from "../../../infra/observability/database-alarms.ts";
import { deliveryAlarm } from "../../../infra/observability/delivery-alarm.ts";
import { eventAlarms } from "../../../infra/observability/events.ts";
import { proxyAlarms } from "../../../infra/observability/proxy-alarms.ts";
import { serviceAlarms } from "../../../infra/observability/service-alarms.ts";
import type { Sizes, Subject } from "../../../infra/observability/subject.ts";
import type { Rule } from "./evaluation.ts";

export const SUBJECT: Subject = {
  proxyName: "the-proxy",
  targetGroupName: "default",
  databaseIdentifier: "the-database",
  secretArn: "arn:aws:secretsmanager:eu-west-2:123456789012:secret:rds!db-the-secret",
  clusterName: "the-cluster",
  serviceName: "the-service",
  serviceArn: "arn:aws:ecs:eu-west-2:123456789012:service/the-cluster/the-service",
  loadBalancerSuffix: "app/the-balancer/0123456789abcdef",
  logNamespace: "project-stack",
};

export const SIZES: Sizes = {
  timeouts: { connectRetry: 60, borrow: 30 },
  poolSize: 10,
  maxConnections: 400,
  storageGiB: 50,
};

/** Every alarm on metrics. */
export function metricAlarms(sizes: Sizes = SIZES): readonly MetricAlarm[] {
  return [
    ...proxyAlarms(SUBJECT, sizes),
    ...serviceAlarms(SUBJECT, sizes),
    ...databaseAlarms(SUBJECT, sizes),
    deliveryAlarm({ first: "first-rule", second: "second-rule" }),
  ];
}

export function allEventAlarms(): readonly EventAlarm[] {
  return eventAlarms(SUBJECT);
}

export function alarmOf(key: string, sizes?: Sizes): MetricAlarm {
  const alarm = metricAlarms(sizes).find((candidate) => candidate.key === key);
  assert.ok(alarm, `no alarm ${key}`);
  return alarm;
}

/** An alarm as the evaluation takes it. */
export function ruleOf({ evaluation, missing, threshold }: MetricAlarm): Rule {
  const { comparison, value: limit } = threshold;
  const breaches = {
    GreaterThanOrEqualToThreshold: (value: number) => value >= limit,
    GreaterThanThreshold: (value: number) => value > limit,
    LessThanThreshold: (value: number) => value < limit,
  }[comparison];
  return { ...evaluation, treat: missing.treat, breaches };
}

/**
 * The value that an alarm compares, from one period's metrics by their ids. Metric math is read as JavaScript, which it resembles
 * enough: IF, FILL and SUM(METRICS()) are the functions used, and a metric that is missing spoils what uses it outside FILL.
 */
export function comparedValue(
  { metrics, expression }: MetricAlarm,
  given: Readonly<Record<string, number>>,
): number | null {
  const ids = Object.keys(metrics);
  const values = ids.map((id) => given[id] ?? Number.NaN);
  if (expression === undefined) return given[ids[0] ?? ""] ?? null;
  const functions = {
    IF: (condition: boolean, yes: number, no: number) => (condition ? yes : no),
    FILL: (value: number, filler: number) => (Number.isNaN(value) ? filler : value),
    METRICS: () => values.filter((value) => !Number.isNaN(value)),
    SUM: (list: readonly number[]) => (list.length === 0 ? Number.NaN : list.reduce((sum, value) => sum + value, 0)),
  };
  const compute = new Function(...ids, ...Object.keys(functions), `return ${expression}`);
  const value: unknown = compute(...values, ...Object.values(functions));
  assert.equal(typeof value, "number", expression);
  return Number.isFinite(value) ? Number(value) : null;
}

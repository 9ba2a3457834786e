import type * as pulumi from "@pulumi/pulumi";
import { atLeast, calm, type MetricAlarm } from "./alarm.ts";

/**
 * The alarm on the alarms' own way: events that EventBridge could not hand to the topic. CloudWatch publishes by another grant, so
 * this one arrives although they did not.
 *
 * @param ruleNames of the rules that have the topic as their target, by the ids of the metrics
 */
export function deliveryAlarm(ruleNames: Readonly<Record<string, pulumi.Input<string>>>): MetricAlarm {
  const metrics = Object.entries(ruleNames).map(
    ([id, RuleName]) =>
      [id, { namespace: "AWS/Events", name: "FailedInvocations", dimensions: { RuleName }, stat: "Sum" }] as const,
  );
  return {
    key: "events-undelivered",
    side: "service",
    meaning: "EventBridge could not hand an event to the alarms' topic, so someone was not told",
    unit: "events",
    metrics: Object.fromEntries(metrics),
    expression: "SUM(METRICS())",
    evaluation: { periodSeconds: 300, datapoints: 1, evaluationPeriods: 1 },
    threshold: atLeast(1, "EventBridge counts only what it gave up after its retries"),
    missing: calm("EventBridge sends the metric only when it is not zero"),
  };
}

import type * as pulumi from "@pulumi/pulumi";

/** A metric of CloudWatch with the statistic that is looked at. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, pulumi.Input<string>>>;
  readonly stat: "Average" | "Maximum" | "Minimum" | "Sum" | "p50" | "p99";
}

/** How CloudWatch counts a period without data ("Configuring how CloudWatch alarms treat missing data"). */
export interface MissingData {
  readonly treat: "breaching" | "notBreaching";
  readonly because: string;
}

/** How many of the latest periods must breach: M of N. */
export interface Evaluation {
  readonly periodSeconds: number;
  /** M: breaching periods that it takes. */
  readonly datapoints: number;
  /** N: latest periods that are looked at. */
  readonly evaluationPeriods: number;
}

/** What a value is compared with, and why with that. */
export interface Threshold {
  readonly comparison: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
  readonly value: number;
  readonly because: string;
}

/** Where on the page of the dashboard, and in the runbook, an alarm belongs: whose fault it points to first. */
export type Side = "database" | "proxy" | "service";

/** An alarm on metrics, as data. */
export interface MetricAlarm {
  /** Last part of the alarm's name, and heading of its section in docs/runbook.md. Never reuse one for something else. */
  readonly key: string;
  readonly side: Side;
  /** What it means when it fires: one sentence, without a full stop. */
  readonly meaning: string;
  readonly unit: string;
  /** By the ids that `expression` names. */
  readonly metrics: Readonly<Record<string, Metric>>;
  /** Metric math over the ids. Left out, the only metric is compared as it is. */
  readonly expression?: string;
  readonly evaluation: Evaluation;
  readonly threshold: Threshold;
  readonly missing: MissingData;
}

/** Events of one kind, as EventBridge matches them. */
export interface EventMatch {
  readonly source: string;
  readonly detailType: string;
  /** Beside the detail: ARNs that the event names. */
  readonly resources?: readonly pulumi.Input<string>[];
  readonly detail: Readonly<Record<string, unknown>>;
  /**
   * Whether the event reaches EventBridge only through a CloudTrail trail that logs management events in the region. Without one
   * the rule is silent for ever, and nothing says so.
   */
  readonly needsTrail: boolean;
}

/** An alarm on an event: every match is told. */
export interface EventAlarm {
  readonly key: string;
  readonly side: Side;
  readonly meaning: string;
  readonly event: EventMatch;
  /** Path in the event to what happened, for the message. */
  readonly says: string;
}

/**
 * Multi-AZ failover "typically 60–120 seconds" ("Failing over a Multi-AZ DB instance", Amazon RDS User Guide): nobody can shorten
 * it, so nobody is woken for it.
 */
export const FAILOVER_SECONDS = 120;

/**
 * A rotation is typically over in less than this. In it the database has the new password and the secret the old one, so every
 * new log-in fails; the service's budget for retries is made to outlast it.
 */
export const ROTATION_WINDOW_SECONDS = 60;

/**
 * M of N one-minute periods that a disturbance of known length cannot reach. One that is no longer than `seconds` touches at most
 * `ceil(seconds / 60) + 1` periods, wherever it begins; it takes one more. N leaves room for two quiet periods in between, since
 * what fails for good does not fail in every minute when few clients try.
 */
export function outlasting(seconds: number): Evaluation {
  const datapoints = Math.ceil(seconds / 60) + 2;
  return { periodSeconds: 60, datapoints, evaluationPeriods: datapoints + 2 };
}

/** Every one of the latest minutes. */
export function forMinutes(minutes: number): Evaluation {
  return { periodSeconds: 60, datapoints: minutes, evaluationPeriods: minutes };
}

export function above(value: number, because: string): Threshold {
  return { comparison: "GreaterThanThreshold", value, because };
}

export function atLeast(value: number, because: string): Threshold {
  return { comparison: "GreaterThanOrEqualToThreshold", value, because };
}

export function below(value: number, because: string): Threshold {
  return { comparison: "LessThanThreshold", value, because };
}

/** No data means that nothing happened. */
export function calm(because: string): MissingData {
  return { treat: "notBreaching", because };
}

/** No data means that what should report is gone. */
export function alarming(because: string): MissingData {
  return { treat: "breaching", because };
}

import type * as pulumi from "@pulumi/pulumi";
import type { Metric, MetricAlarm } from "./alarm.ts";

/** Where a widget stands on the page of 24 columns. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A widget as CloudWatch takes it ("Dashboard body structure and syntax"). */
export interface Widget extends Box {
  readonly type: "alarm" | "metric" | "text";
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A line of a graph: a metric, or metric math over those of the same graph. */
export interface Line {
  readonly label: string;
  readonly metric?: Metric;
  readonly expression?: string;
  readonly id?: string;
  /** Only there for an expression. */
  readonly hidden?: boolean;
  /** On the right axis, for another unit. */
  readonly right?: boolean;
}

export function text(box: Box, markdown: string): Widget {
  return { type: "text", ...box, properties: { markdown } };
}

/** The states of alarms, by ARN. */
export function alarmStates(box: Box, title: string, alarms: pulumi.Input<readonly string[]>): Widget {
  return { type: "alarm", ...box, properties: { title, alarms } };
}

export interface Graph {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly unit?: string;
  readonly threshold?: { readonly label: string; readonly value: number };
}

export function graph(box: Box, region: pulumi.Input<string>, { title, lines, unit, threshold }: Graph): Widget {
  return {
    type: "metric",
    ...box,
    properties: {
      title,
      region,
      view: "timeSeries",
      period: 60,
      metrics: lines.map(metricOf),
      yAxis: { left: { min: 0, ...(unit === undefined ? {} : { label: unit, showUnits: false }) } },
      ...(threshold === undefined ? {} : { annotations: { horizontal: [threshold] } }),
    },
  };
}

/** The graph of what an alarm looks at, with its threshold as a line. */
export function graphOf({ key, unit, metrics, expression, threshold }: MetricAlarm): Graph {
  const lines = Object.entries(metrics).map(
    ([id, metric]): Line => ({ id, label: metric.name, metric, hidden: expression !== undefined }),
  );
  return {
    title: key,
    unit,
    lines: expression === undefined ? lines : [{ label: key, expression }, ...lines],
    threshold: { label: "alarm", value: threshold.value },
  };
}

function metricOf({ label, metric, expression, id, hidden, right }: Line): readonly unknown[] {
  const options = {
    label,
    ...(id === undefined ? {} : { id }),
    ...(hidden ? { visible: false } : {}),
    ...(right ? { yAxis: "right" } : {}),
  };
  if (metric === undefined) return [{ expression, ...options }];
  return [
    metric.namespace,
    metric.name,
    ...Object.entries(metric.dimensions).flat(),
    { ...options, stat: metric.stat },
  ];
}

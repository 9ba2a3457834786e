import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, beforeEach } from "mocha";

/** One series of a metric: its attributes but for the pool's name, and its value or how often something was recorded. */
export interface Series {
  readonly pool: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
  /** Sum of what was recorded, of a histogram. */
  readonly sum: number | undefined;
}

/** One metric, as the SDK exports it. */
export interface Metric {
  readonly unit: string;
  readonly scope: string;
  readonly series: readonly Series[];
}

export interface CollectedMetrics {
  /** Collects now: every metric by name. */
  collect(): Promise<ReadonlyMap<string, Metric>>;
}

/** Registers the SDK for each test of the suite that calls it, before pools are made, and takes it away afterwards. */
export function collectedMetrics(): CollectedMetrics {
  let exporter: InMemoryMetricExporter;
  let provider: MeterProvider;
  beforeEach(() => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    // Collects when asked to; a day is beyond any test.
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
    provider = new MeterProvider({ readers: [reader] });
    metrics.setGlobalMeterProvider(provider);
  });
  afterEach(async () => {
    metrics.disable();
    await provider.shutdown();
  });

  return {
    async collect() {
      exporter.reset();
      await provider.forceFlush();
      const found = new Map<string, Metric>();
      for (const { scope, metrics: ofScope } of exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)) {
        for (const { descriptor, dataPoints } of ofScope) {
          const series = (dataPoints as DataPoint<number | Histogram>[]).map(toSeries);
          found.set(descriptor.name, { unit: descriptor.unit, scope: scope.name, series });
        }
      }
      return found;
    },
  };
}

function toSeries({ attributes, value }: DataPoint<number | Histogram>): Series {
  const { "db.client.connection.pool.name": pool, ...others } = attributes;
  const recorded = typeof value === "number" ? { value, sum: undefined } : { value: value.count, sum: value.sum };
  return { pool, attributes: others, ...recorded };
}

/**
 * What the proxy counts, under the names that RDS Proxy gives in CloudWatch, namespace `AWS/RDS` ("Monitoring RDS Proxy
 * metrics with Amazon CloudWatch", Amazon RDS User Guide). Only what a session-level relay can measure is here.
 */

/** Totals since the proxy started; CloudWatch shows them as sums over a period. */
const COUNTERS = [
  "ClientConnectionsReceived",
  "ClientConnectionsSetupSucceeded",
  "ClientConnectionsSetupFailedAuth",
  "ClientConnectionsClosed",
  "DatabaseConnectionRequests",
  "DatabaseConnectionRequestsWithTLS",
  "DatabaseConnectionsSetupSucceeded",
  "DatabaseConnectionsSetupFailed",
  "QueryRequests",
  "QueryRequestsTLS",
  "QueryRequestsNoTLS",
] as const;

/** How many there are right now. */
const GAUGES = [
  "ClientConnections",
  "ClientConnectionsTLS",
  "ClientConnectionsNoTLS",
  "DatabaseConnections",
  "DatabaseConnectionsWithTLS",
  "DatabaseConnectionsCurrentlyBorrowed",
] as const;

type Counter = (typeof COUNTERS)[number];
type Gauge = (typeof GAUGES)[number];

/**
 * Metrics by CloudWatch's names: counters as totals since the start, gauges as they stand.
 * `DatabaseConnectionsBorrowLatency`, the mean in microseconds, appears with the first connection that was borrowed.
 */
export type ProxyMetrics = Readonly<
  Record<Counter | Gauge | "MaxDatabaseConnectionsAllowed", number> & { DatabaseConnectionsBorrowLatency?: number }
>;

/** Counts for one proxy. */
export class MetricsRecorder {
  readonly #values = new Map<Counter | Gauge, number>([...COUNTERS, ...GAUGES].map((name) => [name, 0]));
  readonly #maxDatabaseConnections: number;
  #borrowMicroseconds = 0;
  #borrows = 0;

  constructor(maxDatabaseConnections: number) {
    this.#maxDatabaseConnections = maxDatabaseConnections;
  }

  count(...names: Counter[]): void {
    for (const name of names) this.#add(name, 1);
  }

  /** Raises the gauges by one; the function that comes back lowers them again, once however often it is called. */
  hold(...names: Gauge[]): () => void {
    for (const name of names) this.#add(name, 1);
    let held = true;
    return () => {
      if (held) for (const name of names) this.#add(name, -1);
      held = false;
    };
  }

  borrowed(milliseconds: number): void {
    this.#borrowMicroseconds += milliseconds * 1000;
    this.#borrows += 1;
  }

  snapshot(): ProxyMetrics {
    const values = Object.fromEntries(this.#values) as Record<Counter | Gauge, number>;
    const latency = { DatabaseConnectionsBorrowLatency: Math.round(this.#borrowMicroseconds / this.#borrows) };
    return {
      ...values,
      MaxDatabaseConnectionsAllowed: this.#maxDatabaseConnections,
      ...(this.#borrows > 0 ? latency : {}),
    };
  }

  #add(name: Counter | Gauge, change: number): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + change);
  }
}

import { type Attributes, type BatchObservableResult, type Meter, metrics, type Observable } from "@opentelemetry/api";
import type { PoolTelemetry } from "./telemetry.ts";

/** How many connections there are, and how many callers without one. */
export interface PoolState {
  readonly idle: number;
  /** Lent, or being looked at before they are. */
  readonly used: number;
  /** Callers that wait. */
  readonly pending: number;
}

/** What the pool is called and how large it is at most. */
export interface MeteredPool {
  readonly name: string;
  readonly max: number;
  /** Its state whenever somebody collects metrics; all is 0 once it has ended. */
  state(): PoolState;
}

/** Name of the meter, and of the metrics that are ours and not the convention's. */
const METER = "rds-iam-pool";
/** Attribute of "Semantic conventions for database client metrics" (OpenTelemetry), required for every metric of a pool. */
const POOL_NAME = "db.client.connection.pool.name";
/** Attribute of the same. */
const STATE = "db.client.connection.state";
/** Attribute of "Semantic conventions for errors": absent where there was no error. */
const ERROR = "error.type";

/** Bounds of histograms, in seconds: those that the convention advises for the duration of an operation, … */
const OPERATION_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
/** … going on to the longest that a caller waits unless told otherwise, … */
const WAIT_SECONDS = [...OPERATION_SECONDS, 30, 60, 90];
/** … and beginning at what signing takes once the credentials are known: 50 µs. */
const MINT_SECONDS = [0.000_05, 0.000_1, 0.000_25, ...OPERATION_SECONDS];

/**
 * The metrics of one pool, by "Semantic conventions for database client metrics" (OpenTelemetry; connection pools are in status
 * "Development"); those whose names begin with `rds_iam_pool` are our own. They go to the meter provider that is registered when the pool is made; without
 * one, each is a function that does nothing. Instruments and attributes are made once a pool, none for a statement.
 */
export class PoolMetrics implements PoolTelemetry {
  readonly #attributes: Attributes;
  /** Each reason's attributes. Reasons and codes come from tables, so they are few. */
  readonly #failed = new Map<string, Attributes>();
  readonly #instruments: ReturnType<typeof createInstruments>;
  readonly #stopObserving: () => void;

  constructor(pool: MeteredPool) {
    const meter = metrics.getMeter(METER);
    this.#attributes = { [POOL_NAME]: pool.name };
    this.#instruments = createInstruments(meter);
    this.#stopObserving = observe(meter, pool);
  }

  minted(tookMs: number): void {
    this.#instruments.mintTime.record(tookMs / 1_000, this.#attributes);
  }

  mintFailed(tookMs: number, code: string): void {
    this.#instruments.mintTime.record(tookMs / 1_000, this.#failure(code));
  }

  established(tookMs: number): void {
    this.#instruments.establishments.add(1, this.#attributes);
    this.#instruments.createTime.record(tookMs / 1_000, this.#attributes);
  }

  establishmentFailed(_tookMs: number, reason: string, retried: boolean): void {
    const attributes = this.#failure(reason);
    this.#instruments.establishments.add(1, attributes);
    if (retried) this.#instruments.retries.add(1, attributes);
  }

  acquired(waitedMs: number): void {
    this.#instruments.waitTime.record(waitedMs / 1_000, this.#attributes);
  }

  acquireFailed(_waitedMs: number, code: string): void {
    this.#instruments.refusals.add(1, this.#failure(code));
    if (code === "ACQUIRE_TIMEOUT") this.#instruments.timeouts.add(1, this.#attributes);
  }

  returned(usedMs: number): void {
    this.#instruments.useTime.record(usedMs / 1_000, this.#attributes);
  }

  /** Lets go of the pool, whose numbers are 0 from now on. */
  ended(): void {
    this.#stopObserving();
  }

  #failure(reason: string): Attributes {
    let attributes = this.#failed.get(reason);
    if (!attributes) {
      attributes = { ...this.#attributes, [ERROR]: reason };
      this.#failed.set(reason, attributes);
    }
    return attributes;
  }
}

function createInstruments(meter: Meter) {
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: "s", description, advice: { explicitBucketBoundaries } });
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  return {
    createTime: histogram(
      "db.client.connection.create_time",
      "The time it took to create a new connection.",
      OPERATION_SECONDS,
    ),
    waitTime: histogram(
      "db.client.connection.wait_time",
      "The time it took to obtain an open connection from the pool.",
      WAIT_SECONDS,
    ),
    useTime: histogram(
      "db.client.connection.use_time",
      "The time between borrowing a connection and returning it to the pool.",
      OPERATION_SECONDS,
    ),
    timeouts: counter(
      "db.client.connection.timeouts",
      "{timeout}",
      "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    ),
    mintTime: histogram(
      "rds_iam_pool.token.mint_time",
      "The time it took to mint an IAM token, or to fail to.",
      MINT_SECONDS,
    ),
    establishments: counter(
      "rds_iam_pool.connection.establishments",
      "{attempt}",
      "Attempts to establish a physical connection.",
    ),
    retries: counter("rds_iam_pool.connection.retries", "{attempt}", "Failed attempts that another one follows."),
    refusals: counter("rds_iam_pool.connection.refusals", "{request}", "Callers that got no connection."),
  };
}

/** Tells the pool's state whenever metrics are collected, until the function that it returns is called. */
function observe(meter: Meter, { name, max, state }: MeteredPool): () => void {
  const upDown = (of: string, unit: string, description: string) =>
    meter.createObservableUpDownCounter(`db.client.connection.${of}`, { unit, description });
  const count = upDown(
    "count",
    "{connection}",
    "The number of connections that are currently in state described by the state attribute.",
  );
  const most = upDown("max", "{connection}", "The maximum number of open connections allowed.");
  const mostIdle = upDown("idle.max", "{connection}", "The maximum number of idle open connections allowed.");
  const leastIdle = upDown("idle.min", "{connection}", "The minimum number of idle open connections allowed.");
  const pending = upDown(
    "pending_requests",
    "{request}",
    "The number of current pending requests for an open connection.",
  );
  const observables: Observable[] = [count, most, mostIdle, leastIdle, pending];
  const attributes = { [POOL_NAME]: name };
  const idleAttributes = { ...attributes, [STATE]: "idle" };
  const usedAttributes = { ...attributes, [STATE]: "used" };
  let read: (() => PoolState) | undefined = state;

  const tell = (result: BatchObservableResult) => {
    const { idle, used, pending: waiting } = read?.() ?? { idle: 0, used: 0, pending: 0 };
    result.observe(count, idle, idleAttributes);
    result.observe(count, used, usedAttributes);
    result.observe(most, read ? max : 0, attributes);
    result.observe(mostIdle, read ? max : 0, attributes);
    result.observe(leastIdle, 0, attributes);
    result.observe(pending, waiting, attributes);
    // Not at once: the SDK is going through its callbacks.
    if (!read) queueMicrotask(() => meter.removeBatchObservableCallback(tell, observables));
  };
  meter.addBatchObservableCallback(tell, observables);
  return () => {
    // The SDK repeats the last value of whatever it no longer asks, so it asks once more, of nothing that holds the pool.
    read = undefined;
  };
}

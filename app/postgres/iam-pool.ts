import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import { channelTelemetry } from "./channels.ts";
import { systemClock } from "./clock.ts";
import type { Connections } from "./connections.ts";
import { defaultCredentials, explainCredentials } from "./credentials.ts";
import { PoolError } from "./errors.ts";
import { Reporter, silentLog } from "./event-log.ts";
import { EstablishmentGate } from "./gate.ts";
import { verifyWithin } from "./hooks.ts";
import { Lending } from "./lending.ts";
import { PoolMetrics, type PoolState } from "./metrics.ts";
import { checkOptions } from "./option-checks.ts";
import { type Limits, limitsOf, type RdsIamPoolOptions } from "./options.ts";
import { scrubError } from "./scrub.ts";
import { runStatement, type StatementDone } from "./statement.ts";
import { tellBoth } from "./telemetry.ts";
import { tokenSource } from "./token.ts";
import { tokenClient } from "./token-client.ts";
import { type TransactionClient, type TransactionOptions, transaction } from "./transaction.ts";

/** The shortest life is this share of the longest, so that connections born together do not die together. */
const SHORTEST_LIFE = 0.6;

type Lent = (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void;
type Row = pg.QueryResultRow;

/**
 * A `pg.Pool` without a password: each physical connection authenticates to RDS Proxy with an IAM token of its own, over verified TLS.
 * Establishment, and nothing else, is retried within a budget, as the rotation of the database's secret makes it fail for a few seconds.
 * A statement that fails costs no connection, and no connection is lent in a transaction.
 *
 * @throws PoolError `POOL_CONFIGURATION` by the constructor, with every mistake
 */
export class RdsIamPool extends pg.Pool {
  /** The limits in force, defaults among them. */
  readonly limits: Limits;
  readonly #lending: Lending;
  readonly #gate: EstablishmentGate;
  readonly #metrics: PoolMetrics;
  /** Ends the attempts and pauses that run when the pool ends. */
  readonly #ended: AbortController;
  /** Connections whose sockets are open, or about to be. */
  readonly #standing = new Set<pg.Client>();
  #drained: Promise<void> | undefined;

  constructor(options: RdsIamPoolOptions) {
    checkOptions(options);
    const limits = limitsOf(options);
    const { host, user, database, region, ca, clock = systemClock, random = Math.random } = options;
    const explain = options.signer ? undefined : explainCredentials;
    const signer =
      options.signer ??
      new Signer({ hostname: host, port: limits.port, username: user, region, credentials: defaultCredentials() });
    const ended = new AbortController();
    const { name = `${user}@${host}/${database}` } = options;
    const metrics = new PoolMetrics({ name, max: limits.max, state: () => this.#state() });
    const telemetry = tellBoth(metrics, channelTelemetry(name));
    super({
      ...passedOn(options, limits),
      host,
      port: limits.port,
      user,
      database,
      max: limits.max,
      idleTimeoutMillis: limits.idleTimeoutMillis,
      ssl: { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
      Client: tokenClient({
        tokens: tokenSource(signer, limits.mintTimeoutMillis, clock, telemetry, explain),
        reachMs: limits.reachTimeoutMillis,
        attemptMs: limits.attemptTimeoutMillis,
        silenceMs: limits.silenceTimeoutMillis,
        onConnect: options.onConnect,
        opening: (client) => this.#follow(client),
        signal: ended.signal,
      }),
    });
    this.#ended = ended;
    this.#metrics = metrics;
    this.#gate = new EstablishmentGate(limits.maxEstablishing, clock, random);
    this.limits = limits;
    const reporter = new Reporter(options.log ?? silentLog, { host, user, region });
    this.#lending = new Lending({
      connections: this.#connections(),
      limits,
      identity: { host, user, region },
      gate: this.#gate,
      clock,
      reporter,
      telemetry,
      signal: ended.signal,
    });
    jitterLifetime(this.options, limits.maxLifetimeSeconds, random);
    Object.defineProperty(this, "waitingCount", { get: () => this.#lending.waiting });
    // An `error` event without a listener ends the process.
    this.on("error", (error) => {
      // Ahead of every other listener, who may print it.
      scrubError(error);
      reporter.report("warn", "CONNECTION_LOST", error, "An idle connection was lost");
    });
  }

  /** Lends a connection, as `pg.Pool` does; rejects with `AcquireError` (`CONNECT_FAILED`, `ACQUIRE_TIMEOUT`) or `POOL_ENDED`. */
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Lent): void;
  override connect(callback?: Lent): Promise<pg.PoolClient> | undefined {
    if (callback) {
      this.#lending.obtain((error, client) => {
        // This loan's own: called again, it must not end the next one.
        const release = client?.release;
        callback(error, client, release ? (discard) => release(asRelease(discard)) : noop);
      });
      return;
    }
    return new Promise<pg.PoolClient>((resolve, reject) => {
      this.#lending.obtain((error, client) => (client ? resolve(client) : reject(error)));
    }).catch(withOwnStack);
  }

  /** Runs one statement on a connection of its own, which goes back when the server is done with it, whether the statement failed or not. */
  override query<T extends pg.Submittable>(queryStream: T): T;
  override query<R extends unknown[] = unknown[], I = unknown[]>(
    config: pg.QueryArrayConfig<I>,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryArrayResult<R>>;
  override query<R extends Row = Row, I = unknown[]>(
    text: string | pg.QueryConfig<I>,
    values?: pg.QueryConfigValues<I>,
  ): Promise<pg.QueryResult<R>>;
  override query<R extends unknown[] = unknown[], I = unknown[]>(
    config: pg.QueryArrayConfig<I>,
    callback: (error: Error, result: pg.QueryArrayResult<R>) => void,
  ): void;
  override query<R extends Row = Row, I = unknown[]>(
    text: string | pg.QueryConfig<I>,
    callback: (error: Error, result: pg.QueryResult<R>) => void,
  ): void;
  override query<R extends Row = Row, I = unknown[]>(
    text: string,
    values: pg.QueryConfigValues<I>,
    callback: (error: Error, result: pg.QueryResult<R>) => void,
  ): void;
  override query(statement: unknown, values?: unknown, callback?: unknown): unknown {
    if (typeof values === "function") return runStatement(this.#lending, statement, undefined, values as StatementDone);
    if (typeof callback === "function")
      return runStatement(this.#lending, statement, values, callback as StatementDone);
    // Refused through itself, as pg.Pool does.
    if (typeof statement === "function") return runStatement(this.#lending, statement, undefined, noop);
    return new Promise((resolve, reject) => {
      runStatement(this.#lending, statement, values, (error, result) => (error ? reject(error) : resolve(result)));
    }).catch(withOwnStack);
  }

  /** Runs `work` in a transaction: see {@link transaction}. */
  transaction<T>(work: (client: TransactionClient) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transaction(this, work, options);
  }

  /**
   * Ends the pool: whoever waits is rejected with `POOL_ENDED`, attempts are called off, work that runs has `endTimeoutMillis` to finish, and
   * then its connections are closed. Never rejects; may be called again.
   */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    this.#drained ??= this.#drain();
    if (!callback) return this.#drained;
    this.#drained.then(callback);
  }

  async #drain(): Promise<void> {
    const returned = super.end();
    const reason = new PoolError("POOL_ENDED", "The pool was ended while a connection was being obtained");
    this.#lending.close(reason);
    this.#ended.abort(reason);
    const limit = Promise.withResolvers<void>();
    const timer = setTimeout(limit.resolve, this.limits.endTimeoutMillis);
    await Promise.race([returned.then(() => allEnded(this.#standing)), limit.promise]);
    clearTimeout(timer);
    const message = `The pool was ended, and this work did not end within ${this.limits.endTimeoutMillis} ms`;
    for (const client of this.#standing) client.connection.stream.destroy(new PoolError("POOL_ENDED", message));
    await allEnded(this.#standing);
    this.#metrics.ended();
  }

  #follow(client: pg.Client): void {
    this.#standing.add(client);
    client.once("end", () => this.#standing.delete(client));
  }

  /** What metrics tell of the pool. One that is being established is neither idle nor used. */
  #state(): PoolState {
    const { idleCount: idle, totalCount } = this;
    return { idle, used: Math.max(0, totalCount - idle - this.#gate.running), pending: this.#lending.pending };
  }

  /** The connections as `pg.Pool` keeps them. */
  #connections(): Connections {
    const pool = this;
    return {
      get idleCount() {
        return pool.idleCount;
      },
      get totalCount() {
        return pool.totalCount;
      },
      take: (taken) => super.connect(taken),
    };
  }
}

/** What node-postgres' pool and client do as they always do. */
function passedOn(options: RdsIamPoolOptions, { attemptTimeoutMillis }: Limits): pg.PoolConfig {
  const { maxUses, allowExitOnIdle, query_timeout, application_name, types } = options;
  const verify = options.verify && verifyWithin(attemptTimeoutMillis, options.verify);
  const given = { maxUses, allowExitOnIdle, query_timeout, application_name, types, verify };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** pg-pool reads its lifetime anew for each physical connection, so each gets one of its own. */
function jitterLifetime(options: pg.PoolOptions, longest: number, random: () => number): void {
  Object.defineProperty(options, "maxLifetimeSeconds", {
    enumerable: true,
    get: () => longest * (1 - (1 - SHORTEST_LIFE) * random()),
  });
}

async function allEnded(clients: Iterable<pg.Client>): Promise<void> {
  await Promise.all([...clients].map((client) => new Promise((resolve) => client.once("end", resolve))));
}

/** A stack that leads to the caller, instead of one that leads to a socket: as in `pg.Pool`. */
function withOwnStack(error: unknown): never {
  if (error instanceof Error) Error.captureStackTrace(error);
  throw error;
}

/** What `done` of `pg.Pool` is given: anything that is true discards the connection. */
function asRelease(release: unknown): Error | boolean {
  return release instanceof Error ? release : Boolean(release);
}

function noop(): void {}

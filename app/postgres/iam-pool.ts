import { Signer } from "@aws-sdk/rds-signer";
import pg from "pg";
import { type Clock, systemClock } from "./clock.ts";
import { errorCode, PoolError } from "./errors.ts";
import { backoffMs, judgeEstablishmentError, type Verdict } from "./establishment.ts";
import { type EventLog, silentLog } from "./event-log.ts";
import { findDeath, IDLE_CHECK_AFTER_MS } from "./idle-check.ts";
import { checkOptions, type RdsIamPoolOptions } from "./options.ts";
import { scrub } from "./scrub.ts";
import { tokenClient } from "./token-client.ts";

/** After a burst the pool gives its connections back; well above the age at which they are checked. */
const IDLE_TIMEOUT_MS = 300_000;
/** The shortest life is this share of the longest, so that connections born together do not die together. */
const SHORTEST_LIFE = 0.6;

type Obtained = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/**
 * A `pg.Pool` without a password: each physical connection authenticates to RDS Proxy with an IAM token of its own, over verified TLS.
 * Establishment, and nothing else, is retried within a budget, as the rotation of the database's secret makes it fail for a few seconds.
 * `connect()` rejects with the last error of establishment, unchanged, or with a `PoolError`.
 */
export class RdsIamPool extends pg.Pool {
  readonly #identity: { readonly host: string; readonly user: string; readonly region: string };
  readonly #connectRetryMs: number;
  readonly #acquireMs: number;
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Ends the attempts that run when the pool ends. */
  readonly #ended: AbortController;
  readonly #waiters = new Set<AbortController>();
  /** Errors of minting that the signer itself reported. */
  readonly #refusedMints: WeakSet<Error>;
  readonly #idleSince = new WeakMap<pg.PoolClient, number>();

  constructor(options: RdsIamPoolOptions) {
    checkOptions(options);
    const { host, port = 5432, user, database, region, ca, random = Math.random } = options;
    // One signer a pool: its provider chain fetches credentials once, however many connections open at the same time.
    const signer = options.signer ?? new Signer({ hostname: host, port, username: user, region });
    const refusedMints = new WeakSet<Error>();
    const ended = new AbortController();
    const acquireMs = options.acquireMs ?? 90_000;
    super({
      host,
      port,
      user,
      database,
      max: options.max ?? 10,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      // Only to clear the queue of callers that gave up: our own limit comes first.
      connectionTimeoutMillis: acquireMs + 1_000,
      keepAlive: true,
      ssl: { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
      ...(options.applicationName === undefined ? {} : { application_name: options.applicationName }),
      ...(options.queryMs === undefined ? {} : { query_timeout: options.queryMs }),
      Client: tokenClient({
        mint: () => mint(signer, refusedMints),
        mintMs: options.mintMs ?? 10_000,
        reachMs: options.reachMs ?? 5_000,
        attemptMs: options.attemptMs ?? 35_000,
        signal: ended.signal,
      }),
    });
    this.#identity = { host, user, region };
    this.#connectRetryMs = options.connectRetryMs ?? 60_000;
    this.#acquireMs = acquireMs;
    this.#log = options.log ?? silentLog;
    this.#clock = options.clock ?? systemClock;
    this.#random = random;
    this.#ended = ended;
    this.#refusedMints = refusedMints;
    jitterLifetime(this.options, options.lifetimeSeconds ?? 1_500, random);
    // An `error` event without a listener ends the process; a connection that the server kills emits two, one of them late.
    this.on("error", (error) => this.#report("warn", "CONNECTION_LOST", error, "An idle connection was lost"));
    this.on("connect", (client) => client.on("error", () => {}));
    this.on("release", (_error, client) => this.#idleSince.set(client, this.#clock.now()));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Obtained): void;
  override connect(callback?: Obtained): Promise<pg.PoolClient> | undefined {
    const obtained = this.#obtain();
    if (callback === undefined) return obtained;
    obtained.then(
      (client) => callback(undefined, client, (release) => client.release(release as Error | boolean | undefined)),
      (error) => callback(error, undefined, () => {}),
    );
  }

  /** Ends the pool as `pg.Pool` does, and with it every attempt, pause and wait for a connection. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | undefined {
    const finished = callback === undefined ? super.end() : undefined;
    if (callback !== undefined) super.end(callback);
    const reason = new PoolError("POOL_ENDED", "The pool was ended while a connection was being obtained");
    for (const waiter of this.#waiters) waiter.abort(reason);
    this.#ended.abort(reason);
    return finished;
  }

  /** Obtains a connection within the overall limit. */
  async #obtain(): Promise<pg.PoolClient> {
    if (this.ending) throw new PoolError("POOL_ENDED", "The pool has ended and lends no connection");
    const waiter = new AbortController();
    const limit = `${this.#acquireMs} ms`;
    const timer = setTimeout(() => {
      waiter.abort(new PoolError("ACQUIRE_TIMEOUT", `No connection to ${this.#identity.host} within ${limit}`));
    }, this.#acquireMs);
    this.#waiters.add(waiter);
    try {
      return await this.#retry(waiter.signal);
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** Takes a living connection, retrying its establishment by the table of errors. */
  async #retry(signal: AbortSignal): Promise<pg.PoolClient> {
    let firstFailure: number | undefined;
    let lastError: unknown;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#takeLiving(signal);
      } catch (error) {
        if (error !== signal.reason) lastError = error;
        if (signal.aborted) throw this.#giveUp(signal, lastError);
        const verdict = this.#judge(error);
        firstFailure ??= this.#clock.now();
        const left = firstFailure + this.#connectRetryMs - this.#clock.now();
        if (!verdict.retry || left <= 0) {
          this.#report("error", errorCode(error), error, "No database connection", { attempt, reason: verdict.reason });
          throw error;
        }
        const delayMs = Math.round(Math.min(left, backoffMs(attempt, this.#random())));
        this.#report("info", "RETRYING", error, "Connecting again", { attempt, delayMs, reason: verdict.reason });
        await this.#clock.sleep(delayMs, signal).catch(() => {
          throw this.#giveUp(signal, lastError);
        });
      }
    }
  }

  /** What a wait that was cut short ends with: the error of the last attempt rather than the news that time is up. */
  #giveUp(signal: AbortSignal, lastError: unknown): unknown {
    if (this.ending) return signal.reason;
    const final = lastError ?? signal.reason;
    this.#report("error", errorCode(final), final, "No database connection in time", { limitMs: this.#acquireMs });
    return final;
  }

  #judge(error: unknown): Verdict {
    // What the signer reports is final: the SDK has retried its credentials endpoint by then, and hides the cause.
    if (error instanceof Error && this.#refusedMints.has(error)) return { reason: "MINT_FAILED", retry: false };
    return judgeEstablishmentError(error);
  }

  async #takeLiving(signal: AbortSignal): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#take(signal);
      const idleSince = this.#idleSince.get(client);
      if (idleSince === undefined || this.#clock.now() - idleSince < IDLE_CHECK_AFTER_MS) return client;
      const dead = await findDeath(client);
      if (dead === undefined) return client;
      client.release(dead);
      this.#report("warn", "CONNECTION_LOST", dead, "An idle connection did not answer");
    }
  }

  /** A connection of the pool; one that comes after the wait was given up goes back. */
  #take(signal: AbortSignal): Promise<pg.PoolClient> {
    const { promise, resolve, reject } = Promise.withResolvers<pg.PoolClient>();
    if (signal.aborted) {
      reject(signal.reason);
      return promise;
    }
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    super.connect().then((client) => {
      signal.removeEventListener("abort", abort);
      if (signal.aborted) client.release();
      else resolve(client);
    }, reject);
    return promise;
  }

  #report(level: "info" | "warn" | "error", code: string, error: unknown, message: string, more: object = {}): void {
    const detail = scrub(error instanceof Error ? error.message : String(error));
    this.#log[level]({ code, ...this.#identity, ...more, errorCode: errorCode(error), error: detail }, message);
  }
}

async function mint(signer: { getAuthToken(): Promise<string> }, refused: WeakSet<Error>): Promise<string> {
  try {
    return await signer.getAuthToken();
  } catch (error) {
    if (error instanceof Error) refused.add(error);
    throw error;
  }
}

/** pg-pool reads its lifetime anew for each physical connection, so each gets one of its own. */
function jitterLifetime(options: pg.PoolOptions, longest: number, random: () => number): void {
  Object.defineProperty(options, "maxLifetimeSeconds", {
    enumerable: true,
    get: () => longest * (1 - (1 - SHORTEST_LIFE) * random()),
  });
}

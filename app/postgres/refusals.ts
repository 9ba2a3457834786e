import { acquireTimeout, attemptOf, connectFailed } from "./acquire-errors.ts";
import type { Clock } from "./clock.ts";
import type { Connections } from "./connections.ts";
import type { PoolError } from "./errors.ts";
import { judgeEstablishmentError, type Verdict } from "./establishment.ts";
import type { Identity, Reporter } from "./event-log.ts";
import type { EstablishmentGate, Passage } from "./gate.ts";
import type { Limits } from "./options.ts";
import { scrubError } from "./scrub.ts";
import type { PoolTelemetry } from "./telemetry.ts";
import type { Waiter, WaitingLine } from "./waiting-line.ts";

/** What refusing needs to know of the pool. */
export interface RefusalsOptions {
  readonly line: WaitingLine;
  readonly connections: Connections;
  readonly gate: EstablishmentGate;
  readonly limits: Limits;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly telemetry: PoolTelemetry;
}

/** Decides who is turned away without a connection, and says why. */
export class Refusals {
  readonly #options: RefusalsOptions;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  /**
   * An establishment has failed: for some who wait it may have been the last.
   *
   * @param at when it began, in milliseconds since the epoch
   */
  failed(error: Error, passage: Passage, at: number, tookMs: number): void {
    const { clock, gate, identity, line, reporter, telemetry } = this.#options;
    // It becomes a cause of what callers are told, and they may print it.
    scrubError(error);
    const verdict = judgeEstablishmentError(error);
    const now = clock.now();
    const attempt = attemptOf(error, verdict, at, tookMs);
    // One that cannot pass is the attempt of one caller; what may pass is waited out by all.
    for (const waiter of verdict.retry ? line.all() : line.all().slice(0, 1)) {
      waiter.failures ??= { attempts: [], firstAt: now, lastError: error };
      waiter.failures.attempts.push(attempt);
      waiter.failures.lastError = error;
    }
    let delayMs = 0;
    if (verdict.retry) delayMs = passage.failed();
    else passage.left();
    for (const waiter of verdict.retry ? this.#exhausted(now) : line.all().slice(0, 1)) {
      line.leave(waiter);
      const more = { attempt: waiter.failures?.attempts.length, reason: verdict.reason };
      this.#turnAway(waiter, connectFailed(identity, waiter, verdict), "No database connection", more);
    }
    const retried = verdict.retry && line.length > 0;
    telemetry.establishmentFailed(tookMs, verdict.reason, retried);
    if (!retried) return;
    const more = { attempt: gate.failures, delayMs: Math.round(delayMs), reason: verdict.reason };
    reporter.report("info", "RETRYING", error, "Connecting again", more);
  }

  /** The overall limit of one who waits has passed. */
  late(waiter: Waiter): void {
    const { connections, gate, identity, limits } = this.#options;
    const { connectionTimeoutMillis: limitMs, max } = limits;
    const verdict: Verdict | undefined = waiter.failures && judgeEstablishmentError(waiter.failures.lastError);
    const { running } = gate;
    const lent = Math.max(0, connections.totalCount - connections.idleCount - running);
    const error = acquireTimeout(identity, waiter, verdict, limitMs, { max, lent, running });
    this.#turnAway(waiter, error, "No database connection in time", { limitMs });
  }

  /** Those whose budget for retries is spent. An attempt that follows a pause begun within the budget is still made. */
  #exhausted(now: number): readonly Waiter[] {
    const { limits, line } = this.#options;
    // Without a budget, an attempt that failed is that of one caller.
    if (limits.connectRetryMillis === 0) return line.all().slice(0, 1);
    return line.all().filter(({ failures }) => failures && now - failures.firstAt >= limits.connectRetryMillis);
  }

  #turnAway(waiter: Waiter, error: PoolError, message: string, more: object): void {
    const { clock, reporter, telemetry } = this.#options;
    const reported = waiter.failures?.lastError ?? error;
    reporter.report("error", error.code, reported, message, more);
    telemetry.acquireFailed(clock.now() - waiter.arrival.since, error.code);
    waiter.arrival.answer(error, undefined);
  }
}

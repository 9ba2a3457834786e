import type pg from "pg";
import { acquireTimeout, attemptOf, connectFailed } from "./acquire-errors.ts";
import type { Clock } from "./clock.ts";
import type { Connections } from "./connections.ts";
import { asError, errorCode, PoolError } from "./errors.ts";
import { judgeEstablishmentError, type Verdict } from "./establishment.ts";
import type { Identity, Reporter } from "./event-log.ts";
import type { EstablishmentGate, Passage } from "./gate.ts";
import { findDeath } from "./idle-check.ts";
import { Loans } from "./loans.ts";
import type { Limits } from "./options.ts";
import { isIdle } from "./readiness.ts";
import { settle } from "./settle.ts";
import type { PoolTelemetry } from "./telemetry.ts";
import { type Obtained, type Waiter, WaitingLine } from "./waiting-line.ts";

export interface LendingOptions {
  readonly connections: Connections;
  readonly limits: Limits;
  readonly identity: Identity;
  readonly gate: EstablishmentGate;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly telemetry: PoolTelemetry;
  /** Ends the pauses. */
  readonly signal: AbortSignal;
}

/**
 * Decides who gets which connection, and when one is made. Connections are made for the line and not for a caller: whoever waits longest gets
 * what is there first, be it new or given back, and one establishment at most runs for each that waits.
 */
export class Lending {
  readonly #options: LendingOptions;
  readonly #line: WaitingLine;
  /** Callers that found nobody waiting and a connection idle, until they have it: a turn of the event loop later. */
  readonly #direct = new Set<Obtained>();
  readonly #loans: Loans;
  /** Idle connections that are being taken, or looked at, for the line. */
  #underway = 0;
  /** Those of them that are being taken. */
  #borrowing = 0;
  #pausing = false;
  #closed = false;

  constructor(options: LendingOptions) {
    this.#options = options;
    const { clock, limits, reporter, telemetry } = options;
    this.#line = new WaitingLine(limits.connectionTimeoutMillis, (waiter) => this.#late(waiter));
    const onReturn = () => this.#dispatch();
    this.#loans = new Loans({ clock, reporter, telemetry, idleCheckMs: limits.idleCheckMillis, onReturn });
  }

  /** How many callers wait. */
  get pending(): number {
    return this.#line.length + this.#direct.size;
  }

  /** How many of them wait without a connection being made for them, as `pg.Pool` counts them. */
  get waiting(): number {
    return Math.max(0, this.#line.length - this.#options.gate.running) + this.#direct.size;
  }

  /** Tells the caller a connection or an error, never at once. */
  obtain(obtained: Obtained): void {
    if (this.#closed) {
      const refusal = new PoolError("POOL_ENDED", "The pool has ended and lends no connection");
      process.nextTick(obtained, refusal, undefined);
      return;
    }
    if (this.#line.length === 0 && this.#spareIdle > 0) {
      this.#lendDirectly(obtained);
      return;
    }
    this.#line.join(obtained, this.#options.clock.now());
    this.#dispatch();
  }

  /** Tells everyone who waits the reason, and lends nothing from now on. */
  close(reason: PoolError): void {
    this.#closed = true;
    for (const obtained of this.#direct) obtained(reason, undefined);
    this.#direct.clear();
    for (let waiter = this.#line.shift(); waiter; waiter = this.#line.shift()) waiter.obtained(reason, undefined);
  }

  /** Idle connections that nobody is about to take. */
  get #spareIdle(): number {
    return this.#options.connections.idleCount - this.#direct.size - this.#borrowing;
  }

  #lendDirectly(obtained: Obtained): void {
    const { clock, connections } = this.#options;
    const since = clock.now();
    this.#direct.add(obtained);
    connections.take((error, client) => {
      const stillWaits = this.#direct.delete(obtained);
      if (!stillWaits) client?.release();
      else if (client && this.#loans.isFresh(client)) obtained(undefined, this.#loans.lend(client, since));
      else {
        this.#line.join(obtained, since);
        this.#examine(error, client);
      }
      // Whoever came meanwhile saw an idle connection that was spoken for.
      if (this.#line.length > 0) this.#dispatch();
    });
  }

  /** Starts whatever is of use to those who wait. */
  #dispatch(): void {
    const { connections, gate, limits } = this.#options;
    while (!this.#closed && this.#line.length > this.#underway) {
      /** Connections that are on their way to those who wait, and so the place of the first to whom none is. */
      const coming = this.#underway + gate.running + this.#loans.settling;
      if (this.#spareIdle > 0) this.#line.actFor(this.#underway, () => this.#borrow());
      else if (this.#line.length <= coming) return;
      // What is idle is spoken for; pg.Pool would queue us behind it.
      else if (connections.idleCount > 0 || connections.totalCount >= limits.max) return;
      else if (gate.open) this.#line.actFor(coming, () => this.#establish());
      else {
        this.#dispatchAfterPause();
        return;
      }
    }
  }

  #dispatchAfterPause(): void {
    const { clock, gate, signal } = this.#options;
    const { pauseMs } = gate;
    if (this.#pausing || pauseMs === 0) return;
    this.#pausing = true;
    const resume = () => {
      this.#pausing = false;
      this.#dispatch();
    };
    clock.sleep(pauseMs, signal).then(resume, resume);
  }

  /** Takes an idle connection for the line. */
  #borrow(): void {
    this.#underway += 1;
    this.#borrowing += 1;
    this.#options.connections.take((error, client) => {
      this.#underway -= 1;
      this.#borrowing -= 1;
      this.#examine(error, client);
      this.#dispatch();
    });
  }

  /** Makes a connection for the line. */
  #establish(): void {
    const { clock, connections, gate, telemetry } = this.#options;
    const passage = gate.enter();
    const began = clock.now();
    const at = Date.now();
    connections.take((error, client) => {
      const tookMs = clock.now() - began;
      if (client) {
        passage.succeeded();
        telemetry.established(tookMs);
        this.#serve(client);
      } else this.#failed(asError(error), passage, at, tookMs);
      this.#dispatch();
    });
  }

  #failed(error: Error, passage: Passage, at: number, tookMs: number): void {
    const { clock, gate, identity, reporter, telemetry } = this.#options;
    if (this.#closed) {
      passage.left();
      return;
    }
    const verdict = judgeEstablishmentError(error);
    const now = clock.now();
    const attempt = attemptOf(error, verdict, at, tookMs);
    for (const waiter of this.#line.all()) {
      waiter.failures ??= { attempts: [], firstAt: now, lastError: error };
      waiter.failures.attempts.push(attempt);
      waiter.failures.lastError = error;
    }
    let delayMs = 0;
    if (verdict.retry) delayMs = passage.failed();
    else passage.left();
    for (const waiter of verdict.retry ? this.#exhausted(now) : this.#line.all().slice(0, 1)) {
      this.#line.leave(waiter);
      const more = { attempt: waiter.failures?.attempts.length, reason: verdict.reason };
      this.#turnAway(waiter, connectFailed(identity, waiter, verdict), "No database connection", more);
    }
    const retried = verdict.retry && this.#line.length > 0;
    telemetry.establishmentFailed(tookMs, verdict.reason, retried);
    if (!retried) return;
    const more = { attempt: gate.failures, delayMs: Math.round(delayMs), reason: verdict.reason };
    reporter.report("info", "RETRYING", error, "Connecting again", more);
    this.#dispatchAfterPause();
  }

  /** Those whose budget for retries is spent. An attempt that follows a pause begun within the budget is still made. */
  #exhausted(now: number): readonly Waiter[] {
    const { connectRetryMillis } = this.#options.limits;
    return this.#line.all().filter(({ failures }) => failures && now - failures.firstAt >= connectRetryMillis);
  }

  #late(waiter: Waiter): void {
    const { connections, identity, limits } = this.#options;
    const { connectionTimeoutMillis: limitMs, max } = limits;
    const verdict: Verdict | undefined = waiter.failures && judgeEstablishmentError(waiter.failures.lastError);
    const lent = connections.totalCount - connections.idleCount - this.#options.gate.running;
    const error = acquireTimeout(identity, waiter, verdict, limitMs, { max, lent });
    this.#turnAway(waiter, error, "No database connection in time", { limitMs });
  }

  #turnAway(waiter: Waiter, error: PoolError, message: string, more: object): void {
    const { clock, reporter, telemetry } = this.#options;
    const reported = waiter.failures?.lastError ?? error;
    reporter.report("error", errorCode(reported), reported, message, more);
    telemetry.acquireFailed(clock.now() - waiter.since, error.code);
    waiter.obtained(error, undefined);
  }

  /** Lends a connection that was idle, once it is known to live. */
  #examine(error: Error | undefined, client: pg.PoolClient | undefined): void {
    if (!client) {
      // The idle one was gone by then, and the one that was made for it failed.
      this.#failed(asError(error), this.#options.gate.enter(), Date.now(), 0);
    } else if (this.#loans.isFresh(client)) this.#serve(client);
    else {
      this.#underway += 1;
      void this.#revive(client).then((dead) => {
        this.#underway -= 1;
        if (dead) {
          client.release(dead);
          this.#options.reporter.report("warn", "CONNECTION_LOST", dead, "An idle connection did not answer");
        } else this.#serve(client);
        this.#dispatch();
      });
    }
  }

  async #revive(client: pg.PoolClient): Promise<Error | undefined> {
    const settlement = isIdle(client) ? "idle" : await settle(client);
    return settlement === "lost" || settlement === "busy" ? new Error(`It was ${settlement}`) : findDeath(client);
  }

  #serve(client: pg.PoolClient): void {
    const waiter = this.#line.shift();
    if (waiter) waiter.obtained(undefined, this.#loans.lend(client, waiter.since));
    else client.release();
  }
}

import type pg from "pg";
import { asError, errorCode, PoolError } from "./errors.ts";
import { Expected } from "./expected.ts";
import type { Passage } from "./gate.ts";
import { Loans } from "./loans.ts";
import { isReady } from "./readiness.ts";
import { Refusals, type RefusalsOptions } from "./refusals.ts";
import { isGone } from "./settle.ts";
import { Arrival, type Obtained, WaitingLine } from "./waiting-line.ts";

export interface LendingOptions extends Omit<RefusalsOptions, "line"> {
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
  readonly #direct = new Set<Arrival>();
  readonly #loans: Loans;
  readonly #refusals: Refusals;
  /** Idle connections that are being looked at for the line. */
  readonly #looking = new Expected(() => this.#dispatch());
  /** Idle connections that are being taken for the line. */
  #borrowing = 0;
  /** Callers so far. */
  #arrivals = 0;
  #closed = false;

  constructor(options: LendingOptions) {
    this.#options = options;
    const { clock, limits, reporter, telemetry } = options;
    this.#line = new WaitingLine(limits.connectionTimeoutMillis, (waiter) => this.#refusals.late(waiter));
    this.#refusals = new Refusals({ ...options, line: this.#line });
    const onReturn = () => this.#takeReturned();
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
    this.#arrivals += 1;
    const arrival = new Arrival(obtained, this.#options.clock.now(), this.#arrivals);
    if (this.#line.length === 0 && this.#spareIdle > 0) this.#lendDirectly(arrival);
    else {
      this.#line.join(arrival);
      this.#dispatch();
    }
  }

  /** Tells everyone who waits the reason, and lends nothing from now on. */
  close(reason: PoolError): void {
    this.#closed = true;
    // Later, since a caller may answer by ending the pool again.
    for (const arrival of [...this.#direct, ...this.#line.all().map((w) => w.arrival)])
      process.nextTick(() => arrival.answer(reason, undefined));
    this.#direct.clear();
    this.#line.clear();
  }

  /** Idle connections that are on their way to the line. */
  get #underway(): number {
    return this.#borrowing + this.#looking.count;
  }

  /** Idle connections that nobody is about to take. */
  get #spareIdle(): number {
    return this.#options.connections.idleCount - this.#direct.size - this.#borrowing;
  }

  #lendDirectly(arrival: Arrival): void {
    this.#direct.add(arrival);
    const joinLine = () => {
      if (this.#direct.delete(arrival)) this.#line.join(arrival);
    };
    this.#take((client) => {
      // Nobody overtakes one whose connection was found not to be fresh.
      if (this.#direct.has(arrival) && this.#line.length === 0 && this.#loans.isFresh(client)) {
        this.#direct.delete(arrival);
        arrival.answer(undefined, this.#loans.lend(client, arrival.since));
      } else {
        joinLine();
        this.#examine(client);
      }
    }, joinLine);
  }

  /** Starts whatever is of use to those who wait. */
  #dispatch(): void {
    const { connections, gate, limits } = this.#options;
    while (!this.#closed && this.#line.length > this.#underway) {
      /** Connections that are on their way to those who wait, and so the place of the first to whom none is. */
      const coming = this.#underway + gate.running + this.#loans.settling;
      if (this.#spareIdle > 0) this.#line.actFor(this.#underway, () => this.#borrow());
      else if (this.#line.length <= coming) return;
      // What is idle is spoken for, or was until it died a moment ago: pg.Pool puts another in its place, and would queue us behind it.
      else if (connections.idleCount > 0 || this.#spareIdle < 0 || connections.totalCount >= limits.max) return;
      else if (gate.open) this.#line.actFor(coming, () => this.#establish());
      // Otherwise it has opened since, and nobody would look again.
      else if (this.#awaitOpening()) return;
    }
  }

  /** What has come back serves at once, even while an older one is looked at. */
  #takeReturned(): void {
    if (!this.#closed && this.#line.length > this.#borrowing && this.#spareIdle > 0)
      this.#line.actFor(this.#borrowing, () => this.#borrow());
    this.#dispatch();
  }

  #awaitOpening(): boolean {
    const { gate, signal } = this.#options;
    return gate.awaitOpening(() => this.#dispatch(), signal);
  }

  /** Takes an idle connection for the line. */
  #borrow(): void {
    this.#borrowing += 1;
    const arrived = () => {
      this.#borrowing -= 1;
    };
    this.#take((client) => {
      arrived();
      this.#examine(client);
    }, arrived);
  }

  /**
   * Takes an idle connection, which pg.Pool hands out at the next tick.
   *
   * @param vanished called instead when it has died by then: pg.Pool makes another in its place, for whoever waits longest
   */
  #take(taken: (client: pg.PoolClient) => void, vanished: () => void): void {
    let established: Obtained | undefined;
    let underway = true;
    this.#options.connections.take((error, client) => {
      underway = false;
      if (established) return established(error, client);
      if (client) taken(client);
      else {
        vanished();
        this.#failed(asError(error), this.#options.gate.enter(), Date.now(), 0);
      }
      // Whoever came meanwhile saw an idle connection that was spoken for.
      if (this.#line.length > 0) this.#dispatch();
    });
    process.nextTick(() => {
      if (!underway) return;
      vanished();
      established = this.#beginEstablishment();
      this.#dispatch();
    });
  }

  /** Makes a connection for the line. */
  #establish(): void {
    const established = this.#beginEstablishment();
    try {
      this.#options.connections.take(established);
    } catch (error) {
      // node-postgres refuses what it finds in the environment at once.
      process.nextTick(established, asError(error), undefined);
    }
  }

  #beginEstablishment(): Obtained {
    const { clock, gate, telemetry } = this.#options;
    const passage = gate.enter();
    const began = clock.now();
    const at = Date.now();
    return (error, client) => {
      const tookMs = clock.now() - began;
      if (client && this.#loans.knows(client)) {
        passage.left();
        this.#examine(client);
      } else if (client && !isGone(client)) {
        passage.succeeded();
        telemetry.established(tookMs);
        this.#admit(client);
      } else {
        client?.release(true);
        const gone = new Error("Connection terminated before it could be lent");
        this.#failed(client ? gone : asError(error), passage, at, tookMs);
      }
      this.#dispatch();
    };
  }

  #failed(error: Error, passage: Passage, at: number, tookMs: number): void {
    if (this.#closed) passage.left();
    else this.#refusals.failed(error, passage, at, tookMs);
  }

  /** Lends a new connection. */
  #admit(client: pg.PoolClient): void {
    this.#loans.saw(client);
    // A listener of `connect` may have sent a statement without waiting for it: the caller's come behind it.
    if (isReady(client)) this.#examine(client);
    else this.#serve(client);
  }

  /** Lends a connection, once it is known to live and to be in no transaction. */
  #examine(client: pg.PoolClient): void {
    if (this.#closed || this.#loans.isFresh(client)) this.#serve(client);
    else if (this.#loans.isDistrusted(client)) client.release(true);
    else {
      const stopExpecting = this.#looking.add();
      void this.#loans.look(client).then((dead) => {
        stopExpecting();
        if (dead) {
          if (errorCode(dead) === "CONNECT_TIMEOUT") this.#loans.distrust();
          client.release(dead);
          this.#options.reporter.report("warn", "CONNECTION_LOST", dead, "An idle connection was found dead");
        } else this.#serve(client);
        this.#dispatch();
      });
    }
  }

  #serve(client: pg.PoolClient): void {
    const waiter = this.#line.shift();
    if (waiter) waiter.arrival.answer(undefined, this.#loans.lend(client, waiter.arrival.since));
    else client.release();
  }
}

import { AsyncResource } from "node:async_hooks";
import type pg from "pg";
import type { Attempt } from "./errors.ts";

/** Told once: an error, or a connection. */
export type Obtained = (error: Error | undefined, client: pg.PoolClient | undefined) => void;

/** A caller that has asked for a connection, in its own context, such as the span that it waits in. */
export class Arrival {
  /** When it asked, by the clock. */
  readonly since: number;
  /** Its place in the order of arrivals. */
  readonly number: number;
  readonly #obtained: Obtained;
  // Not AsyncResource.bind(), which costs 30 times as much.
  readonly #context = new AsyncResource("RdsIamPoolCaller");

  constructor(obtained: Obtained, since: number, number: number) {
    this.#obtained = obtained;
    this.since = since;
    this.number = number;
  }

  /** Tells the caller. What it throws then is an uncaught exception, but none in the middle of our work, with others waiting behind it. */
  answer(...[error, client]: Parameters<Obtained>): void {
    try {
      this.#context.runInAsyncScope(this.#obtained, undefined, error, client);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }

  /** Does something on its behalf. */
  act(work: () => void): void {
    this.#context.runInAsyncScope(work);
  }
}

/** What went wrong while a caller waited. */
export interface Failures {
  /** Establishments that failed, oldest first: at most one a pause, and those that ran when the first failed. */
  readonly attempts: Attempt[];
  /** When the first of them failed, by the clock; the budget for retries counts from there. */
  readonly firstAt: number;
  /** The error of the last of them. */
  lastError: Error;
}

/** A caller that waits for a connection. */
export interface Waiter {
  readonly arrival: Arrival;
  /** When its overall limit passes, by `performance.now()`. */
  readonly deadline: number;
  /** Undefined while nothing has gone wrong. */
  failures: Failures | undefined;
}

/** Callers that wait for a connection, first come, first served, each with the same overall limit. */
export class WaitingLine {
  /** In the order of their deadlines too, since the limit is the same for all: so one timer, for the first, is enough. */
  readonly #waiters: Waiter[] = [];
  readonly #limitMs: number;
  readonly #late: (waiter: Waiter) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param late is given each waiter whose limit has passed; it has left the line by then */
  constructor(limitMs: number, late: (waiter: Waiter) => void) {
    this.#limitMs = limitMs;
    this.#late = late;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Adds a caller: at the end, but ahead of whoever asked after it. */
  join(arrival: Arrival): void {
    const waiter = { arrival, deadline: performance.now() + this.#limitMs, failures: undefined };
    const place = this.#waiters.findLastIndex((other) => other.arrival.number < arrival.number) + 1;
    this.#waiters.splice(place, 0, waiter);
    this.#timer ??= setTimeout(() => this.#expire(), this.#limitMs);
  }

  /** Does something on behalf of who waits at a place, 0 being the first: spans of the work belong to theirs. */
  actFor(place: number, work: () => void): void {
    const waiter = this.#waiters[place];
    if (waiter) waiter.arrival.act(work);
    else work();
  }

  /** Those who wait, first come first. */
  all(): readonly Waiter[] {
    return [...this.#waiters];
  }

  /** Takes the first out of the line. */
  shift(): Waiter | undefined {
    const first = this.#waiters.shift();
    this.#rest();
    return first;
  }

  clear(): void {
    this.#waiters.length = 0;
    this.#rest();
  }

  leave(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
    this.#rest();
  }

  #expire(): void {
    const now = performance.now();
    const late: Waiter[] = [];
    // A timer may be early by less than a millisecond.
    while (this.#waiters[0] && this.#waiters[0].deadline < now + 1) late.push(...this.#waiters.splice(0, 1));
    const [first] = this.#waiters;
    this.#timer = first && setTimeout(() => this.#expire(), first.deadline - now);
    for (const waiter of late) this.#late(waiter);
  }

  /** Without anybody in the line, nothing may keep the process alive. */
  #rest(): void {
    if (this.#waiters.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

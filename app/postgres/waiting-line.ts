import { AsyncResource } from "node:async_hooks";
import type pg from "pg";
import type { Attempt } from "./errors.ts";

/** Told once: an error, or a connection. */
export type Obtained = (error: Error | undefined, client: pg.PoolClient | undefined) => void;

/** A caller that waits for a connection. */
export interface Waiter {
  readonly obtained: Obtained;
  /** When it began to wait, by the clock. */
  readonly since: number;
  /** Establishments that failed while it waited, oldest first. At most one a pause and one a running establishment, so bounded. */
  readonly attempts: Attempt[];
  /** When the first of them failed, by the clock; the budget for retries counts from there. */
  firstFailureAt: number | undefined;
  /** The error of the last of them. */
  lastError: Error | undefined;
}

/** Callers that wait for a connection, first come, first served, each with the same overall limit. */
export class WaitingLine {
  readonly #waiters = new Map<Waiter, NodeJS.Timeout>();
  readonly #limitMs: number;
  readonly #late: (waiter: Waiter) => void;

  /** @param late is given each waiter whose limit has passed; it has left the line by then */
  constructor(limitMs: number, late: (waiter: Waiter) => void) {
    this.#limitMs = limitMs;
    this.#late = late;
  }

  get length(): number {
    return this.#waiters.size;
  }

  /** Adds a caller at the end. */
  join(obtained: Obtained, since: number): void {
    const waiter: Waiter = {
      // Called from whatever gives a connection back, and yet in the caller's own context.
      obtained: AsyncResource.bind(obtained),
      since,
      attempts: [],
      firstFailureAt: undefined,
      lastError: undefined,
    };
    const timer = setTimeout(() => {
      this.#waiters.delete(waiter);
      this.#late(waiter);
    }, this.#limitMs);
    this.#waiters.set(waiter, timer);
  }

  /** Those who wait, first come first. */
  all(): readonly Waiter[] {
    return [...this.#waiters.keys()];
  }

  /** Takes the first out of the line. */
  shift(): Waiter | undefined {
    const [first] = this.#waiters.keys();
    if (first) this.leave(first);
    return first;
  }

  leave(waiter: Waiter): void {
    clearTimeout(this.#waiters.get(waiter));
    this.#waiters.delete(waiter);
  }
}

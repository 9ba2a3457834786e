import type { Clock } from "./clock.ts";

/** First pause after a failure, in milliseconds. */
const FIRST_PAUSE_MS = 100;
/** Longest pause: a rotation window lasts a few seconds, and the connection should come soon after its end. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * Pause before the next attempt, in milliseconds: exponential, half of it random ("Exponential Backoff And Jitter", AWS Architecture
 * Blog), so that pools that failed together do not come back together.
 *
 * @param failures how many attempts in a row have failed, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}

/** An establishment that runs, and is to be told how it ended, once. */
export interface Passage {
  succeeded(): void;
  /** Failed in a way that may pass: closes the gate for a while, and returns for how many milliseconds. */
  failed(): number;
  /** Ended without saying anything about the server. */
  left(): void;
}

/**
 * Lets at most so many establishments run at once, and after a failure only one, with pauses between, until one succeeds: however many
 * callers wait, an outage sees one patient client, and its end no stampede. AWS advises fewer than 200 new IAM connections a second for a
 * proxy ("Connecting to a database using IAM authentication", Amazon RDS User Guide).
 */
export class EstablishmentGate {
  readonly #atOnce: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  #running = 0;
  #failures = 0;
  #opensAt = Number.NEGATIVE_INFINITY;
  /** Whether somebody is to be called when the pause is over. */
  #isAwaited = false;

  constructor(atOnce: number, clock: Clock, random: () => number) {
    this.#atOnce = atOnce;
    this.#clock = clock;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** How many establishments run. */
  get running(): number {
    return this.#running;
  }

  /** Whether another may start now. */
  get open(): boolean {
    return !this.#isFull && this.pauseMs === 0;
  }

  /** Milliseconds that are left of the pause; 0 when there is none. */
  get pauseMs(): number {
    return Math.max(0, this.#opensAt - this.#clock.now());
  }

  /**
   * Sees to it that somebody looks again who found the gate closed: when the pause is over, once however often this is asked for meanwhile.
   * What closes it otherwise is an establishment that runs, whose end is told to whoever began it.
   *
   * @returns false when it is open by now: time has passed since it was found closed
   */
  awaitOpening(resume: () => void, signal: AbortSignal): boolean {
    if (this.#isAwaited || this.#isFull) return true;
    const { pauseMs } = this;
    if (pauseMs === 0) return false;
    this.#isAwaited = true;
    const ended = () => {
      this.#isAwaited = false;
      resume();
    };
    this.#clock.sleep(pauseMs, signal).then(ended, ended);
    return true;
  }

  get #isFull(): boolean {
    return this.#running >= (this.#failures > 0 ? 1 : this.#atOnce);
  }

  /** Starts one. */
  enter(): Passage {
    this.#running += 1;
    const failuresBefore = this.#failures;
    return {
      succeeded: () => {
        this.#running -= 1;
        this.#failures = 0;
        this.#opensAt = Number.NEGATIVE_INFINITY;
      },
      failed: () => {
        this.#running -= 1;
        // Those that began together with one that has failed meanwhile say nothing new.
        if (failuresBefore === this.#failures) {
          this.#failures += 1;
          this.#opensAt = this.#clock.now() + backoffMs(this.#failures, this.#random());
        }
        return this.pauseMs;
      },
      left: () => {
        this.#running -= 1;
      },
    };
  }
}

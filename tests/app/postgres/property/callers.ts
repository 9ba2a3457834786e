import assert from "node:assert/strict";
import { AcquireError, PoolError } from "../../../../app/postgres/errors.ts";
import type { ScriptedClient } from "./scripted-client.ts";

/** A caller of `obtain`, and what became of it. */
export interface Caller {
  /** Their order of arrival. */
  readonly number: number;
  readonly since: number;
  answers: number;
  /** Establishments that failed while it waited. */
  failures: number;
  /** Those of them in the very turn in which it came, when it may have been on its way to an idle connection. */
  failuresAtOnce: number;
  firstFailureAt: number | undefined;
  /** Whether it may be overtaken by those who came in the same turn. */
  excused: boolean;
}

/** An establishment that fails. */
export interface Failure {
  readonly client: ScriptedClient;
  readonly final: boolean;
  /** Whether everything had settled before. */
  readonly rested: boolean;
  /** Those who are to be turned away for it. */
  turnedAway: readonly Caller[];
}

/** What may be answered, and when. */
export interface CallerLimits {
  readonly connectionTimeoutMillis: number;
  readonly connectRetryMillis: number;
}

/** All who ever asked for a connection: each is answered once, in time, in order, and truly. */
export class Callers {
  readonly #limits: CallerLimits;
  readonly #all: Caller[] = [];
  /** How many were given a connection, and how many an {@link AcquireError}. */
  served = 0;
  turnedAway = 0;
  #lastServed = 0;
  #knownAtRest = 0;

  constructor(limits: CallerLimits) {
    this.#limits = limits;
  }

  get waiting(): readonly Caller[] {
    return this.#all.filter(({ answers }) => answers === 0);
  }

  join(now: number): Caller {
    const number = this.#all.length + 1;
    const caller = {
      number,
      since: now,
      answers: 0,
      failures: 0,
      failuresAtOnce: 0,
      firstFailureAt: undefined,
      excused: false,
    };
    this.#all.push(caller);
    return caller;
  }

  given(caller: Caller, now: number): void {
    this.#answered(caller, now);
    this.served += 1;
    this.#lastServed = Math.max(this.#lastServed, caller.number);
  }

  refused(caller: Caller, error: unknown, now: number, ended: boolean): void {
    this.#answered(caller, now);
    if (ended) {
      assert.ok(error instanceof PoolError && error.code === "POOL_ENDED");
      return;
    }
    this.turnedAway += 1;
    assert.ok(error instanceof AcquireError, `Caller ${caller.number} was told ${String(error)}`);
    const { failures, failuresAtOnce } = caller;
    const recorded = error.attempts.length;
    assert.ok(
      recorded <= failures && recorded >= failures - failuresAtOnce,
      `Caller ${caller.number} was told of ${recorded} attempts, and ${failures} failed while it waited`,
    );
    const waited = now - caller.since;
    if (error.code === "ACQUIRE_TIMEOUT") assert.equal(waited, this.#limits.connectionTimeoutMillis);
    else assert.ok(failures > 0 && (error.reason === "NO_SUCH_DATABASE" || this.#isExhausted(caller, now)));
  }

  /** An idle connection dies, perhaps the one that such a caller was to have. */
  excuseNewest(): void {
    for (const caller of this.#all.slice(this.#knownAtRest)) caller.excused = true;
  }

  /** An establishment fails. Returns those who are to be turned away for it. */
  failed(now: number, final: boolean, rested: boolean): readonly Caller[] {
    const { waiting } = this;
    // One that cannot pass is the attempt of one caller.
    for (const caller of final ? waiting.slice(0, 1) : waiting) {
      caller.failures += 1;
      caller.firstFailureAt ??= now;
      if (!rested && caller.since === now) caller.failuresAtOnce += 1;
    }
    // Without a budget for retries, an attempt that failed is that of one caller.
    const isOfOne = final || this.#limits.connectRetryMillis === 0;
    return isOfOne ? waiting.slice(0, 1) : waiting.filter((caller) => this.#isExhausted(caller, now));
  }

  /** Once everything has settled: within one turn of the event loop the order may differ. */
  assertNoneIsOvertaken(): void {
    this.#knownAtRest = this.#all.length;
    const overtaken = this.waiting.filter(({ excused, number }) => !excused && number < this.#lastServed);
    assert.deepEqual(overtaken, [], `Caller ${this.#lastServed} was served before these`);
  }

  assertNoneIsLate(now: number): void {
    const late = this.waiting.filter(({ since }) => now - since >= this.#limits.connectionTimeoutMillis);
    assert.deepEqual(late, [], "Callers wait beyond their limit");
  }

  #answered(caller: Caller, now: number): void {
    caller.answers += 1;
    assert.equal(caller.answers, 1, `Caller ${caller.number} was answered again`);
    const waited = now - caller.since;
    assert.ok(
      waited <= this.#limits.connectionTimeoutMillis,
      `Caller ${caller.number} was answered after ${waited} ms`,
    );
  }

  #isExhausted({ firstFailureAt = Number.POSITIVE_INFINITY }: Caller, now: number): boolean {
    return now - firstFailureAt >= this.#limits.connectRetryMillis;
  }
}

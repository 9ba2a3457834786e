import type pg from "pg";
import type { Clock } from "./clock.ts";
import { PoolError } from "./errors.ts";
import type { Reporter } from "./event-log.ts";
import { Expected } from "./expected.ts";
import { glance, revive } from "./idle-check.ts";
import { isIdle, type PooledClient } from "./readiness.ts";
import { isGone, SETTLE_MS, settle } from "./settle.ts";
import type { PoolTelemetry } from "./telemetry.ts";

/** What loans need to know of the pool. */
export interface LoansOptions {
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly telemetry: PoolTelemetry;
  /** Idleness, in milliseconds, from which on a connection is asked whether it lives. */
  readonly idleCheckMs: number;
  /** Called whenever a connection has come back. */
  readonly onReturn: () => void;
}

/**
 * Idleness, in milliseconds, from which on a connection is glanced at before it is lent. Under load none is idle for as long, and a glance
 * costs a fraction of a millisecond; what stays is a connection that ends within a second of its last use.
 */
const GLANCE_MS = 1_000;

/** Hands connections out and takes them back, so that none goes back in a transaction, or still at work. */
export class Loans {
  readonly #options: LoansOptions;
  readonly #settling: Expected;
  /** What was last seen before, by the clock, and idled for long is not worth a question. */
  #distrustedBefore = Number.NEGATIVE_INFINITY;

  constructor(options: LoansOptions) {
    this.#options = options;
    this.#settling = new Expected(options.onReturn);
  }

  /** How many have come back and can soon be lent: to open another in their place would be a waste. */
  get settling(): number {
    return this.#settling.count;
  }

  /** Whether a connection can be lent at once. */
  isFresh(client: pg.PoolClient): boolean {
    return this.#isRecent(client, GLANCE_MS);
  }

  /** Why a connection that is not fresh cannot be lent, or undefined once it can; never rejects. */
  async look(client: pg.PoolClient): Promise<Error | undefined> {
    if (this.#isRecent(client, Number.POSITIVE_INFINITY)) return glance(client);
    const dead = await revive(client);
    if (!dead) this.saw(client);
    return dead;
  }

  /** Whether it is fit as far as anyone knows, and was idle for less than that, and than what is asked about. */
  #isRecent(client: pg.PoolClient, lessThanMs: number): boolean {
    const { clock, idleCheckMs } = this.#options;
    const { idleSince = Number.NEGATIVE_INFINITY } = client as PooledClient;
    return isIdle(client) && !isGone(client) && clock.now() - idleSince < Math.min(lessThanMs, idleCheckMs);
  }

  /** One that idled for long gave no answer: the others of its time are taken for lost with it, instead of being asked one after the other. */
  distrust(): void {
    this.#distrustedBefore = this.#options.clock.now();
  }

  isDistrusted(client: pg.PoolClient): boolean {
    const { idleSince = Number.POSITIVE_INFINITY } = client as PooledClient;
    return idleSince < this.#distrustedBefore;
  }

  /** Whether it has been here before. */
  knows(client: pg.PoolClient): boolean {
    return (client as PooledClient).idleSince !== undefined;
  }

  /** It has just shown that it lives. */
  saw(client: pg.PoolClient): void {
    (client as PooledClient).idleSince = this.#options.clock.now();
  }

  /**
   * Lends it to a caller, whose `release` then goes through us.
   *
   * @param since when the caller began to wait
   */
  lend(client: pg.PoolClient, since: number): pg.PoolClient {
    const { clock, telemetry } = this.#options;
    const lentAt = clock.now();
    telemetry.acquired(lentAt - since);
    const giveBack = client.release;
    let returned = false;
    client.release = (discard) => {
      // The words of pg.Pool.
      if (returned) throw new Error("Release called on client which has already been released to the pool.");
      returned = true;
      telemetry.returned(clock.now() - lentAt);
      if (discard || isIdle(client)) this.#complete(client, giveBack, discard);
      else if (client.connection.stream.destroyed) this.#complete(client, giveBack, true);
      else {
        const stopExpecting = this.#settling.add();
        void this.#settle(client).then((unfit) => {
          // Together, so that none is missing that is about to be there.
          stopExpecting();
          this.#complete(client, giveBack, unfit);
        });
      }
    };
    return client;
  }

  #complete(client: pg.PoolClient, giveBack: pg.PoolClient["release"], discard: Error | boolean | undefined): void {
    this.saw(client);
    giveBack(discard);
    this.#options.onReturn();
  }

  /** Whether a connection that was not idle when it came back must be discarded. */
  async #settle(client: pg.PoolClient): Promise<boolean> {
    const { reporter } = this.#options;
    const settlement = await settle(client);
    if (settlement === "rolled back") {
      const error = new Error("It was released before COMMIT or ROLLBACK");
      reporter.report("warn", "TRANSACTION_LEFT_OPEN", error, "A transaction that was left open was rolled back");
    } else if (settlement === "busy") {
      const error = new PoolError("CONNECTION_BUSY", `It was still at work ${SETTLE_MS} ms after its release`);
      reporter.report("warn", "CONNECTION_BUSY", error, "A connection was discarded");
    }
    return settlement === "lost" || settlement === "busy";
  }
}

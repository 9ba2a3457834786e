import assert from "node:assert/strict";
import type pg from "pg";
import { PoolError } from "../../../../app/postgres/errors.ts";
import type { Lending } from "../../../../app/postgres/lending.ts";
import { Callers, type Failure } from "./callers.ts";
import { createLending, createPool, LIMITS, LOOK_MS, type Setting, SOON_MS } from "./core.ts";
import { GateModel } from "./gate-model.ts";
import { type Place, Roster } from "./roster.ts";
import type { Manner, ScriptedClient } from "./scripted-client.ts";
import { Tally } from "./tally.ts";
import { turn, VirtualTime } from "./virtual-time.ts";

/** How many turns of the event loop it takes to see whether an idle connection has ended; no time passes in them. */
const GLANCE_TURNS = 2;

/**
 * The pool's core over the real pg-pool, whose clients are scripted and whose time is virtual. It asserts what must hold of every answer when
 * it is given, and of the whole whenever nothing moves any more.
 */
export class Stage {
  readonly roster: Roster;
  readonly time = new VirtualTime();
  readonly #setting: Setting;
  readonly #pool: pg.Pool;
  readonly #lending: Lending;
  readonly #callers: Callers;
  readonly #gate: GateModel;
  readonly #tally = new Tally();
  readonly #happened = { established: 0, establishmentFailed: 0, returned: 0 };
  readonly #end = new AbortController();
  readonly #lent: pg.PoolClient[] = [];
  ended = false;
  /** An establishment whose failure the core does not know yet. */
  #failing: Failure | undefined;
  /** What was seen where an exception would not reach the test. */
  #violation: unknown;
  /** Whether nothing has happened since everything had settled. */
  #rested = true;

  constructor(setting: Setting) {
    this.time.install();
    this.#setting = setting;
    this.#gate = new GateModel(setting.maxEstablishing);
    this.#callers = new Callers({ ...LIMITS, connectRetryMillis: setting.connectRetryMillis });
    this.#pool = createPool(setting, (client) => this.#noting(() => this.#began(client)));
    this.roster = new Roster(this.#pool, () => this.time.now, LIMITS.idleCheckMillis);
    this.#lending = createLending(setting, this.#pool, this.time, {
      telemetry: this.#tally,
      signal: this.#end.signal,
      told: (error, client) => this.#noting(() => this.#outcomeIsTold(error, client)),
    });
  }

  get lent(): number {
    return this.#lent.length;
  }

  get waiting(): number {
    return this.waitingNumbers.length;
  }

  /** The places of those who wait, in the order of arrivals. */
  get waitingNumbers(): readonly number[] {
    return this.#callers.waiting.map(({ number }) => number);
  }

  /** Those of which it is not known yet whether they will stand. */
  get establishing(): readonly ScriptedClient[] {
    return this.roster.at("connecting").filter(({ state }) => state === "connecting");
  }

  /** Those there that can be lost: one that does not stand yet fails instead. */
  killable(place: Place): readonly ScriptedClient[] {
    return this.roster.at(place).filter(({ state }) => state === "standing");
  }

  connect(): void {
    this.#rested = false;
    const caller = this.#callers.join(this.time.now);
    this.#lending.obtain((error, client) => {
      this.#noting(() => {
        if (!client) return this.#callers.refused(caller, error, this.time.now, this.ended);
        const scripted = client as unknown as ScriptedClient;
        this.roster.assertLendable(scripted);
        this.roster.move(scripted, "lent");
        this.#lent.push(client);
        this.#callers.given(caller, this.time.now);
      });
    });
    assert.equal(caller.answers, 0, "It was answered at once");
  }

  release(index: number, manner: Manner): void {
    this.#rested = false;
    const [lent] = this.#lent.splice(index, 1);
    assert.ok(lent);
    const client = lent as unknown as ScriptedClient;
    client.prepare(manner);
    this.roster.move(client, "returning");
    this.roster.saw(client);
    this.#happened.returned += 1;
    // Taken before, since the next holder's may be there afterwards.
    const giveBack = lent.release;
    giveBack(manner === "discard");
    assert.throws(() => giveBack(), /already been released/);
  }

  succeed(client: ScriptedClient): void {
    this.#rested = false;
    this.roster.saw(client);
    client.succeed();
  }

  /** @param final whether no waiting can cure it */
  fail(client: ScriptedClient, final: boolean): void {
    const error: Error & { code?: string } = new Error(final ? "No such database" : "Refused");
    error.code = final ? "3D000" : "ECONNREFUSED";
    const { waiting } = this.#callers;
    const failure: Failure = { client, final, rested: this.#rested, turnedAway: [] };
    this.#rested = false;
    this.#failing = failure;
    client.fail(error);
    if (this.ended || !failure.rested) return;
    const turnedAway = waiting.filter(({ answers }) => answers > 0);
    assert.deepEqual(turnedAway, failure.turnedAway, "Those who were turned away are not those who should have been");
  }

  #began(client: ScriptedClient): void {
    const coming = this.#gate.running + this.roster.lately("returning", SOON_MS).length;
    this.roster.began(client);
    client.on("asked", () => this.#noting(() => assert.ok(!this.roster.isFresh(client), "A fresh one was asked")));
    const unasked = this.#gate.began(client, this.time.now);
    assert.ok(unasked || this.waiting > coming, "A connection is made for which nobody waits");
  }

  /** pg-pool serves its own queue before it tells of an establishment: only now is it known. */
  #outcomeIsTold(error: Error | undefined, client: ScriptedClient | undefined): void {
    if (client?.state === "standing") {
      if (this.#gate.succeeded(client)) this.#happened.established += 1;
      return;
    }
    // Refused, or lost while `onConnect` prepared it.
    const lost = client && { client, final: false, rested: false, turnedAway: [] };
    const failure: Failure | undefined = error ? this.#failing : lost;
    if (error) this.#failing = undefined;
    if (!failure || !this.#gate.failed(failure.client, failure.final, this.time.now) || this.ended) return;
    failure.turnedAway = this.#callers.failed(this.time.now, failure.final, failure.rested);
    this.#happened.establishmentFailed += 1;
  }

  /** It is lost while it is idle, lent, coming back or being looked at. */
  kill(client: ScriptedClient): void {
    this.#rested = false;
    if (this.roster.placeOf(client) === "idle") this.#callers.excuseNewest();
    client.die(() => this.#gate.admitUnasked(Math.max(0, this.#pool.waitingCount - this.#pool.idleCount)));
  }

  /** As `RdsIamPool` ends. */
  end(): void {
    this.#rested = false;
    this.ended = true;
    const reason = new PoolError("POOL_ENDED", "The pool was ended");
    void this.#pool.end();
    this.#lending.close(reason);
    this.#end.abort(reason);
    process.nextTick(() => {
      for (const client of this.establishing) this.fail(client, true);
    });
  }

  async advance(ms: number): Promise<void> {
    await this.rest();
    await this.time.advance(ms, () => this.rest());
  }

  /** Lets everything settle that needs no time, and asserts what must hold then. */
  async rest(): Promise<void> {
    for (let n = 0; n < GLANCE_TURNS + 1; n++) await turn();
    this.#rested = true;
    if (this.#violation) throw this.#violation;
    this.#callers.assertNoneIsLate(this.time.now);
    this.#callers.assertNoneIsOvertaken();
    // As pg-pool counts: those for whom a connection is being made do not wait.
    assert.equal(this.#lending.waiting, Math.max(0, this.waiting - this.#gate.running), "waitingCount");
    assert.equal(this.roster.at("idle").length, this.#pool.idleCount, "idleCount");
    assert.ok(this.roster.alive.length <= this.#setting.max, "There are more connections than `max`");
    const { served: acquired, turnedAway: acquireFailed } = this.#callers;
    this.#tally.assertEquals({ ...this.#happened, acquired, acquireFailed });
    assert.equal(acquired, this.#happened.returned + this.lent, "Loans do not balance");
    if (!this.ended) this.#assertNothingIsLeftUndone();
    else assert.equal(this.waiting, 0, "Callers wait although the pool has ended");
  }

  /** Lets everything come back, ends the pool, and asserts that nothing and nobody is left. */
  async finish(): Promise<void> {
    try {
      if (!this.ended) await this.#recover();
      if (!this.ended) this.end();
      await this.rest();
      for (const client of this.roster.alive) client.recover();
      while (this.lent > 0) this.release(0, "clean");
      await this.rest();
      assert.equal(this.#pool.totalCount, 0, "Connections are left");
      assert.ok(this.#pool.ended, "The pool has not ended");
      assert.deepEqual(this.roster.alive, [], "Connections stand");
      assert.equal(this.time.pending, 0, "Timers are left");
    } finally {
      this.time.uninstall();
    }
  }

  /** Nobody starves once connections come back and the server answers: whoever is not near its limit is served. */
  async #recover(): Promise<void> {
    const { turnedAway, waiting } = this.#callers;
    const near = waiting.filter(({ since }) => this.time.now - since > LIMITS.connectionTimeoutMillis - 3_000);
    for (let round = 0; round < 30 && (this.waiting > 0 || round === 0); round++) {
      for (const client of this.roster.alive) client.recover();
      for (const client of this.establishing) this.succeed(client);
      while (this.lent > 0) this.release(0, "clean");
      await this.advance(100);
    }
    assert.equal(this.waiting, 0, "Callers starve although connections come back");
    assert.ok(this.#callers.turnedAway - turnedAway <= near.length, "A caller was turned away that had time enough");
  }

  #assertNothingIsLeftUndone(): void {
    this.roster.assertIdleAreFit();
    this.roster.assertNoneIsHeldUp(LOOK_MS);
    if (this.waiting === 0) return;
    const [idle, lookedAt] = [this.roster.at("idle"), this.roster.at("looked at")];
    const onTheirWay = lookedAt.length + this.#gate.running + this.roster.lately("returning", SOON_MS).length;
    const fresh = idle.filter((client) => this.roster.isFresh(client));
    assert.equal(fresh.length, 0, "A connection is idle while a caller waits");
    if (idle.length > 0) {
      assert.ok(lookedAt.length >= this.waiting, "Fewer idle connections are looked at than callers wait");
    } else if (this.waiting > onTheirWay && this.#pool.totalCount < this.#setting.max) {
      assert.ok(!this.#gate.surelyOpen(this.time.now), "Nobody makes a connection while a caller waits");
    }
  }

  #noting(assertions: () => void): void {
    try {
      assertions();
    } catch (violation) {
      this.#violation ??= violation;
    }
  }
}

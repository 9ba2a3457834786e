import assert from "node:assert/strict";
import type pg from "pg";
import type { ScriptedClient } from "./scripted-client.ts";

/** `looked at`: taken out of pg-pool, and lent to nobody yet. `returning`: given back, and not in pg-pool again yet. */
export type Place = "connecting" | "idle" | "looked at" | "lent" | "returning" | "gone";

interface Entry {
  place: Place;
  /** Since when. */
  there: number;
  /** When it last gave a sign of life, or was in use. */
  seenAt: number;
}

/** Where each connection is, by what pg-pool tells and by who holds it. */
export class Roster {
  readonly #entries = new Map<ScriptedClient, Entry>();
  readonly #now: () => number;

  readonly #freshMs: number;

  /** @param freshMs idleness from which on a connection is to be asked whether it lives */
  constructor(pool: pg.Pool, now: () => number, freshMs: number) {
    this.#now = now;
    this.#freshMs = freshMs;
    const scripted = (client: pg.PoolClient) => client as unknown as ScriptedClient;
    pool.on("acquire", (client) => this.move(scripted(client), "looked at"));
    pool.on("release", (error, client) => this.move(scripted(client), error ? "gone" : "idle"));
    pool.on("remove", (client) => this.move(scripted(client), "gone"));
  }

  began(client: ScriptedClient): void {
    this.#entries.set(client, { place: "connecting", there: this.#now(), seenAt: this.#now() });
    client.on("drain", () => this.saw(client));
  }

  saw(client: ScriptedClient): void {
    this.#of(client).seenAt = this.#now();
  }

  move(client: ScriptedClient, place: Place): void {
    Object.assign(this.#of(client), { place, there: this.#now() });
  }

  placeOf(client: ScriptedClient): Place {
    return this.#of(client).place;
  }

  /** Those there, as far as they live. */
  at(place: Place): readonly ScriptedClient[] {
    return [...this.#entries].filter(([{ state }, entry]) => entry.place === place && state !== "gone").map(([c]) => c);
  }

  /** Those that have come there within that time. */
  lately(place: Place, withinMs: number): readonly ScriptedClient[] {
    return this.at(place).filter((client) => this.#now() - this.#of(client).there < withinMs);
  }

  /** Those that live, wherever. */
  get alive(): readonly ScriptedClient[] {
    return [...this.#entries.keys()].filter(({ state }) => state !== "gone");
  }

  isFresh(client: ScriptedClient): boolean {
    return this.#now() - this.#of(client).seenAt < this.#freshMs;
  }

  /** None went back in a transaction, or still at work. */
  assertIdleAreFit(): void {
    const unfit = this.at("idle").filter(({ readyForQuery, status }) => !readyForQuery || status !== "I");
    assert.equal(unfit.length, 0, "A connection is idle in a transaction, or at work");
  }

  /** None takes longer to come back, or to be looked at, than it may. */
  assertNoneIsHeldUp(limitMs: number): void {
    for (const place of ["returning", "looked at"] as const) {
      const heldUp = this.at(place).length - this.lately(place, limitMs + 1).length;
      assert.equal(heldUp, 0, `A connection is "${place}" for more than ${limitMs} ms`);
    }
  }

  assertLendable(client: ScriptedClient): void {
    assert.equal(this.placeOf(client), "looked at", "A connection was lent twice, or out of nowhere");
    assert.equal(client.state, "standing", "A dead connection was lent");
    assert.ok(client.readyForQuery, "A busy connection was lent");
    assert.equal(client.status, "I", "A connection was lent in a transaction");
    assert.ok(this.isFresh(client), "A connection was lent unasked after long idleness");
  }

  #of(client: ScriptedClient): Entry {
    const entry = this.#entries.get(client);
    assert.ok(entry, "Nobody knows this connection");
    return entry;
  }
}

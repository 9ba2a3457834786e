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

  constructor(pool: pg.Pool, now: () => number) {
    this.#now = now;
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

  isFresh(client: ScriptedClient, withinMs: number): boolean {
    return this.#now() - this.#of(client).seenAt < withinMs;
  }

  assertLendable(client: ScriptedClient, withinMs: number): void {
    assert.equal(this.placeOf(client), "looked at", "A connection was lent twice, or out of nowhere");
    assert.equal(client.state, "standing", "A dead connection was lent");
    assert.ok(client.readyForQuery, "A busy connection was lent");
    assert.equal(client.status, "I", "A connection was lent in a transaction");
    assert.ok(this.isFresh(client, withinMs), "A connection was lent unasked after long idleness");
  }

  #of(client: ScriptedClient): Entry {
    const entry = this.#entries.get(client);
    assert.ok(entry, "Nobody knows this connection");
    return entry;
  }
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "mocha";
import pg from "pg";
import { AcquireError } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "./pool-fixture.ts";

describe("RdsIamPool lends a connection", () => {
  const fixture = poolFixture();

  describe("The life of a connection", () => {
    it("differs from one to the next, between 60 and 100 % of the longest", () => {
      const draws = [0, 0.25, 0.5, 0.999];
      const pool = fixture.createPool({ maxLifetimeSeconds: 1000, random: () => draws.shift() ?? assert.fail() });
      const lives = [1, 2, 3, 4].map(() => pool.options.maxLifetimeSeconds);
      assert.deepEqual(lives.map(Math.round), [1000, 900, 800, 600]);
    });

    it("ends it, and the next use opens another", async () => {
      const pool = fixture.createPool({ maxLifetimeSeconds: 0.1 });
      await pool.query("SELECT 1");
      await once(pool, "remove");
      await pool.query("SELECT 1");
      assert.equal(fixture.front.tokens.length, 2);
      assert.equal(fixture.front.accepted, 2);
    });
  });

  describe("A connection that was idle", () => {
    it("for a short while is lent without a question", async () => {
      const clock = fakeClock();
      const pool = fixture.createPool({ clock });
      await pool.query("SELECT 1");
      fixture.front.freeze();
      clock.advance(29_999);
      const client = await pool.connect();
      assert.equal(fixture.front.tokens.length, 1);
      client.release(true);
    });

    it("for long, and answers, is lent again", async () => {
      const clock = fakeClock();
      const pool = fixture.createPool({ clock });
      await pool.query("SELECT 1");
      clock.advance(30_000);
      assert.deepEqual((await pool.query("SELECT 2 AS n")).rows, [{ n: 2 }]);
      assert.equal(fixture.front.tokens.length, 1);
      assert.deepEqual(fixture.log.events(), []);
    });

    it("for long, and does not answer, is replaced before a statement is lost on it", async () => {
      const clock = fakeClock();
      const pool = fixture.createPool({ clock });
      await pool.query("SELECT 1");
      fixture.front.freeze();
      clock.advance(30_000);
      assert.deepEqual((await pool.query("SELECT 3 AS n")).rows, [{ n: 3 }]);
      assert.equal(fixture.front.tokens.length, 2);
      await eventually("the dead one is given up", 4_000, () => pool.totalCount === 1);
      assert.deepEqual(
        fixture.log.events().map(({ level, code, errorCode }) => [level, code, errorCode]),
        [["warn", "CONNECTION_LOST", "CONNECT_TIMEOUT"]],
      );
    });
  });

  describe("Waiting for a connection", () => {
    it("in the queue has a limit", async () => {
      const pool = fixture.createPool({ max: 1, connectionTimeoutMillis: 400 });
      const only = await pool.connect();
      await assert.rejects(pool.connect(), {
        code: "ACQUIRE_TIMEOUT",
        message: /No connection to localhost within 400 ms/,
      });
      assert.deepEqual(
        fixture.log.events().map(({ level, code }) => [level, code]),
        [["error", "ACQUIRE_TIMEOUT"]],
      );
      only.release();
      // The caller that gave up takes nothing from the next.
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      assert.equal(fixture.front.tokens.length, 1);
    });

    it("that ends while retrying fails with every attempt, the last one's error being the cause", async () => {
      fixture.front.refuse = () => WRONG_PASSWORD;
      const pool = fixture.createPool({ connectionTimeoutMillis: 600, random: () => 0.999 });
      await assert.rejects(
        pool.connect(),
        (error) =>
          error instanceof AcquireError &&
          error.code === "ACQUIRE_TIMEOUT" &&
          error.attempts.length >= 1 &&
          error.cause instanceof pg.DatabaseError &&
          error.cause.message === WRONG_PASSWORD,
      );
      assert.equal(fixture.log.events("error").length, 1);
      assert.ok(fixture.log.events("info").length >= 1);
    });

    it("ends when the pool ends: in the queue, in a pause, in an attempt, in a mint", async () => {
      const queueing = fixture.createPool({ max: 1 });
      const lent = await queueing.connect();
      fixture.front.refuse = () => WRONG_PASSWORD;
      const pausing = fixture.createPool({ random: () => 0.999 });
      const minting = fixture.createPool({ signer: { getAuthToken: () => new Promise(() => {}) } });
      const waits = [queueing.connect(), pausing.connect(), minting.connect()].map((wait) =>
        assert.rejects(wait, { code: "POOL_ENDED" }),
      );
      while (fixture.log.events("info").length === 0) await new Promise(setImmediate);
      fixture.front.silent = true;
      const reaching = fixture.createPool();
      const accepted = fixture.front.accepted;
      waits.push(assert.rejects(reaching.connect(), { code: "POOL_ENDED" }));
      while (fixture.front.accepted === accepted) await new Promise(setImmediate);
      const ends = [queueing, pausing, minting, reaching].map((pool) => pool.end());
      await Promise.all(waits);
      lent.release();
      await Promise.all(ends);
      assert.deepEqual(fixture.log.events("error"), []);
      await assert.rejects(reaching.connect(), { code: "POOL_ENDED" });
    });
  });
});

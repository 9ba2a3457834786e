import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type pg from "pg";
import { isConnectionLost, type RdsIamPoolOptions } from "../../../../app/postgres/index.ts";
import { next } from "../drop-in/both-pools.ts";
import { fakeClock, poolFixture } from "../pool-fixture.ts";
import { hangs, plainPools } from "./plain-pools.ts";

const ONE = [{ n: 1 }];

describe("Traps in connections that are idle", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("A server that closes an idle connection just before the next statement", () => {
    /** The end is on its way to us, and unread: nothing else has a turn of the event loop before the statement. */
    async function queryOnceClosed(
      pool: pg.Pool,
      idle: () => void = () => {},
      close: "hangUp" | "sayGoodbye" = "hangUp",
    ): Promise<pg.QueryResult> {
      await pool.query("SELECT 1");
      idle();
      fixture.front[close]();
      // What is sent is sent in ticks; nothing is read in them.
      await new Promise((resolve) => process.nextTick(resolve));
      return pool.query("SELECT 1 AS n");
    }

    it("fails the statement on pg.Pool, and the one after it succeeds", async () => {
      const pool = plainPool();
      await assert.rejects(queryOnceClosed(pool), /Connection terminated unexpectedly|ECONNRESET|EPIPE/);
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, ONE);
      assert.equal(fixture.front.accepted, 2);
    });

    for (const [how, close] of [
      ["without a word", "hangUp"],
      ["with the goodbye of TLS", "sayGoodbye"],
    ] as const) {
      it(`is noticed by RdsIamPool before the statement is sent, on a connection that was idle for a second and closed ${how}`, async () => {
        const clock = fakeClock();
        const pool = fixture.createPool({ clock });
        assert.deepEqual((await queryOnceClosed(pool, () => clock.advance(1_000), close)).rows, ONE);
        assert.deepEqual([fixture.front.accepted, pool.totalCount], [2, 1]);
        assert.deepEqual(
          fixture.log.events().map(({ level, code }) => [level, code]),
          [["warn", "CONNECTION_LOST"]],
        );
      });
    }

    it("is not noticed by RdsIamPool on one that was used within the second, where the loss is told and nothing repeated", async () => {
      const clock = fakeClock();
      const pool = fixture.createPool({ clock });
      await assert.rejects(
        queryOnceClosed(pool, () => clock.advance(999)),
        isConnectionLost,
      );
      assert.equal(fixture.front.accepted, 1);
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, ONE);
    });
  });

  describe("Connections that are idle for longer than their time-out", () => {
    const idleTimeoutMillis = 30;

    it("are kept by pg.Pool where 'min' says so, until the proxy ends them unasked", async () => {
      const pool = plainPool({ min: 1, idleTimeoutMillis });
      const removed = next(pool, "remove");
      await pool.query("SELECT 1");
      assert.equal(await hangs(removed, 10 * idleTimeoutMillis), true);
      assert.deepEqual([pool.totalCount, fixture.front.open], [1, 1]);
    });

    it("are closed by RdsIamPool, which knows no 'min'", async () => {
      const pool = fixture.createPool({ idleTimeoutMillis });
      const removed = next(pool, "remove");
      await pool.query("SELECT 1");
      await removed;
      assert.equal(pool.totalCount, 0);
      assert.throws(
        () => fixture.createPool({ idleTimeoutMillis, min: 1 } as Partial<RdsIamPoolOptions>),
        /'min' is refused: .*idleness/,
      );
    });
  });
});

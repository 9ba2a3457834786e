import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import type pg from "pg";
import { poolFixture } from "../pool-fixture.ts";
import { type RelayedFront, relayedFronts } from "./message-relay.ts";
import { plainPools } from "./plain-pools.ts";

const ABORTED = { code: "25P02" };

describe("Traps in statements that fail", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("A statement that fails", () => {
    async function violateFiveTimes(pool: pg.Pool): Promise<void> {
      await pool.query(
        "DROP TABLE IF EXISTS once; CREATE TABLE once (id integer PRIMARY KEY); INSERT INTO once VALUES (1)",
      );
      for (let n = 0; n < 5; n++) await assert.rejects(pool.query("INSERT INTO once VALUES (1)"), { code: "23505" });
      await pool.query("SELECT 1");
    }

    it("costs pg.Pool a connection, with TLS and a token, each time", async () => {
      await violateFiveTimes(plainPool());
      assert.deepEqual([fixture.front.accepted, fixture.front.tokens.length], [6, 6]);
    });

    it("costs RdsIamPool none", async () => {
      await violateFiveTimes(fixture.createPool());
      assert.deepEqual([fixture.front.accepted, fixture.front.tokens.length], [1, 1]);
    });
  });

  describe("A transaction that is left open", () => {
    async function leaveOpen(pool: pg.Pool, statement: string): Promise<void> {
      const client = await pool.connect();
      await client.query("BEGIN");
      await client.query(statement).catch(() => {});
      client.release();
    }

    it("is lent to the next borrower of pg.Pool, aborted or with its writes", async () => {
      const pool = plainPool({ max: 1 });
      await leaveOpen(pool, "SELECT 1/0");
      await assert.rejects(pool.query("SELECT 1"), ABORTED);
      await leaveOpen(pool, "CREATE TABLE left_open (id integer)");
      // Whoever comes next commits what somebody else began.
      await pool.query("COMMIT");
      assert.deepEqual((await pool.query("SELECT to_regclass('left_open')::text AS t")).rows, [{ t: "left_open" }]);
      await pool.query("DROP TABLE left_open");
    });

    it("is rolled back by RdsIamPool, and its connection kept", async () => {
      const pool = fixture.createPool({ max: 1 });
      await leaveOpen(pool, "SELECT 1/0");
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      await leaveOpen(pool, "CREATE TABLE left_open (id integer)");
      await pool.query("COMMIT");
      assert.deepEqual((await pool.query("SELECT to_regclass('left_open')::text AS t")).rows, [{ t: null }]);
      await pool.query("BEGIN");
      assert.deepEqual((await pool.query("SELECT now() = statement_timestamp() AS alone")).rows, [{ alone: true }]);
      assert.equal(fixture.front.accepted, 1);
    });
  });

  describe("An error that comes before ReadyForQuery", () => {
    const front = relayedFronts(fixture);
    const TEXT = "BEGIN; SELECT 1/0";

    /** What the server says after an error is 50 ms late: a slow network may do that to any two messages. */
    async function slowAfterErrors(): Promise<RelayedFront> {
      const slow = await front();
      let failed = false;
      slow.relay.decide = ({ from, type }) => {
        if (from !== "server") return "pass";
        const late = failed;
        failed = type === "E";
        return late ? sleep(50, "pass" as const) : "pass";
      };
      return slow;
    }

    it("shows an idle client of pg.Pool whose session is aborted, to whoever keeps it by its status", async () => {
      const { port, ca } = await slowAfterErrors();
      const pool = plainPool({ port, ssl: { ca }, max: 1 });
      const client = await pool.connect();
      await client.query("SELECT 1");
      await assert.rejects(client.query(TEXT), { code: "22012" });
      assert.equal(client.getTransactionStatus(), "I");
      client.release();
      await assert.rejects(pool.query("SELECT 1"), ABORTED);
    });

    it("shows RdsIamPool nothing: it waits for ReadyForQuery, and lends no aborted session", async () => {
      const { port, ca } = await slowAfterErrors();
      const pool = fixture.createPool({ port, ca, max: 1 });
      await pool.query("SELECT 1");
      await assert.rejects(pool.query(TEXT), { code: "22012" });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      const client = await pool.connect();
      await assert.rejects(client.query(TEXT), { code: "22012" });
      client.release();
      assert.deepEqual((await pool.query("SELECT 2 AS n")).rows, [{ n: 2 }]);
    });
  });
});

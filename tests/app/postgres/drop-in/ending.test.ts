import assert from "node:assert/strict";
import { eventually } from "../../../local/eventually.ts";
import { backends, called, counts, onBothPools, row } from "./both-pools.ts";

onBothPools("ending", [
  {
    pool: "ends by a promise, with every idle client disconnected from the server",
    holds: async (_pool, { database, kind, open }) => {
      const pool = open({ application_name: `ending ${kind}` });
      await Promise.all([pool.query("SELECT 1"), pool.query("SELECT 1")]);
      await pool.end();
      assert.deepEqual([pool.ending, pool.ended], [true, true]);
      assert.deepEqual(counts(pool), [0, 0, 0]);
      await eventually(
        "no connection to the database",
        2_000,
        async () => (await backends(database, `ending ${kind}`)) === 0,
      );
    },
  },
  {
    pool: "ends by a callback, without an argument, and returns nothing",
    holds: async (pool) => {
      await pool.query("SELECT 1");
      const ended = called<unknown[]>();
      assert.equal(pool.end(ended.back), undefined);
      assert.ok((await ended.with).every((argument) => argument === undefined));
      assert.equal(pool.ended, true);
    },
  },
  {
    pool: "ends at once when it never had a client",
    holds: async (pool) => {
      await pool.end();
      assert.deepEqual([pool.ending, pool.ended], [true, true]);
    },
  },
  {
    pool: "waits for a client that is lent, which works until it is released",
    holds: async (pool) => {
      const client = await pool.connect();
      let ended = false;
      const ending = pool.end().then(() => {
        ended = true;
      });
      assert.deepEqual([pool.ending, pool.ended], [true, false]);
      assert.deepEqual(await row(client, "SELECT 1 AS n"), { n: 1 });
      assert.equal(ended, false);
      client.release();
      await ending;
      assert.deepEqual(counts(pool), [0, 0, 0]);
    },
  },
  {
    pool: "answers a statement that is on its way",
    holds: async (pool) => {
      await pool.query("SELECT 1");
      const answer = pool.query("SELECT pg_sleep(0.03), 7 AS n");
      // The statement has its client in the next turn of the event loop.
      await new Promise(setImmediate);
      await pool.end();
      assert.equal((await answer).rows[0].n, 7);
    },
  },
  {
    pool: "lends nothing after it was ended, by promise or callback",
    holds: async (pool) => {
      await pool.end();
      await assert.rejects(pool.connect(), Error);
      await assert.rejects(pool.query("SELECT 1"), Error);
      const connected = called<[error: Error | undefined, ...rest: unknown[]]>();
      pool.connect(connected.back);
      assert.ok((await connected.with)[0] instanceof Error);
      const queried = called<[error: Error | undefined, ...rest: unknown[]]>();
      pool.query("SELECT 1", queried.back);
      assert.ok((await queried.with)[0] instanceof Error);
      assert.deepEqual(counts(pool), [0, 0, 0]);
    },
  },
]);

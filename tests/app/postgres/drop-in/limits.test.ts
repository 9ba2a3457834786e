import assert from "node:assert/strict";
import type pg from "pg";
import { eventually } from "../../../local/eventually.ts";
import { backends, counts, next, onBothPools, row } from "./both-pools.ts";
import { withSilentServer } from "./unreachable.ts";

async function pid(pool: pg.Pool): Promise<unknown> {
  return row(pool, "SELECT pg_backend_pid() AS pid");
}

onBothPools("limits", [
  {
    pool: "closes a client that was idle for idleTimeoutMillis",
    holds: async (_pool, { database, kind, open }) => {
      const pool = open({ idleTimeoutMillis: 30, application_name: `idle ${kind}` });
      await pool.query("SELECT 1");
      assert.deepEqual(counts(pool), [1, 1, 0]);
      await next(pool, "remove");
      assert.deepEqual(counts(pool), [0, 0, 0]);
      await eventually(
        "no connection to the database",
        2_000,
        async () => (await backends(database, `idle ${kind}`)) === 0,
      );
    },
  },
  {
    pool: "does not close a client for idleness while it is lent",
    options: { idleTimeoutMillis: 20 },
    holds: async (pool, trial) => {
      const client = await pool.connect();
      const other = trial.open({ idleTimeoutMillis: 40 });
      await other.query("SELECT 1");
      await next(other, "remove");
      assert.deepEqual(counts(pool), [1, 0, 0]);
      assert.deepEqual(await row(client, "SELECT 1 AS n"), { n: 1 });
      client.release();
    },
  },
  {
    pool: "keeps an idle client that is within its time",
    options: { idleTimeoutMillis: 60_000 },
    holds: async (pool, trial) => {
      await pool.query("SELECT 1");
      const other = trial.open({ idleTimeoutMillis: 30 });
      await other.query("SELECT 1");
      await next(other, "remove");
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "rejects a caller that waited for connectionTimeoutMillis, and loses no client to it",
    options: { max: 1, connectionTimeoutMillis: 300 },
    holds: async (pool) => {
      const client = await pool.connect();
      const since = performance.now();
      await assert.rejects(pool.connect(), Error);
      assert.ok(performance.now() - since >= 299);
      assert.deepEqual(counts(pool), [1, 0, 0]);
      client.release();
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "rejects when a server says nothing for connectionTimeoutMillis",
    holds: async (_pool, trial) => {
      await withSilentServer(async (port) => {
        const pool = trial.open({ port, connectionTimeoutMillis: 60 });
        await assert.rejects(pool.connect(), Error);
        await pool.end();
      });
    },
  },
  {
    pool: "replaces a client after maxUses",
    options: { max: 1, maxUses: 2 },
    holds: async (pool) => {
      const first = await pid(pool);
      const removed = next(pool, "remove");
      assert.deepEqual(await pid(pool), first);
      await removed;
      const second = await pid(pool);
      assert.notDeepEqual(second, first);
      assert.deepEqual(await pid(pool), second);
    },
  },
  {
    pool: "closes an idle client after maxLifetimeSeconds",
    options: { max: 1, maxLifetimeSeconds: 0.05 },
    holds: async (pool) => {
      const first = await pid(pool);
      await next(pool, "remove");
      assert.deepEqual(counts(pool), [0, 0, 0]);
      assert.notDeepEqual(await pid(pool), first);
    },
  },
  {
    pool: "leaves a client that is lent after maxLifetimeSeconds to its borrower, and closes it when it comes back",
    options: { max: 1, maxLifetimeSeconds: 0.05 },
    holds: async (pool) => {
      const client = await pool.connect();
      while (pool.expiredCount === 0) await new Promise(setImmediate);
      assert.deepEqual(await row(client, "SELECT 1 AS n"), { n: 1 });
      const removed = next(pool, "remove");
      client.release();
      assert.deepEqual(await removed, [client]);
      assert.equal(pool.expiredCount, 0);
    },
  },
  {
    pool: "rejects a statement that is not answered within query_timeout",
    options: { query_timeout: 150 },
    holds: async (pool) => {
      await assert.rejects(pool.query("SELECT pg_sleep(0.5)"), { message: "Query read timeout" });
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
    },
  },
]);

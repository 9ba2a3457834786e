import assert from "node:assert/strict";
import pg from "pg";
import { counts, next, onBothPools, row } from "./both-pools.ts";

const EVENTS = ["connect", "acquire", "release", "remove", "error"] as const;

/** Every event of the pool with its arguments, as they come. */
function record(pool: pg.Pool): (readonly [string, ...unknown[]])[] {
  const seen: (readonly [string, ...unknown[]])[] = [];
  // A statement of the pool that succeeds is released with null by the one pool, with undefined by the other.
  for (const name of EVENTS)
    pool.on(name, (...args: unknown[]) => void seen.push([name, ...args.map((a) => a ?? undefined)]));
  return seen;
}

onBothPools("events", [
  {
    pool: "come in order, each with the client, a release with its error before it",
    options: { max: 1 },
    holds: async (pool) => {
      const seen = record(pool);
      const client = await pool.connect();
      assert.deepEqual(seen, [
        ["connect", client],
        ["acquire", client],
      ]);
      client.release();
      await pool.query("SELECT 1");
      const again = await pool.connect();
      assert.equal(again, client);
      const odd = new Error("it behaved oddly");
      const removed = next(pool, "remove");
      again.release(odd);
      await removed;
      assert.deepEqual(seen.slice(2), [
        ["release", undefined, client],
        ["acquire", client],
        ["release", undefined, client],
        ["acquire", client],
        ["release", odd, client],
        ["remove", client],
      ]);
    },
  },
  {
    pool: "connect lets a property be set on each new client",
    holds: async (pool) => {
      const numbers = new WeakMap<pg.ClientBase, number>();
      let born = 0;
      pool.on("connect", (client) => numbers.set(client, born++));
      const clients = await Promise.all([pool.connect(), pool.connect()]);
      assert.deepEqual(clients.map((client) => numbers.get(client)).sort(), [0, 1]);
      for (const client of clients) client.release();
      (await pool.connect()).release();
      assert.equal(born, 2);
    },
  },
  {
    pool: "connect lets a client be set up before its borrower's first statement",
    options: { max: 1 },
    holds: async (pool) => {
      pool.on("connect", (client) => void client.query("SET DateStyle = 'German'"));
      assert.deepEqual(await row(pool, "SELECT date '2026-11-23' :: text AS day"), { day: "23.11.2026" });
    },
  },
  {
    pool: "acquire and release come once for each statement of the pool, a failing one included",
    options: { max: 1 },
    holds: async (pool) => {
      const seen = record(pool);
      await pool.query("SELECT 1");
      await assert.rejects(pool.query("SELECT 1/0"));
      await pool.query("SELECT 1");
      const names = seen.map(([name]) => name);
      assert.equal(names.filter((name) => name === "acquire").length, 3);
      assert.equal(names.filter((name) => name === "release").length, 3);
      assert.equal(names.filter((name) => name === "error").length, 0);
    },
  },
  {
    pool: "release shows true for a client that is to be destroyed",
    holds: async (pool) => {
      const seen = record(pool);
      const client = await pool.connect();
      client.release(true);
      assert.deepEqual(seen.slice(2), [["release", true, client]]);
    },
  },
  {
    pool: "error tells of an idle client that was lost, with its error, and the client is gone",
    options: { max: 1 },
    holds: async (pool, { database }) => {
      const client = await pool.connect();
      const { pid } = (await row(client, "SELECT pg_backend_pid() AS pid")) as { readonly pid: number };
      client.release();
      const seen = record(pool);
      const told = next(pool, "remove");
      await database.query(`SELECT pg_terminate_backend(${pid})`);
      await told;
      const errors = seen.filter(([name]) => name === "error");
      assert.equal(errors.length, 1);
      const [, error, lost] = errors[0] ?? assert.fail();
      assert.ok(error instanceof pg.DatabaseError && error.code === "57P01");
      assert.equal(lost, client);
      assert.deepEqual(counts(pool), [0, 0, 0]);
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
    },
  },
  {
    pool: "error does not tell of a client that was lost while it was lent: its borrower is told",
    options: { max: 1 },
    holds: async (pool, { database }) => {
      const client = await pool.connect();
      const { pid } = (await row(client, "SELECT pg_backend_pid() AS pid")) as { readonly pid: number };
      const seen = record(pool);
      const running = assert.rejects(client.query("SELECT pg_sleep(10)"), { code: "57P01" });
      await database.query(`SELECT pg_terminate_backend(${pid})`);
      await running;
      client.release();
      assert.equal(seen.filter(([name]) => name === "error").length, 0);
    },
  },
  {
    pool: "remove comes for every client when the pool ends",
    holds: async (pool) => {
      const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      for (const client of clients) client.release();
      const removed: pg.PoolClient[] = [];
      pool.on("remove", (client) => removed.push(client));
      const last = Promise.all(clients.map((client) => next(client, "end")));
      await pool.end();
      await last;
      assert.equal(new Set(removed).size, 3);
      assert.equal(removed.length, 3);
    },
  },
]);

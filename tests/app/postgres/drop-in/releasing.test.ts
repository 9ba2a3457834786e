import assert from "node:assert/strict";
import { counts, next, onBothPools, row } from "./both-pools.ts";

const RELEASED_TWICE = { message: "Release called on client which has already been released to the pool." };

onBothPools("releasing a client", [
  {
    pool: "keeps a client that is released, for the next caller",
    holds: async (pool) => {
      const client = await pool.connect();
      client.release();
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "keeps a client that is released with false",
    holds: async (pool) => {
      const client = await pool.connect();
      client.release(false);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  ...([true, new Error("it behaved oddly")] as const).map((destroy) => ({
    pool: `destroys a client that is released with ${String(destroy)}, and leaves its place to a new one`,
    options: { max: 1 },
    holds: async (pool: import("pg").Pool) => {
      const client = await pool.connect();
      const before = await row(client, "SELECT pg_backend_pid() AS pid");
      const removed = next(pool, "remove");
      client.release(destroy);
      assert.deepEqual(counts(pool), [0, 0, 0]);
      assert.deepEqual(await removed, [client]);
      assert.notDeepEqual(await row(pool, "SELECT pg_backend_pid() AS pid"), before);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  })),
  {
    pool: "gives the place of a destroyed client to whoever waits",
    options: { max: 1 },
    holds: async (pool) => {
      const first = await pool.connect();
      const waiting = pool.connect();
      first.release(true);
      const second = await waiting;
      assert.notEqual(second, first);
      second.release();
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "throws at a second release, and still holds the client once",
    holds: async (pool) => {
      const client = await pool.connect();
      client.release();
      assert.throws(() => client.release(), RELEASED_TWICE);
      assert.throws(() => client.release(true), RELEASED_TWICE);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "throws at a second release even while the client is at work",
    options: { max: 1 },
    holds: async (pool) => {
      const client = await pool.connect();
      const running = client.query("SELECT pg_sleep(0.03)");
      client.release();
      assert.throws(() => client.release(), RELEASED_TWICE);
      await running;
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "throws at a second release through the function of a callback",
    holds: async (pool) => {
      const { promise, resolve } = Promise.withResolvers<() => void>();
      pool.connect((_error, client, done) => {
        client?.release();
        resolve(done);
      });
      const done = await promise;
      assert.throws(() => done(), RELEASED_TWICE);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "lets a client be released anew each time that it is lent",
    holds: async (pool) => {
      for (let n = 0; n < 3; n++) (await pool.connect()).release();
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "keeps no client whose connection was lost while it was lent",
    options: { max: 1 },
    holds: async (pool, { database }) => {
      const client = await pool.connect();
      const lost = next(client, "end");
      const { pid } = (await row(client, "SELECT pg_backend_pid() AS pid")) as { readonly pid: number };
      await database.query(`SELECT pg_terminate_backend(${pid})`);
      await lost;
      await assert.rejects(client.query("SELECT 1"), /not queryable|terminated/i);
      client.release();
      assert.equal(pool.idleCount, 0);
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "answers what is released while it runs, before the client serves another",
    options: { max: 1 },
    holds: async (pool) => {
      const client = await pool.connect();
      const order: string[] = [];
      const slow = client.query("SELECT pg_sleep(0.05)").then(() => order.push("slow"));
      client.release();
      await pool.query("SELECT 1").then(() => order.push("next"));
      await slow;
      assert.deepEqual(order, ["slow", "next"]);
    },
  },
]);

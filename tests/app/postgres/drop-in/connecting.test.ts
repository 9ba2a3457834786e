import assert from "node:assert/strict";
import pg from "pg";
import { errorCode } from "../../../../app/postgres/index.ts";
import { backends, called, counts, next, onBothPools, reasonOf, row } from "./both-pools.ts";
import { closedPort } from "./unreachable.ts";

type Obtained = [error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void];

onBothPools("obtaining a client", [
  {
    pool: "is a pg.Pool",
    holds: (pool) => {
      assert.ok(pool instanceof pg.Pool);
      assert.deepEqual([pool.ending, pool.ended], [false, false]);
    },
  },
  {
    pool: "is empty at first, and creates a client when one is needed",
    holds: async (pool) => {
      assert.deepEqual(counts(pool), [0, 0, 0]);
      const connecting = pool.connect();
      assert.deepEqual(counts(pool), [1, 0, 0]);
      const client = await connecting;
      assert.ok(client instanceof pg.Client);
      assert.deepEqual(counts(pool), [1, 0, 0]);
      client.release();
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "lends a client by a promise, which queries and is released",
    holds: async (pool) => {
      const client = await pool.connect();
      assert.deepEqual(await row(client, "SELECT $1::text AS name", ["pg-pool"]), { name: "pg-pool" });
      client.release();
    },
  },
  {
    pool: "lends a client by a callback, with a function that gives it back",
    holds: async (pool) => {
      const obtained = called<Obtained>();
      assert.equal(pool.connect(obtained.back), undefined);
      const [error, client, done] = await obtained.with;
      assert.equal(error, undefined);
      assert.ok(client instanceof pg.Client);
      const answered = called<[Error, pg.QueryResult]>();
      client.query("SELECT $1::text AS name", ["pg-pool"], answered.back);
      const [failure, result] = await answered.with;
      assert.equal(failure, null);
      assert.deepEqual(result.rows, [{ name: "pg-pool" }]);
      done();
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "takes a client back from a callback with an error, and destroys it",
    holds: async (pool) => {
      const obtained = called<Obtained>();
      pool.connect(obtained.back);
      const [, client, done] = await obtained.with;
      const removed = next(pool, "remove");
      done(new Error("it behaved oddly"));
      assert.deepEqual(counts(pool), [0, 0, 0]);
      assert.deepEqual(await removed, [client]);
    },
  },
  {
    pool: "rejects when there is no server, and keeps no client",
    holds: async (_pool, trial) => {
      const pool = trial.open({ port: await closedPort() });
      await assert.rejects(pool.connect(), (error) => errorCode(reasonOf(error)) === "ECONNREFUSED");
      assert.deepEqual(counts(pool), [0, 0, 0]);
    },
  },
  {
    pool: "calls back with an error when there is no server, without a client and with a function that may be called",
    holds: async (_pool, trial) => {
      const pool = trial.open({ port: await closedPort() });
      const obtained = called<Obtained>();
      pool.connect(obtained.back);
      const [error, client, done] = await obtained.with;
      assert.ok(error instanceof Error);
      assert.equal(client, undefined);
      done(error);
      assert.deepEqual(counts(pool), [0, 0, 0]);
    },
  },
  {
    pool: "lends an idle client again, rather than a new one",
    holds: async (pool) => {
      const first = await pool.connect();
      first.release();
      const second = await pool.connect();
      assert.equal(second, first);
      second.release();
    },
  },
  {
    pool: "lends the client that was released last",
    holds: async (pool) => {
      const [first, second] = await Promise.all([pool.connect(), pool.connect()]);
      second.release();
      first.release();
      const next = await pool.connect();
      assert.equal(next, first);
      next.release();
    },
  },
  {
    pool: "creates another client while it is not full and every client is lent",
    options: { max: 2 },
    holds: async (pool) => {
      const [first, second] = await Promise.all([pool.connect(), pool.connect()]);
      assert.notEqual(first, second);
      assert.deepEqual(counts(pool), [2, 0, 0]);
      first.release();
      second.release();
      assert.deepEqual(counts(pool), [2, 2, 0]);
    },
  },
  {
    pool: "lets callers wait in order of arrival when it is full, and counts them",
    options: { max: 1 },
    holds: async (pool) => {
      const only = await pool.connect();
      const order: number[] = [];
      const waits = [1, 2, 3].map(async (n) => {
        const client = await pool.connect();
        order.push(n);
        client.release();
      });
      assert.deepEqual(counts(pool), [1, 0, 3]);
      only.release();
      await Promise.all(waits);
      assert.deepEqual(order, [1, 2, 3]);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "runs 200 queries at once over 10 clients, which it has by default",
    holds: async (_pool, trial) => {
      const pool = trial.open({ application_name: `200 on ${trial.kind}` });
      let connected = 0;
      let acquired = 0;
      pool.on("connect", () => void connected++);
      pool.on("acquire", () => void acquired++);
      // Long enough that no connection is still being made when the last of them is answered.
      await Promise.all(Array.from({ length: 200 }, () => pool.query("SELECT NOW(), pg_sleep(0.03)")));
      assert.deepEqual({ connected, acquired }, { connected: 10, acquired: 200 });
      assert.deepEqual(counts(pool), [10, 10, 0]);
      assert.equal(await backends(trial.database, `200 on ${trial.kind}`), 10);
    },
  },
  {
    pool: "has as many clients as max says, and not one more",
    options: { max: 3 },
    holds: async (pool) => {
      let connected = 0;
      pool.on("connect", () => void connected++);
      const queries = Array.from({ length: 20 }, () => pool.query("SELECT pg_sleep(0.1)"));
      assert.equal(pool.totalCount, 3);
      assert.equal(pool.waitingCount, 17);
      await Promise.all(queries);
      assert.equal(connected, 3);
      assert.deepEqual(counts(pool), [3, 3, 0]);
    },
  },
  {
    pool: "tells PostgreSQL the name of the application",
    options: { application_name: "drop-in" },
    holds: async (pool) => {
      assert.deepEqual(await row(pool, "SHOW application_name"), { application_name: "drop-in" });
    },
  },
]);

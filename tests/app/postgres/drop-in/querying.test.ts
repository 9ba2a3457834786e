import assert from "node:assert/strict";
import pg from "pg";
import { called, counts, onBothPools, row } from "./both-pools.ts";
import { oneColumn } from "./submittable.ts";

type Answer = [error: Error | undefined, result: pg.QueryResult];

/** `pool.query` as JavaScript sees it: the declared types do not admit what callers of pg-pool are told not to do. */
function loosely(pool: pg.Pool): (...args: readonly unknown[]) => Promise<pg.QueryResult> {
  return (...args) => Reflect.apply(pool.query, pool, args);
}

onBothPools("querying", [
  {
    pool: "answers a text by a promise, and keeps the client",
    holds: async (pool) => {
      const { rows, rowCount, command, fields } = await pool.query("SELECT 1 AS one, 'two' AS two");
      assert.deepEqual(rows, [{ one: 1, two: "two" }]);
      assert.deepEqual([rowCount, command, fields.map(({ name }) => name)], [1, "SELECT", ["one", "two"]]);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "answers a text with values by a promise",
    holds: async (pool) => {
      assert.deepEqual((await pool.query("SELECT $1::text AS name", ["brianc"])).rows, [{ name: "brianc" }]);
    },
  },
  {
    pool: "answers a text with values by a callback, and returns nothing",
    holds: async (pool) => {
      const answered = called<Answer>();
      assert.equal(pool.query("SELECT $1::text AS name", ["brianc"], answered.back), undefined);
      const [error, { rows }] = await answered.with;
      assert.equal(error, undefined);
      assert.deepEqual(rows, [{ name: "brianc" }]);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "answers a text alone by a callback",
    holds: async (pool) => {
      const answered = called<Answer>();
      assert.equal(pool.query("SELECT 1 AS n", answered.back), undefined);
      const [error, { rows }] = await answered.with;
      assert.equal(error, undefined);
      assert.deepEqual(rows, [{ n: 1 }]);
    },
  },
  {
    pool: "answers a configuration object, with values in it or beside it, by a promise or a callback",
    holds: async (pool) => {
      const text = "SELECT $1::int AS n";
      assert.deepEqual((await pool.query({ text, values: [1] })).rows, [{ n: 1 }]);
      assert.deepEqual((await pool.query({ text }, [2])).rows, [{ n: 2 }]);
      const answered = called<Answer>();
      pool.query({ text, values: [3] }, answered.back);
      assert.deepEqual((await answered.with)[1].rows, [{ n: 3 }]);
    },
  },
  {
    pool: "answers a named statement, prepared once a client, and rows as arrays, and with parsers of its own",
    options: { max: 1 },
    holds: async (pool) => {
      const named = (n: number) => pool.query({ name: "twice", text: "SELECT 2 * $1::int AS n", values: [n] });
      assert.deepEqual((await named(1)).rows, [{ n: 2 }]);
      assert.deepEqual((await named(4)).rows, [{ n: 8 }]);
      const prepared = await pool.query("SELECT name FROM pg_prepared_statements");
      assert.deepEqual(prepared.rows, [{ name: "twice" }]);
      assert.deepEqual((await pool.query({ text: "SELECT 1, 2", rowMode: "array" })).rows, [[1, 2]]);
      const types = { getTypeParser: () => (value: string) => `<${value}>` };
      assert.deepEqual((await pool.query({ text: "SELECT 1 AS n", types })).rows, [{ n: "<1>" }]);
    },
  },
  {
    pool: "answers several statements in one text with a list of results",
    holds: async (pool) => {
      const results: unknown = await pool.query("SELECT 1 AS a; SELECT 2 AS b");
      assert.ok(Array.isArray(results));
      assert.deepEqual(
        results.map(({ rows }) => rows),
        [[{ a: 1 }], [{ b: 2 }]],
      );
    },
  },
  {
    pool: "rejects with the database's error, which names the caller's file",
    holds: async (pool) => {
      await assert.rejects(pool.query("SELECT $1::int", ["x"]), (error) => {
        assert.ok(error instanceof pg.DatabaseError);
        assert.deepEqual([error.code, error.severity], ["22P02", "ERROR"]);
        assert.match(error.stack ?? "", /querying\.test\.ts/);
        return true;
      });
    },
  },
  {
    pool: "calls back with the database's error",
    holds: async (pool) => {
      const answered = called<[error: Error, result: unknown]>();
      pool.query("SELECT 1/0", answered.back);
      const [error, result] = await answered.with;
      assert.ok(error instanceof pg.DatabaseError && error.code === "22012");
      assert.equal(result, undefined);
    },
  },
  {
    pool: "works on after each failing statement, and lends nobody a client twice",
    options: { max: 2 },
    holds: async (pool) => {
      for (let n = 0; n < 5; n++) await assert.rejects(pool.query("SELECT 1/0"), { code: "22012" });
      const clients = await Promise.all([pool.connect(), pool.connect()]);
      const backends = await Promise.all(clients.map((client) => row(client, "SELECT pg_backend_pid() AS pid")));
      assert.notDeepEqual(backends[0], backends[1]);
      for (const client of clients) client.release();
      assert.equal(pool.totalCount, 2);
      assert.equal(pool.waitingCount, 0);
    },
  },
  {
    pool: "refuses a function as the first parameter, and says so to it",
    holds: async (pool) => {
      const answered = called<[error: Error]>();
      assert.equal(loosely(pool)(answered.back), undefined);
      const [error] = await answered.with;
      assert.match(error.message, /^Passing a function as the first parameter to pool\.query is not supported$/);
      assert.deepEqual(counts(pool), [0, 0, 0]);
    },
  },
  {
    pool: "rejects what is no query, and lends on",
    options: { max: 1 },
    holds: async (pool) => {
      const query = loosely(pool);
      await assert.rejects(query(null), { name: "TypeError", message: /null or undefined query/ });
      await assert.rejects(query(undefined), { name: "TypeError", message: /null or undefined query/ });
      await assert.rejects(query({}), /either text or a name/);
      await assert.rejects(query("SELECT $1", { not: "an array" }), /values must be an array/i);
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      assert.equal(pool.waitingCount, 0);
    },
  },
  {
    pool: "runs a pg.Query, which emits its rows, and gives its client back",
    options: { max: 1 },
    holds: async (pool) => {
      const query = new pg.Query("SELECT n FROM generate_series(1, 3) AS n");
      const rows: unknown[] = [];
      query.on("row", (row) => rows.push(row));
      const result = await loosely(pool)(query);
      assert.deepEqual(rows, [{ n: 1 }, { n: 2 }, { n: 3 }]);
      assert.deepEqual(result.rows, rows);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
  {
    pool: "rejects when a pg.Query fails, and gives its client back",
    options: { max: 1 },
    holds: async (pool) => {
      await assert.rejects(loosely(pool)(new pg.Query("SELECT 1/0")), { code: "22012" });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    },
  },
  {
    pool: "runs whatever can submit itself, as pg-cursor does, on the pool and on a client of it",
    options: { max: 1 },
    holds: async (pool) => {
      assert.deepEqual(await loosely(pool)(oneColumn("SELECT n FROM generate_series(1, 3) AS n")), ["1", "2", "3"]);
      assert.deepEqual(counts(pool), [1, 1, 0]);
      const client = await pool.connect();
      const submitted = oneColumn("SELECT 'four'");
      const answered = called<[error: Error | null, result?: unknown]>();
      submitted.callback = answered.back;
      assert.equal(client.query(submitted), submitted);
      assert.deepEqual(await answered.with, [null, ["four"]]);
      client.release();
    },
  },
  {
    pool: "rejects when what submits itself fails, and gives its client back",
    options: { max: 1 },
    holds: async (pool) => {
      await assert.rejects(loosely(pool)(oneColumn("SELECT 1/0")), { code: "22012" });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    },
  },
  {
    pool: "leaves no listener on a client, however many queries it answers or fails",
    options: { max: 1 },
    holds: async (pool) => {
      const listeners = async () => {
        const client = await pool.connect();
        const total = client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
        client.release();
        return total;
      };
      await pool.query("SELECT 1");
      const before = await listeners();
      for (let n = 0; n < 20; n++) await pool.query("SELECT 1");
      for (let n = 0; n < 5; n++) await pool.query("SELECT 1/0").catch(() => {});
      await pool.query("SELECT 1");
      assert.equal(await listeners(), before);
    },
  },
]);

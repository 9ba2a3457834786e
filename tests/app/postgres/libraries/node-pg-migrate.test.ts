import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, it } from "mocha";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import type pg from "pg";
import { poolFixture } from "../pool-fixture.ts";
import { keepsItsConnection } from "./same-connection.ts";

const MIGRATIONS = ["0001_planets", "0002_moons"];

describe("node-pg-migrate on a client of RdsIamPool", () => {
  const fixture = poolFixture();

  beforeEach(() => fixture.database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app_master"));

  /** Names of the migrations that were run. */
  async function migrate(
    client: pg.PoolClient,
    direction: "up" | "down" = "up",
    { folder = "migrations", lock = "wait" as "wait" | "fail", singleTransaction = false } = {},
  ): Promise<readonly string[]> {
    const done = await runner({
      dbClient: client,
      dir: fileURLToPath(new URL(`./${folder}`, import.meta.url)),
      direction,
      count: Number.POSITIVE_INFINITY,
      migrationsTable: "migrations",
      advisoryLockMode: lock,
      singleTransaction,
      log: () => {},
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    return done.map(({ name }) => name);
  }

  async function tables(): Promise<readonly string[]> {
    const rows = await fixture.database.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  }

  function advisoryLocks(): Promise<readonly object[]> {
    return fixture.database.query(
      `SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
       WHERE locktype = 'advisory' AND datname = current_database()`,
    );
  }

  it("migrates up, has nothing more to do, and migrates down, over one connection that it gives back", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const client = await pool.connect();
      assert.deepEqual(await migrate(client), MIGRATIONS);
      assert.deepEqual(await tables(), ["migrations", "moons", "planets"]);
      assert.deepEqual(await migrate(client), []);
      assert.deepEqual(await migrate(client, "down"), MIGRATIONS.toReversed());
      assert.deepEqual(await tables(), ["migrations"]);
      client.release();
    });
  });

  it("that waits for another one's lock finds the work done", async () => {
    const pool = fixture.createPool({ max: 2 });
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    const done = await Promise.all(clients.map((client) => migrate(client)));
    for (const client of clients) client.release();
    assert.deepEqual(
      done.toSorted((a, b) => b.length - a.length),
      [MIGRATIONS, []],
    );
    assert.deepEqual(await tables(), ["migrations", "moons", "planets"]);
    assert.equal(fixture.front.accepted, 2);
    assert.deepEqual({ total: pool.totalCount, idle: pool.idleCount }, { total: 2, idle: 2 });
  });

  it("that does not wait for another one's lock fails, and its connection serves again", async () => {
    const pool = fixture.createPool({ max: 2 });
    const [holder, second] = await Promise.all([pool.connect(), pool.connect()]);
    await holder.query(`SELECT pg_advisory_lock(${PG_MIGRATE_LOCK_ID})`);
    await assert.rejects(migrate(second, "up", { lock: "fail" }), /Another migration is already running/);
    assert.deepEqual(await tables(), []);
    await holder.query("SELECT pg_advisory_unlock_all()");
    assert.deepEqual(await migrate(second, "up", { lock: "fail" }), MIGRATIONS);
    holder.release();
    second.release();
    assert.equal(fixture.front.accepted, 2);
  });

  it("rolls a failing run back, lets go of its lock, and goes on with the same connection", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const client = await pool.connect();
      await assert.rejects(migrate(client, "up", { folder: "broken-migrations", singleTransaction: true }), {
        code: "22012",
      });
      client.release();
      assert.deepEqual(await tables(), ["migrations"]);
      assert.deepEqual(await advisoryLocks(), []);
    });
  });

  // With a transaction for each migration, the runner leaves the failed one open, and in it cannot unlock.
  it("that leaves a failed transaction open does not leave it to the next borrower", async () => {
    const pool = fixture.createPool({ max: 1 });
    const client = await pool.connect();
    await assert.rejects(migrate(client, "up", { folder: "broken-migrations" }), { code: "22012" });
    client.release();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.deepEqual(await tables(), ["migrations"]);
  });

  it("that failed gives its lock back with a connection that is destroyed", async () => {
    const pool = fixture.createPool({ max: 1 });
    const client = await pool.connect();
    await assert.rejects(migrate(client, "up", { folder: "broken-migrations" }), { code: "22012" });
    assert.equal((await advisoryLocks()).length, 1);
    client.release(true);
    const next = await pool.connect();
    assert.deepEqual(await migrate(next), MIGRATIONS);
    next.release();
    assert.deepEqual(await advisoryLocks(), []);
    assert.equal(fixture.front.accepted, 2);
  });
});

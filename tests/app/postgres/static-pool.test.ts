import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { createStaticPool } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { captureLog } from "../captured-log.ts";
import { createTestDatabase, type TestDatabase } from "../test-database.ts";

describe("The pool with a static password", () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });

  function create(more: { readonly password?: string; readonly connectionTimeoutMillis?: number } = {}) {
    const { host, port, user, password, name } = database;
    const log = captureLog();
    const settings = { host, port, user, password, database: name, max: 2, connectionTimeoutMillis: 2_000, ...more };
    return { log, pool: createStaticPool({ ...settings, log: log.logger.child({ logger: "db-auth" }) }) };
  }

  it("fails at once with a wrong password, and retries nothing", async () => {
    const { pool, log } = create({ password: "wrong" });
    await assert.rejects(pool.query("SELECT 1"), { code: "28P01" });
    assert.deepEqual(log.events(), []);
    await pool.end();
  });

  it("has a limit for obtaining a connection", async () => {
    const { pool } = create({ connectionTimeoutMillis: 400 });
    const lent = await Promise.all([pool.connect(), pool.connect()]);
    await assert.rejects(pool.connect(), /timeout exceeded when trying to connect/);
    for (const client of lent) client.release();
    await pool.end();
  });

  it("survives that the server kills a connection that is lent, and one that is idle", async () => {
    const { pool, log } = create();
    const [lent, idle] = await Promise.all([pool.connect(), pool.connect()]);
    let ends = 0;
    for (const client of [lent, idle]) client.on("end", () => ends++);
    idle.release();
    await database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = $2", [
      database.user,
      database.name,
    ]);
    await eventually("both connections have ended", 2_000, () => ends === 2);
    lent.release();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.deepEqual(
      log.events().map(({ level, code }) => [level, code]),
      [["warn", "CONNECTION_LOST"]],
    );
    await pool.end();
  });
});

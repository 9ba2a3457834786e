import assert from "node:assert/strict";
import { describe, it } from "mocha";
import pg from "pg";
import { inTransaction, withConnection } from "../../app/database.ts";
import { createPool } from "../../app/pool.ts";
import { Problem } from "../../app/problems.ts";
import { createServer } from "../../app/server.ts";
import { apiFixture, assertProblem } from "./api-fixture.ts";
import { captureLog } from "./captured-log.ts";
import { developmentConfiguration } from "./development.ts";

const KILL_ME = "SELECT pg_terminate_backend(pg_backend_pid())";

describe("The database", () => {
  const api = apiFixture();

  it("that cannot be reached is a 503 on every route, without the driver's text", async () => {
    const { logger } = captureLog();
    // The port of this service's own front, where nothing listens.
    const configuration = developmentConfiguration(api.database, {}, { port: 1 });
    const pool = createPool(configuration, logger);
    const server = createServer({ pool, logger, configuration, secrets: [] });
    const id = "6f7b6f1e-3c4b-4f0e-9f5e-2f6f3c1b7a10";
    for (const [method, url, payload] of [
      ["GET", "/projects", undefined],
      ["POST", "/projects", { name: "n" }],
      ["GET", `/projects/${id}`, undefined],
      ["PATCH", `/projects/${id}`, { name: "n" }],
      ["DELETE", `/projects/${id}`, undefined],
      ["GET", `/projects/${id}/members`, undefined],
      ["POST", `/projects/${id}/members`, { name: "n" }],
      ["DELETE", `/projects/${id}/members/${id}`, undefined],
      ["POST", `/projects/${id}/transfer`, { to: id }],
    ] as const) {
      const answer = await server.inject({ method, url, ...(payload ? { payload } : {}) });
      assertProblem(answer, 503, "DATABASE_UNAVAILABLE", /^The database cannot be reached at the moment$/);
    }
    await server.close();
    await pool.end();
  });

  it("that takes longer than the role's time-out is a 503, and nothing was changed", async () => {
    const { id, name } = await api.createProject();
    const blocker = await api.pool.connect();
    await blocker.query("BEGIN");
    await blocker.query("SELECT 1 FROM projects WHERE id = $1 FOR UPDATE", [id]);
    await api.database.query(
      `ALTER ROLE ${api.database.user} IN DATABASE ${api.database.name} SET lock_timeout = '50ms'`,
    );
    const pool = createPool(developmentConfiguration(api.database), api.log.logger);
    const { logger } = api.log;
    const configuration = developmentConfiguration(api.database);
    const server = createServer({ pool, logger, configuration, secrets: [] });
    const answer = await server.inject({ method: "PATCH", url: `/projects/${id}`, payload: { name: "late" } });
    assertProblem(answer, 503, "DATABASE_BUSY", /^The database took too long; nothing was changed$/);
    await blocker.query("ROLLBACK");
    blocker.release();
    assert.equal((await server.inject(`/projects/${id}`)).json().name, name);
    assert.equal(pool.totalCount, 1);
    await server.close();
    await pool.end();
    await api.database.query(`ALTER ROLE ${api.database.user} IN DATABASE ${api.database.name} RESET lock_timeout`);
  });

  it("keeps a connection on which a statement failed, and drops one that was lost", async () => {
    const pool = createPool(developmentConfiguration(api.database, {}, { poolSize: 1 }), api.log.logger);
    const pid = () => withConnection(pool, async (client) => (await client.query("SELECT pg_backend_pid()")).rows[0]);
    const first = await pid();
    await assert.rejects(
      withConnection(pool, (client) => client.query("SELECT 1 / 0")),
      (error) => error instanceof pg.DatabaseError && error.code === "22012",
    );
    assert.deepEqual(await pid(), first);
    await assert.rejects(
      withConnection(pool, (client) => client.query(KILL_ME)),
      (error) => error instanceof Problem && error.code === "OUTCOME_UNKNOWN" && error.status === 503,
    );
    assert.notDeepEqual(await pid(), first);
    await pool.end();
  });

  it("says that the outcome is not known when the connection is lost at COMMIT", async () => {
    const { pool } = api;
    // A deferred trigger ends the session in the middle of the COMMIT.
    await api.database.query(`
      CREATE TABLE last_words (n int);
      ALTER TABLE last_words OWNER TO ${api.database.user};
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER die AFTER INSERT ON last_words DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
    `);
    await assert.rejects(
      inTransaction(pool, (client) => client.query("INSERT INTO last_words VALUES (1)")),
      (error) =>
        error instanceof Problem &&
        error.code === "OUTCOME_UNKNOWN" &&
        /while the change was committed/.test(error.message),
    );
    assert.equal((await pool.query("SELECT 1 AS n")).rows[0].n, 1);
  });

  it("that answers a COMMIT with ROLLBACK has not committed, and nobody is told otherwise", async () => {
    await assert.rejects(
      inTransaction(api.pool, async (client) => {
        await client.query("SELECT 1 / 0").catch(() => {});
      }),
      /COMMIT was answered with ROLLBACK/,
    );
  });

  it("is rolled back, on a connection that lives on, when the work throws a problem", async () => {
    const pool = createPool(developmentConfiguration(api.database, {}, { poolSize: 1 }), api.log.logger);
    const problem = new Problem(409, "NO", "no");
    await assert.rejects(
      inTransaction(pool, async (client) => {
        await client.query("INSERT INTO projects (name) VALUES ('undone')");
        throw problem;
      }),
      (error) => error === problem,
    );
    assert.deepEqual((await pool.query("SELECT 1 FROM projects WHERE name = 'undone'")).rows, []);
    assert.equal(pool.totalCount, 1);
    await pool.end();
  });
});

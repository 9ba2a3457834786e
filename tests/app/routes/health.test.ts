import assert from "node:assert/strict";
import type { FastifyInstance } from "fastify";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import type pg from "pg";
import { createPool } from "../../../app/pool.ts";
import { createServer } from "../../../app/server.ts";
import { assertProblem } from "../api-fixture.ts";
import { type CapturedLog, captureLog } from "../captured-log.ts";
import { developmentConfiguration } from "../development.ts";
import { Gate } from "../gate.ts";
import { createTestDatabase, type TestDatabase } from "../test-database.ts";

describe("Health", () => {
  let database: TestDatabase;
  let gate: Gate;
  let pool: pg.Pool;
  let server: FastifyInstance;
  let log: CapturedLog;

  before(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    gate = await Gate.listen(database.port);
    log = captureLog();
    const configuration = developmentConfiguration(database, {}, { port: gate.port, poolSize: 2 });
    pool = createPool(configuration, log.logger);
    server = createServer({ pool, logger: log.logger, configuration, secrets: [] });
  });
  afterEach(async () => {
    await server.close();
    await gate.close();
    await pool.end();
  });

  it("of the process is told without touching the database", async () => {
    for (let n = 0; n < 20; n++) {
      const answer = await server.inject("/livez");
      assert.equal(answer.statusCode, 200);
      assert.deepEqual(answer.json(), { status: "alive" });
    }
    assert.equal(pool.totalCount, 0);
    assert.equal(gate.accepted, 0);
  });

  it("of the database is asked of the database", async () => {
    gate.open();
    const answer = await server.inject("/readyz");
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(answer.json(), { status: "ready" });
    assert.equal(gate.accepted, 1);
    assert.equal(pool.idleCount, 1);
  });

  it("of a database that refuses is a 503 without the driver's text", async () => {
    await gate.close();
    const answer = await server.inject("/readyz");
    assertProblem(answer, 503, "NOT_READY", /^The database does not answer at the moment$/);
    assert.ok(!answer.body.includes("ECONNREFUSED"));
    assert.match(log.text(), /ECONNREFUSED/);
    gate = await Gate.listen(database.port);
  });

  it("of a database that is silent is a 503 within two seconds, asked once for all who wait", async () => {
    const started = performance.now();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => server.inject("/readyz")));
    for (const answer of answers) assertProblem(answer, 503, "NOT_READY", /does not answer/);
    const ms = performance.now() - started;
    assert.ok(ms >= 1_900 && ms < 3_500, `${ms} ms`);
    assert.equal(gate.accepted, 1);
    assert.equal((await server.inject("/livez")).statusCode, 200);
  });

  it("comes back although the connection that it was asked on stays silent for ever", async () => {
    gate.open();
    assert.equal((await server.inject("/readyz")).statusCode, 200);
    gate.shut();
    assertProblem(await server.inject("/readyz"), 503, "NOT_READY", /does not answer/);
    gate.open();
    const answer = await server.inject("/readyz");
    assert.equal(answer.statusCode, 200);
    assert.equal(gate.accepted, 2);
    assert.equal(pool.totalCount, 1);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { readConfiguration } from "../../app/config.ts";
import { withConnection } from "../../app/database.ts";
import { createPool } from "../../app/pool.ts";
import { RdsIamPool } from "../../app/postgres/index.ts";
import { Problem } from "../../app/problems.ts";
import { captureLog } from "./captured-log.ts";
import { poolFixture } from "./postgres/pool-fixture.ts";
import { PRODUCTION } from "./production-environment.ts";

describe("A statement whose answer never comes", () => {
  const fixture = poolFixture();

  it("ends as an unknown outcome, and its connection is given up for another", async () => {
    const pool = fixture.createPool({ max: 1, silenceTimeoutMillis: 200 });
    const lost = withConnection(pool, async (client) => {
      fixture.front.freeze();
      await client.query("SELECT 1");
    });
    await assert.rejects(lost, (error) => error instanceof Problem && error.code === "OUTCOME_UNKNOWN");
    assert.equal(pool.totalCount, 0);
    const { rows } = await withConnection(pool, (client) => client.query("SELECT 2 AS n"));
    assert.deepEqual(rows, [{ n: 2 }]);
    assert.equal(fixture.front.tokens.length, 2);
  });

  it("is waited for longer than PostgreSQL lets the role's statements run", async () => {
    const { logger } = captureLog();
    const configuration = readConfiguration(PRODUCTION);
    const sql = readFileSync(new URL("../../app/migrations/0001_role-time-outs.sql", import.meta.url), "utf8");
    const statementSeconds = Number(/SET statement_timeout = '(\d+)s'/.exec(sql)?.[1]);
    const serving = createPool(configuration, logger);
    assert.ok(serving instanceof RdsIamPool);
    assert.ok(serving.limits.silenceTimeoutMillis > statementSeconds * 1000);
    assert.ok(serving.limits.silenceTimeoutMillis < configuration.requestDeadlineSeconds * 1000);
    assert.equal(serving.options.query_timeout, undefined);
    await serving.end();
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { readConfiguration } from "../../app/config.ts";
import { createPool, secretsOf } from "../../app/pool.ts";
import { RdsIamPool } from "../../app/postgres/index.ts";
import { captureLog } from "./captured-log.ts";
import { developmentEnvironment } from "./development.ts";
import { withCredentialsEndpoint } from "./postgres/credentials-endpoint.ts";
import { PRODUCTION } from "./production-environment.ts";
import { createTestDatabase } from "./test-database.ts";

describe("The pool that ENV chooses", () => {
  it("is the one of IAM tokens in production, with the declared limits", async () => {
    const configuration = readConfiguration(PRODUCTION);
    const pool = createPool(configuration, captureLog().logger);
    assert.ok(pool instanceof RdsIamPool);
    assert.equal(pool.options.max, 8);
    assert.equal(pool.options.host, PRODUCTION.DB_HOST);
    assert.equal(pool.options.password, undefined);
    assert.deepEqual(pool.options.ssl, { rejectUnauthorized: true, minVersion: "TLSv1.2" });
    for (let n = 0; n < 100; n++) {
      const life = pool.options.maxLifetimeSeconds ?? 0;
      assert.ok(life >= 900 && life <= 1500, String(life));
    }
    assert.deepEqual(secretsOf(configuration), []);
    await pool.end();
  });

  it("is a plain one in development, with none of the production pool's settings, whatever else is set", async () => {
    const database = await createTestDatabase();
    const { ENV: _, ...others } = PRODUCTION;
    const configuration = readConfiguration({ ...others, ...developmentEnvironment(database) });
    const pool = createPool(configuration, captureLog().logger);
    assert.ok(!(pool instanceof RdsIamPool));
    assert.equal(pool.options.ssl, undefined);
    assert.equal(pool.options.maxLifetimeSeconds, 0);
    assert.equal(pool.options.idleTimeoutMillis, 10_000);
    assert.equal(pool.options.Client, undefined);
    assert.deepEqual(secretsOf(configuration), [database.password]);
    await withCredentialsEndpoint(async (fetches) => {
      assert.deepEqual((await pool.query("SELECT current_user AS name")).rows, [{ name: database.user }]);
      assert.equal(fetches(), 0);
    });
    await pool.end();
  });

  it("has limits of its own where the migrations ask for them", async () => {
    const pool = createPool(readConfiguration(PRODUCTION), captureLog().logger, { max: 1, connectSeconds: 110 });
    assert.ok(pool instanceof RdsIamPool);
    assert.equal(pool.options.max, 1);
    assert.equal(pool.limits.connectionTimeoutMillis, 110_000);
    assert.equal(pool.limits.connectRetryMillis, 110_000);
    await pool.end();
  });
});

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "mocha";
import { PoolError, RdsIamPool } from "../../../app/postgres/index.ts";

const OPTIONS = { host: "h", user: "u", database: "d", region: "eu-west-2" };

describe("The options of RdsIamPool", () => {
  const refused: readonly [string, object][] = [
    ["password", { password: "hunter2" }],
    ["password", { password: undefined }],
    ["connectionString", { connectionString: "postgres://u:hunter2@h/d?sslmode=disable" }],
    ["ssl", { ssl: false }],
    ["ssl", { ssl: { rejectUnauthorized: false } }],
    ["options", { options: "-c statement_timeout=1" }],
  ];
  for (const [name, option] of refused) {
    it(`refuse ${inspect(option)} by its name, without its value`, () => {
      assert.throws(
        () => new RdsIamPool({ ...OPTIONS, ...option }),
        (error) => {
          assert.ok(error instanceof PoolError);
          assert.equal(error.code, "POOL_CONFIGURATION");
          assert.ok(error.message.includes(`'${name}' is refused: `));
          assert.ok(!error.message.includes("hunter2"));
          return true;
        },
      );
    });
  }

  it("are judged all at once", () => {
    const mistaken = { ...OPTIONS, host: "", region: "", max: 0, connectionTimeoutMillis: Number.NaN, password: "p" };
    assert.throws(() => new RdsIamPool(mistaken), {
      code: "POOL_CONFIGURATION",
      message:
        /'password' is refused.*'host' is missing; 'region' is missing; 'max' is 0: .*; 'connectionTimeoutMillis' is NaN/,
    });
  });

  it("leave node-postgres verified TLS, no password and discrete fields", async () => {
    const pool = new RdsIamPool({ ...OPTIONS, application_name: "billing" });
    assert.deepEqual(pool.options.ssl, { rejectUnauthorized: true, minVersion: "TLSv1.2" });
    assert.equal(pool.options.password, undefined);
    assert.equal(pool.options.connectionString, undefined);
    assert.equal(pool.options.application_name, "billing");
    assert.equal(pool.options.port, 5432);
    assert.equal(pool.options.max, 10);
    assert.equal(pool.options.min, 0);
    await pool.end();
  });
});

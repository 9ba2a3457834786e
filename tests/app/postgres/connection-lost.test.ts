import assert from "node:assert/strict";
import { describe, it } from "mocha";
import pg from "pg";
import { CommitOutcomeUnknownError, isConnectionLost, PoolError } from "../../../app/postgres/index.ts";
import { poolFixture } from "./pool-fixture.ts";

function databaseError(code: string, severity = "ERROR"): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError("anything", 8, "error"), { code, severity });
}

describe("The loss of a connection", () => {
  const fixture = poolFixture();

  for (const error of [
    databaseError("57P01", "FATAL"),
    databaseError("57P01", "SCHWERWIEGEND"),
    databaseError("08006"),
    databaseError("25P03"),
    Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }),
    new Error("Connection terminated unexpectedly"),
    new Error("Client has encountered a connection error and is not queryable"),
    new PoolError("QUERY_TIMEOUT", "silence"),
    new PoolError("POOL_ENDED", "cut off"),
  ]) {
    it(`is seen in ${error.name} ${"code" in error ? error.code : error.message}`, () => {
      assert.equal(isConnectionLost(error), true);
    });
  }

  for (const error of [
    databaseError("23505"),
    databaseError("40001"),
    databaseError("57014"),
    new PoolError("ACQUIRE_TIMEOUT", "no connection at all"),
    new CommitOutcomeUnknownError(new Error("Connection terminated")),
    new TypeError("of the caller"),
    "no error",
  ]) {
    it(`is not seen in ${error instanceof Error && "code" in error ? error.code : String(error)}`, () => {
      assert.equal(isConnectionLost(error), false);
    });
  }

  it("is seen by whoever the pool tells of one", async () => {
    const pool = fixture.createPool({ max: 2 });
    const killed = await pool.query("SELECT pg_terminate_backend(pg_backend_pid())").catch((error: unknown) => error);
    const client = await pool.connect();
    client.connection.stream.destroy();
    const destroyed = await client.query("SELECT 1").catch((error: unknown) => error);
    client.release();
    assert.deepEqual([killed, destroyed].map(isConnectionLost), [true, true]);
  });
});

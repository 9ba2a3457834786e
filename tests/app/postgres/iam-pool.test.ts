import assert from "node:assert/strict";
import { describe, it } from "mocha";
import pg from "pg";
import { AcquireError, PoolError } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { fakeClock, IDENTITY, poolFixture, WRONG_PASSWORD } from "./pool-fixture.ts";

describe("RdsIamPool", () => {
  const fixture = poolFixture();

  describe("Establishment", () => {
    it("is retried through a rotation window, each retry one event at level info", async () => {
      fixture.front.refuse = () => (fixture.front.tokens.length <= 3 ? WRONG_PASSWORD : undefined);
      const clock = fakeClock();
      const pool = fixture.createPool({ clock, random: () => 0.5 });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      assert.deepEqual(clock.slept, [75, 150, 300]);
      assert.equal(fixture.front.tokens.length, 4);
      assert.deepEqual(
        fixture.log.events().map(({ time, ...event }) => event),
        [75, 150, 300].map((delayMs, index) => ({
          level: "info",
          logger: "db-auth",
          code: "RETRYING",
          ...IDENTITY,
          attempt: index + 1,
          delayMs,
          reason: "ROTATION_WINDOW",
          errorCode: "28000",
          error: WRONG_PASSWORD,
          msg: "Connecting again",
        })),
      );
    });

    it("that outlasts its budget fails with every attempt and the server's own error, logged once at level error", async () => {
      fixture.front.refuse = () => WRONG_PASSWORD;
      const clock = fakeClock();
      const pool = fixture.createPool({ clock, connectRetryMillis: 5_000, random: () => 0 });
      let error: unknown;
      await assert.rejects(pool.connect(), (rejection) => {
        error = rejection;
        return true;
      });
      assert.ok(error instanceof AcquireError);
      assert.equal(error.code, "CONNECT_FAILED");
      assert.equal(error.reason, "ROTATION_WINDOW");
      assert.equal(error.causes.length, 2);
      assert.match(
        error.message,
        /after 14 attempts: The password that was .* is wrong\. \(possible causes: 1\. .*; 2\. /,
      );
      const { cause } = error;
      assert.ok(cause instanceof pg.DatabaseError);
      assert.equal(cause.message, WRONG_PASSWORD);
      assert.equal(cause.code, "28000");
      assert.deepEqual(clock.slept, [50, 100, 200, 400, ...Array(9).fill(500)]);
      assert.equal(error.attempts.length, 14);
      for (const attempt of error.attempts) {
        const { at, tookMs, ...rest } = attempt;
        assert.ok(Math.abs(Date.now() - at) < 10_000 && tookMs >= 0);
        assert.deepEqual(rest, { reason: "ROTATION_WINDOW", errorCode: "28000", error: WRONG_PASSWORD });
      }
      assert.equal(fixture.log.events("info").length, 13);
      const [event, ...others] = fixture.log.events("error");
      assert.deepEqual(others, []);
      assert.deepEqual([event?.code, event?.errorCode], ["CONNECT_FAILED", "28000"]);
      assert.equal(event?.reason, "ROTATION_WINDOW");
      assert.deepEqual({ host: event?.host, user: event?.user, region: event?.region }, IDENTITY);
      assert.equal(pool.totalCount, 0);
    });

    it("is not retried when waiting cannot help", async () => {
      const pool = fixture.createPool({ clock: fakeClock() });
      fixture.front.refuse = () => "Feature not supported: RDS Proxy currently doesn't support the option x.";
      await assert.rejects(pool.connect(), /Feature not supported/);
      assert.equal(fixture.front.tokens.length, 1);
      assert.deepEqual(
        fixture.log.events().map(({ level, reason }) => [level, reason]),
        [["error", "FEATURE_NOT_SUPPORTED"]],
      );
    });

    it("against silence is cut off by a limit of its own, and retried", async () => {
      fixture.front.silent = true;
      const clock = fakeClock();
      const pool = fixture.createPool({ clock, reachTimeoutMillis: 60, connectRetryMillis: 10, random: () => 0 });
      await assert.rejects(pool.connect(), (error) => {
        assert.ok(error instanceof AcquireError);
        assert.equal(error.code, "CONNECT_FAILED");
        assert.equal((error.cause as PoolError).code, "CONNECT_TIMEOUT");
        assert.match(error.message, /gave no TLS connection within 60 ms: do the security groups/);
        return true;
      });
      assert.equal(fixture.front.accepted, 2);
      assert.deepEqual(
        fixture.log.events().map(({ level, code }) => [level, code]),
        [
          ["info", "RETRYING"],
          ["error", "CONNECT_FAILED"],
        ],
      );
    });

    it("leaves no socket behind, although the server keeps its end open", async () => {
      fixture.front.silent = true;
      await assert.rejects(
        fixture.createPool({ clock: fakeClock(), reachTimeoutMillis: 40, connectRetryMillis: 1 }).connect(),
      );
      await eventually("every socket is closed", 2_000, () => fixture.front.open === 0);
    });
  });

  it("never sends a statement twice", async () => {
    const { database, createPool, log } = fixture;
    const pool = createPool({ clock: fakeClock(), max: 1 });
    await database.query("CREATE SEQUENCE runs");
    await database.query(`GRANT USAGE ON SEQUENCE runs TO ${database.user}`);
    // A sequence does not roll back: it counts each time that the statement ran.
    const lost = "SELECT nextval('runs'), pg_terminate_backend(pg_backend_pid())";
    await assert.rejects(pool.query(lost), { code: "57P01" });
    const client = await pool.connect();
    await assert.rejects(client.query(lost), { code: "57P01" });
    client.release();
    assert.deepEqual(await database.query("SELECT last_value::int AS times FROM runs"), [{ times: 2 }]);
    assert.deepEqual(log.events("info"), []);
    assert.deepEqual(log.events("error"), []);
  });

  it("survives that the server kills a connection that is lent, and one that is idle", async () => {
    const { database, front, log } = fixture;
    const pool = fixture.createPool();
    const [lent, idle] = await Promise.all([pool.connect(), pool.connect()]);
    let ends = 0;
    for (const client of [lent, idle]) client.on("end", () => ends++);
    idle.release();
    const kill =
      "SELECT count(pg_terminate_backend(pid))::int AS killed FROM pg_stat_activity WHERE usename = $1 AND datname = $2";
    assert.deepEqual(await database.query(kill, [database.user, database.name]), [{ killed: 2 }]);
    await eventually("both connections have ended", 2_000, () => ends === 2 && pool.totalCount === 1);
    lent.release();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(front.tokens.length, 3);
    assert.deepEqual(
      log.events().map(({ level, code, errorCode }) => [level, code, errorCode]),
      [["warn", "CONNECTION_LOST", "57P01"]],
    );
  });

  it("has the callback forms of pg.Pool", async () => {
    const pool = fixture.createPool();
    const rows = await new Promise((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error || !client) return reject(error);
        client.query("SELECT 5 AS n", (failure: Error, result: pg.QueryResult) => {
          done();
          if (failure) reject(failure);
          else resolve(result.rows);
        });
      });
    });
    assert.deepEqual(rows, [{ n: 5 }]);
    const viaPool = await new Promise((resolve) => {
      pool.query("SELECT 6 AS n", (_error: Error, result: pg.QueryResult) => resolve(result.rows));
    });
    assert.deepEqual(viaPool, [{ n: 6 }]);
    assert.equal(fixture.front.tokens.length, 1);
    await new Promise<void>((resolve) => pool.end(resolve));
    const refused = await new Promise<Error | undefined>((resolve) => pool.connect((error) => resolve(error)));
    assert.ok(refused instanceof PoolError);
  });
});

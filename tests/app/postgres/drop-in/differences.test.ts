import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { AcquireError, RdsIamPool, type RdsIamPoolOptions } from "../../../../app/postgres/index.ts";
import { IDENTITY, poolFixture } from "../pool-fixture.ts";
import { called } from "./both-pools.ts";
import { closedPort } from "./unreachable.ts";

/** What node-postgres takes and this pool refuses, and a part of the reason. */
const REFUSED: readonly (readonly [option: string, value: unknown, reason: RegExp])[] = [
  ["password", "secret", /IAM tokens only/],
  ["password", () => "secret", /IAM tokens only/],
  ["connectionString", "postgres://u:secret@h/d?sslmode=no-verify", /fields of their own/],
  ["ssl", false, /always on and verified/],
  ["ssl", { rejectUnauthorized: false }, /always on and verified/],
  ["Client", class extends pg.Client {}, /needs its own/],
  ["stream", () => undefined, /opens its own sockets/],
  ["Promise", Promise, /deprecates/],
  ["options", "-c statement_timeout=1s", /ALTER ROLE/],
  ["statement_timeout", 1_000, /ALTER ROLE/],
  ["lock_timeout", 1_000, /ALTER ROLE/],
  ["idle_in_transaction_session_timeout", 1_000, /ALTER ROLE/],
  ["min", 1, /idleness/],
];

/** Where libpq and node-postgres look when an option is missing, or falsy. */
const ENVIRONMENT = {
  PGHOST: "elsewhere.example",
  PGPORT: "1",
  PGUSER: "somebody_else",
  PGDATABASE: "another_database",
  PGPASSWORD: "password-of-the-environment",
  PGSSLMODE: "disable",
  PGOPTIONS: "-c search_path=elsewhere",
};

describe("RdsIamPool differs from pg.Pool on purpose", () => {
  describe("in what it is given", () => {
    for (const [option, value, reason] of REFUSED) {
      it(`it refuses '${option}' as ${typeof value === "string" ? "a text" : String(value).slice(0, 20)}, and says why`, () => {
        const options = { ...IDENTITY, database: "d", [option]: value } as RdsIamPoolOptions;
        assert.throws(
          () => new RdsIamPool(options),
          (error) => {
            assert.ok(error instanceof Error && "code" in error && error.code === "POOL_CONFIGURATION");
            assert.match(error.message, new RegExp(`'${option}' is refused: .*${reason.source}`));
            assert.doesNotMatch(error.message, /secret/);
            return true;
          },
        );
      });
    }

    it("it refuses an option that nobody knows, and tells of every mistake at once", () => {
      const options = { ...IDENTITY, database: "", maximum: 3, max: 0, password: "secret" } as RdsIamPoolOptions;
      assert.throws(
        () => new RdsIamPool(options),
        /'password' is refused.*'database' is missing.*'maximum' is unknown.*'max' is 0/s,
      );
    });

    it("it refuses 0 for no limit: every wait has one, and idle connections must end before the proxy ends them", () => {
      const none = {
        ...IDENTITY,
        database: "d",
        idleTimeoutMillis: 0,
        connectionTimeoutMillis: 0,
        maxLifetimeSeconds: 0,
      };
      assert.throws(
        () => new RdsIamPool(none),
        /'maxLifetimeSeconds' is 0.*'idleTimeoutMillis' is 0.*'connectionTimeoutMillis' is 0/s,
      );
    });

    it("its 'log' is a logger with levels, where pg.Pool takes a function", () => {
      const options = { ...IDENTITY, database: "d", log: () => {} } as unknown as RdsIamPoolOptions;
      assert.throws(() => new RdsIamPool(options), /'log' is not an object with info, warn, error/);
    });

    it("it needs a host, a user, a database and a region: there are no defaults to connect somewhere else with", () => {
      assert.throws(
        () => new RdsIamPool({} as RdsIamPoolOptions),
        /'host' is missing.*'user' is missing.*'database' is missing.*'region' is missing/s,
      );
    });
  });
});

describe("RdsIamPool differs from pg.Pool on purpose", () => {
  const fixture = poolFixture();

  describe("in what it reads from the environment", () => {
    let saved: NodeJS.ProcessEnv;
    beforeEach(() => {
      saved = { ...process.env };
      Object.assign(process.env, ENVIRONMENT);
    });
    afterEach(() => {
      for (const name of Object.keys(ENVIRONMENT)) delete process.env[name];
      Object.assign(process.env, saved);
    });

    it("it takes nothing of PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGSSLMODE and PGOPTIONS, which pg.Pool obeys", async () => {
      const plain = new pg.Client();
      assert.deepEqual(
        [plain.host, plain.port, plain.user, plain.database, plain.password],
        ["elsewhere.example", 1, "somebody_else", "another_database", "password-of-the-environment"],
      );
      const client = await fixture.createPool().connect();
      assert.deepEqual(fixture.front.startups, [
        { user: IDENTITY.user, database: fixture.database.name, client_encoding: "UTF8" },
      ]);
      assert.equal(fixture.front.tokens.length, 1);
      assert.match(fixture.front.tokens[0] ?? "", /X-Amz-Signature/);
      assert.ok(!("authorized" in client.connection.stream) || client.connection.stream.authorized);
      assert.equal(client.password, undefined);
      client.release();
    });
  });

  describe("in its errors", () => {
    it("a failed connection rejects with an AcquireError, whose cause is the error that pg.Pool would reject with", async () => {
      const pool = fixture.createPool({ port: await closedPort(), connectRetryMillis: 0 });
      await assert.rejects(pool.connect(), (error) => {
        assert.ok(error instanceof AcquireError);
        assert.deepEqual([error.code, error.attempts.length], ["CONNECT_FAILED", 1]);
        assert.ok(error.cause instanceof Error && "code" in error.cause && error.cause.code === "ECONNREFUSED");
        return true;
      });
    });

    it("a wait that was too long rejects with code ACQUIRE_TIMEOUT, where pg.Pool has only a text", async () => {
      const pool = fixture.createPool({ max: 1, connectionTimeoutMillis: 300 });
      const client = await pool.connect();
      await assert.rejects(pool.connect(), { code: "ACQUIRE_TIMEOUT" });
      client.release();
    });

    it("whoever asks an ended pool is rejected with code POOL_ENDED, where pg.Pool has only a text", async () => {
      const pool = fixture.createPool();
      await pool.end();
      await assert.rejects(pool.connect(), { code: "POOL_ENDED" });
      await assert.rejects(pool.query("SELECT 1"), { code: "POOL_ENDED" });
    });
  });

  describe("in how it ends", () => {
    it("it may be ended twice, by promise or callback, where pg.Pool rejects", async () => {
      const plain = new pg.Pool();
      await plain.end();
      await assert.rejects(plain.end(), /Called end on pool more than once/);
      const pool = fixture.createPool();
      await pool.query("SELECT 1");
      await Promise.all([pool.end(), pool.end()]);
      await pool.end();
      const ended = called<unknown[]>();
      pool.end(ended.back);
      await ended.with;
      assert.equal(pool.ended, true);
    });

    it("whoever waits is rejected at once, where pg.Pool never answers", async () => {
      const pool = fixture.createPool({ max: 1 });
      const client = await pool.connect();
      const waiting = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
      const ending = pool.end();
      await waiting;
      client.release();
      await ending;
    });
  });

  describe("in what it does with connections", () => {
    it("its lives differ: maxLifetimeSeconds is the longest of them, where pg.Pool gives everyone the same", async () => {
      const draws = [0, 0.5, 0.999];
      const pool = fixture.createPool({ maxLifetimeSeconds: 1_000, random: () => draws.shift() ?? assert.fail() });
      assert.deepEqual(
        [1, 2, 3].map(() => Math.round(pool.options.maxLifetimeSeconds)),
        [1_000, 800, 600],
      );
    });

    it("it has listeners of its own for errors, where pg.Pool ends a process that has none", async () => {
      const pool = fixture.createPool();
      assert.equal(pool.listenerCount("error"), 1);
      assert.equal(new pg.Pool().listenerCount("error"), 0);
    });
  });
});

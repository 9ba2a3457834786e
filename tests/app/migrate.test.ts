import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { PG_MIGRATE_LOCK_ID } from "node-pg-migrate";
import pg from "pg";
import { createMigration, type Migration } from "../../app/migrate.ts";
import { eventually } from "../local/eventually.ts";
import { type CapturedLog, captureLog } from "./captured-log.ts";
import { developmentConfiguration } from "./development.ts";
import { Gate } from "./gate.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

const ALL = ["0001_role-time-outs", "0002_projects-and-members"];
/** The key of node-pg-migrate's advisory lock as `pg_locks` shows it, in two halves. */
const LOCKS =
  "SELECT granted FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = $1";

describe("The migrations", () => {
  let database: TestDatabase;
  let log: CapturedLog;
  const migrations: Migration[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    log = captureLog();
  });
  afterEach(async () => {
    for (const migration of migrations.splice(0)) await migration.stop();
  });

  function create(seconds = 10, port = database.port): Migration {
    const configuration = developmentConfiguration(database, { migrationDeadlineSeconds: seconds }, { port });
    const migration = createMigration(configuration, log.logger);
    migrations.push(migration);
    return migration;
  }

  /** A session of the application's role, as the service gets one. */
  async function session<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const { host, port, user, password, name } = database;
    const client = new pg.Client({ host, port, user, password, database: name });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  it("build everything from nothing, and have nothing to do the second time", async () => {
    assert.deepEqual(await create().run(), ALL);
    const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    const expected = ["members", "migrations", "projects"].map((tablename) => ({ tablename }));
    assert.deepEqual(await database.query(tables), expected);
    assert.deepEqual(await create().run(), []);
    assert.deepEqual(await database.query("SELECT count(*)::int AS n FROM migrations"), [{ n: 2 }]);
  });

  it("run as a user that may log in and create databases and roles, and no more", async () => {
    const attributes =
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = $1";
    assert.deepEqual(await database.query(attributes, [database.user]), [
      {
        rolsuper: false,
        rolcreaterole: true,
        rolcreatedb: true,
        rolcanlogin: true,
        rolreplication: false,
        rolbypassrls: false,
      },
    ]);
    assert.deepEqual(await create().run(), ALL);
    const owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'";
    assert.deepEqual(await database.query(owners), [{ tableowner: database.user }]);
  });

  it("give each new session of the role its time-outs", async () => {
    await create().run();
    const settings = await session(async (client) => {
      const { rows } = await client.query(
        "SELECT name, setting, unit FROM pg_settings WHERE name ~ '^(statement|lock|idle_in_transaction_session)_timeout$' ORDER BY name",
      );
      return rows;
    });
    assert.deepEqual(settings, [
      { name: "idle_in_transaction_session_timeout", setting: "30000", unit: "ms" },
      { name: "lock_timeout", setting: "10000", unit: "ms" },
      { name: "statement_timeout", setting: "20000", unit: "ms" },
    ]);
  });

  it("that start at once wait for each other, and each is run once", async () => {
    const runs = await Promise.all([create().run(), create().run(), create().run()]);
    assert.deepEqual(runs.flat().toSorted(), ALL);
    assert.deepEqual(await database.query("SELECT count(*)::int AS n FROM migrations"), [{ n: 2 }]);
    await eventually(
      "every lock is free",
      2_000,
      async () => (await database.query(LOCKS, [database.name])).length === 0,
    );
  });

  it("say at their deadline that another process migrates", async () => {
    await session(async (other) => {
      await other.query("SELECT pg_advisory_lock($1)", [PG_MIGRATE_LOCK_ID]);
      await assert.rejects(create(1).run(), {
        code: "MIGRATION_DEADLINE",
        message:
          "The migrations were not finished within 1 s (MIGRATION_DEADLINE_SECONDS): it passed while waiting for another process that migrates",
      });
    });
    assert.deepEqual(await create().run(), ALL);
  });

  it("say at their deadline that the database is silent", async () => {
    const gate = await Gate.listen(database.port);
    const migration = create(1, gate.port);
    await assert.rejects(migration.run(), {
      code: "MIGRATION_DEADLINE",
      message: /it passed while connecting to the database$/,
    });
    await gate.close();
  });

  it("undo what fails, and say what it was", async () => {
    await database.query("CREATE TABLE public.members (mine int)");
    await assert.rejects(create().run(), /relation "members" already exists/);
    assert.deepEqual(await database.query("SELECT name FROM migrations"), [{ name: ALL[0] }]);
    const projects = "SELECT to_regclass('projects') AS projects";
    assert.deepEqual(await database.query(projects), [{ projects: null }]);
    await database.query("DROP TABLE public.members");
    assert.deepEqual(await create().run(), [ALL[1]]);
  });

  it("do not wait long for a table that somebody uses", async () => {
    await create().run();
    // What a migration's session has: the lock on a table may take 10 s, the lock on migrating the whole deadline.
    const seen: string[] = [];
    await database.query(`CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'lock_timeout is %, statement_timeout is %', current_setting('lock_timeout'), current_setting('statement_timeout'); END $$`);
    await database.query("CREATE TRIGGER note BEFORE INSERT ON migrations FOR EACH ROW EXECUTE FUNCTION note()");
    await database.query("DELETE FROM migrations WHERE name = $1", [ALL[0]]);
    await database.query("DELETE FROM migrations WHERE name = $1", [ALL[1]]);
    await create(7)
      .run()
      .catch((error: unknown) => seen.push(String(error)));
    assert.equal(seen.length, 1);
    assert.match(seen.join(), /lock_timeout is 10s, statement_timeout is 7s/);
  });
});

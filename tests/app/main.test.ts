import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import pg from "pg";
import { eventually } from "../local/eventually.ts";
import { developmentEnvironment } from "./development.ts";
import { Gate } from "./gate.ts";
import { applications } from "./process-fixture.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

describe("The application's command", () => {
  const start = applications();
  let database: TestDatabase;
  let environment: Record<string, string>;

  before(async () => {
    database = await createTestDatabase();
    environment = developmentEnvironment(database);
  });

  it("prints its usage", async () => {
    for (const application of [start(["--help"]), start(["-h"])]) {
      assert.equal(await application.exited, 0);
      assert.match(application.stdout(), /^Usage: main.js \[serve \| migrate\]\n/);
      assert.equal(application.stderr(), "");
    }
  });

  it("refuses a word that it does not know, before it looks at the environment", async () => {
    const cases = [["start"], ["serve", "now"], ["toString"]].map((words) => ({ words, application: start(words) }));
    for (const { words, application } of cases) {
      assert.equal(await application.exited, 2);
      assert.ok(application.stderr().startsWith(`Not understood: "${words.join(" ")}"\n\nUsage: main.js `));
      assert.equal(application.stdout(), "");
    }
  });

  it("does not start half-configured, and names every mistake at once, but no secret", async () => {
    const half = { ENV: "production", DB_HOST: "db.example", DB_PORT: "x", PGPASSWORD: "hunter2" };
    for (const application of [start([], half), start(["migrate"], half)]) {
      assert.equal(await application.exited, 1);
      const mistakes = application.stderr().match(/^ {2}- \w+/gm);
      assert.equal(mistakes?.length, 13, application.stderr());
      for (const name of ["PGPASSWORD", "DB_PORT", "AWS_REGION", "POSTGRES_USER", "DRAIN_SECONDS", "DB_POOL_SIZE"]) {
        assert.ok(mistakes?.includes(`  - ${name}`), name);
      }
      assert.ok(!application.stderr().includes("hunter2"));
      assert.equal(application.stdout(), "");
    }
  });

  it("migrates, then serves until SIGTERM", async () => {
    const migration = start(["migrate"], environment);
    assert.equal(await migration.exited, 0);
    assert.deepEqual((await migration.logged("Migrated")).migrations, [
      "0001_role-time-outs",
      "0002_projects-and-members",
    ]);
    const again = start(["migrate"], environment);
    assert.equal(await again.exited, 0);
    assert.equal((await again.logged("Nothing to migrate")).level, "info");

    const service = start([], environment);
    const address = await service.address();
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+$/);
    const created = await fetch(`${address}/projects`, {
      method: "POST",
      body: JSON.stringify({ name: "Apollo" }),
      headers: { "content-type": "application/json" },
    });
    assert.equal(created.status, 201);
    service.terminate();
    assert.equal(await service.exited, 0);
    assert.equal((await service.logged("Stopping")).signal, "SIGTERM");
    assert.equal((await service.logged("Stopped")).level, "info");
    assert.equal(service.stderr(), "");
  });

  it("exits with 1 when the database refuses at the start, and says why", async () => {
    const service = start(["serve"], { ...environment, POSTGRES_PASSWORD: "not-the-password" });
    assert.equal(await service.exited, 1);
    const line = await service.logged("The service did not start");
    assert.equal(line.level, "fatal");
    assert.equal(line.code, "28P01");
    assert.ok(!service.stdout().includes("not-the-password"));
  });

  it("exits with 0 at once when SIGTERM comes while it waits for its first query", async () => {
    const gate = await Gate.listen(database.port);
    const service = start(["serve"], { ...environment, DB_PORT: String(gate.port), DB_ACQUIRE_SECONDS: "60" });
    await eventually("the database is asked", 10_000, () => gate.accepted === 1);
    const asked = performance.now();
    service.terminate();
    assert.equal(await service.exited, 0);
    assert.ok(performance.now() - asked < 3_000);
    assert.equal(service.lines().filter(({ level }) => level === "fatal" || level === "error").length, 0);
    await gate.close();
  });

  it("exits with 1 when what runs is not finished within DRAIN_SECONDS", async () => {
    const { host, port, user, password, name } = database;
    const blocker = new pg.Client({ host, port, user, password, database: name });
    await blocker.connect();
    await blocker.query("CREATE TABLE IF NOT EXISTS projects (id int); BEGIN; LOCK TABLE projects");
    const service = start(["serve"], { ...environment, DRAIN_SECONDS: "1" });
    const answer = fetch(`${await service.address()}/projects`).catch(() => undefined);
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
    await eventually("the request waits", 5_000, async () => (await database.query(waiting, [name])).length === 1);
    service.terminate();
    assert.equal(await service.exited, 1);
    const line = service.lines().find(({ code }) => code === "DRAIN_DEADLINE");
    assert.equal(line?.msg, "Not finished within DRAIN_SECONDS; exiting all the same");
    await blocker.end();
    await answer;
  });

  it("exits with 1 and MIGRATION_DEADLINE when the migrations do not come to an end", async () => {
    const gate = await Gate.listen(database.port);
    const migration = start(["migrate"], {
      ...environment,
      DB_PORT: String(gate.port),
      MIGRATION_DEADLINE_SECONDS: "1",
    });
    assert.equal(await migration.exited, 1);
    const [line, ...others] = migration.lines().filter(({ code }) => code === "MIGRATION_DEADLINE");
    assert.deepEqual(others, []);
    assert.equal(line?.level, "error");
    assert.match(
      String(line?.msg),
      /^The migrations were not finished within 1 s .* while connecting to the database$/,
    );
    await gate.close();
  });

  it("exits with 1 when SIGTERM interrupts the migrations: what waits for them must not start", async () => {
    const gate = await Gate.listen(database.port);
    const migration = start(["migrate"], { ...environment, DB_PORT: String(gate.port) });
    await eventually("the database is asked", 10_000, () => gate.accepted === 1);
    migration.terminate();
    assert.equal(await migration.exited, 1);
    assert.equal((await migration.logged("Stopping")).signal, "SIGTERM");
    await gate.close();
  });
});

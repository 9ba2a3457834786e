import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, describe, it } from "mocha";
import type pg from "pg";
import { type ConstructorOptions, type Db, PgBoss } from "pg-boss";
import type { RdsIamPool } from "../../../../app/postgres/index.ts";
import { closedPort } from "../drop-in/unreachable.ts";
import { poolFixture } from "../pool-fixture.ts";
import { keepsItsConnection } from "./same-connection.ts";

const QUEUE = "letters";

/** The whole adapter: pg-boss ignores a pool that it is handed, and takes what can execute SQL. */
function adapter(pool: pg.Pool): Db {
  return { executeSql: (text, values) => pool.query(text, values) };
}

describe("pg-boss on RdsIamPool, through its adapter", () => {
  const fixture = poolFixture();
  const started: PgBoss[] = [];
  const errors: unknown[] = [];

  beforeEach(() => fixture.database.query("DROP SCHEMA IF EXISTS pgboss CASCADE"));
  afterEach(async () => {
    for (const boss of started.splice(0)) await boss.stop({ graceful: false });
    assert.deepEqual(errors.splice(0), []);
  });

  async function start(pool: RdsIamPool): Promise<PgBoss> {
    const boss = new PgBoss({ db: adapter(pool), supervise: false, schedule: false });
    boss.on("error", (error) => errors.push(error));
    started.push(boss);
    await boss.start();
    await boss.createQueue(QUEUE);
    return boss;
  }

  it("is needed: pg-boss that is handed the pool says nothing, leaves it alone and connects by itself", async () => {
    const pool = fixture.createPool();
    const { executeSql } = adapter(pool);
    // Where it would look by itself, nobody listens.
    const alone = { pool, host: "127.0.0.1", port: await closedPort(), user: "nobody", database: "none" };
    const boss = new PgBoss(alone as ConstructorOptions);
    const warnings: unknown[] = [];
    for (const event of ["error", "warning"] as const) boss.on(event, (said: unknown) => warnings.push(said));
    await assert.rejects(boss.start(), { code: "ECONNREFUSED" });
    assert.deepEqual([warnings, pool.totalCount, fixture.front.accepted], [[], 0, 0]);
    assert.deepEqual((await executeSql("SELECT $1::int AS n", [1])).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 1);
  });

  it("creates a queue, sends, fetches and completes a job", async () => {
    const boss = await start(fixture.createPool());
    const id = await boss.send(QUEUE, { to: "Ada" });
    const jobs = await boss.fetch<{ to: string }>(QUEUE);
    assert.deepEqual(
      jobs.map((job) => [job.id, job.data]),
      [[id, { to: "Ada" }]],
    );
    assert.deepEqual(await boss.fetch(QUEUE), []);
    await boss.complete(QUEUE, jobs[0]?.id ?? assert.fail());
    const [after] = await boss.findJobs(QUEUE, { id: id ?? assert.fail("No job was sent") });
    assert.equal(after?.state, "completed");
  });

  it("works on a job in the background, and stops without leaving a timer or a borrowed connection", async () => {
    const pool = fixture.createPool();
    const boss = await start(pool);
    const worked = Promise.withResolvers<unknown>();
    await boss.work<{ to: string }>(QUEUE, { pollingIntervalSeconds: 0.5 }, async ([job]) => worked.resolve(job?.data));
    await boss.send(QUEUE, { to: "Grace" });
    assert.deepEqual(await worked.promise, { to: "Grace" });
    const stopped = once(boss, "stopped");
    await boss.stop({ graceful: true, timeout: 2_000 });
    await stopped;
    assert.deepEqual({ idle: pool.idleCount, waiting: pool.waitingCount }, { idle: pool.totalCount, waiting: 0 });
    // The pool is not pg-boss's to end.
    assert.equal(pool.ending, false);
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
  });

  it("keeps its job, and the same connection, when a statement fails", async () => {
    const pool = fixture.createPool({ max: 1 });
    await keepsItsConnection(fixture, pool, async () => {
      const boss = await start(pool);
      const id = await boss.send(QUEUE, { to: "Ada" });
      await assert.rejects(pool.query("SELECT 1/0"), { code: "22012" });
      await assert.rejects(adapter(pool).executeSql("SELECT $1::int", ["no number"]), { code: "22P02" });
      await assert.rejects(boss.send("missing", {}), /missing/);
      const jobs = await boss.fetch(QUEUE);
      assert.deepEqual(
        jobs.map((job) => job.id),
        [id],
      );
      await boss.complete(QUEUE, jobs[0]?.id ?? assert.fail());
      await boss.stop({ graceful: false });
    });
  });

  it("does not leave its own failing transaction behind", async () => {
    const pool = fixture.createPool({ max: 1 });
    const boss = await start(pool);
    // pg-boss sends its transactions as one text, such as this.
    await assert.rejects(
      adapter(pool).executeSql("BEGIN; CREATE TABLE pgboss.half (id integer); SELECT 1/0; COMMIT;"),
      { code: "22012" },
    );
    const id = await boss.send(QUEUE, { to: "Ada" });
    assert.equal((await boss.fetch(QUEUE))[0]?.id, id);
    const { rows } = await pool.query("SELECT to_regclass('pgboss.half') AS half");
    assert.deepEqual(rows, [{ half: null }]);
  });
});

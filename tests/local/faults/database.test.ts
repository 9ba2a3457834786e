import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { after, afterEach, before, describe, it } from "mocha";
import pg from "pg";
import { eventually } from "../eventually.ts";
import { type FaultStage, openConnections, startFaultStage } from "./stage.ts";

const BORROW_TIMED_OUT = "53300: Timed-out waiting to acquire database connection.";

describe("A fault of the database", function () {
  this.timeout(30_000);
  let stage: FaultStage;
  let superuser: pg.Client;
  before(async () => {
    stage = await startFaultStage();
  });
  after(() => stage?.stop());

  const connectSuperuser = async () => {
    superuser = new pg.Client(stage.environment.postgres.directUrl);
    superuser.on("error", () => {});
    await superuser.connect();
  };
  /** Backends of the service's user that are at something that contains the text. */
  async function backendsAt(text: string): Promise<number> {
    const { rows } = await superuser.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where query like $1 and pid <> pg_backend_pid()",
      [`%${text}%`],
    );
    return rows[0]?.n ?? -1;
  }

  afterEach(() => stage.calm());

  describe("failover", () => {
    before(connectSuperuser);
    after(() => superuser?.end());

    it("ends what is in flight, with its backend and its locks, and leaves nothing of it in the database", async () => {
      const standing = await stage.connect();
      await standing.client.query("create table if not exists failed_over (id int primary key)");
      await standing.client.query("begin; insert into failed_over values (1)");
      const inFlight = standing.ask("select pg_sleep(30)");
      await eventually("the statement runs", 5_000, async () => (await backendsAt("pg_sleep(30)")) === 1);
      await stage.faults.start({ fault: "failover", seconds: 60 });
      assert.equal(await inFlight, "Connection terminated unexpectedly");
      assert.equal(await backendsAt("pg_sleep(30)"), 0);
      assert.equal(openConnections(stage.environment)[1], 0);
      await stage.faults.clear();
      // It would wait for the lock of the insert that never ended.
      const later = await stage.connect();
      await later.client.query("set statement_timeout = 2000");
      await later.client.query("insert into failed_over values (1)");
      assert.equal(await later.ask("select count(*)::int from failed_over"), 1);
    });

    it("keeps new clients waiting, as long as the declared borrow time-out lets them, on a target that is UNAVAILABLE", async () => {
      assert.deepEqual(stage.environment.proxy.targetHealth(), { state: "AVAILABLE" });
      await stage.faults.start({ fault: "failover", seconds: 60 });
      assert.deepEqual(stage.environment.proxy.targetHealth(), { state: "UNAVAILABLE", reason: "CONNECTION_FAILED" });
      assert.equal(await stage.attempt(), BORROW_TIMED_OUT);
      assert.deepEqual(stage.environment.proxy.targetHealth(), { state: "UNAVAILABLE", reason: "CONNECTION_FAILED" });
      await stage.faults.clear();
      assert.deepEqual(stage.environment.proxy.targetHealth(), { state: "AVAILABLE" });
      assert.equal(await stage.attempt(), "served");
    });

    it("passes by itself after its seconds, and serves whoever still waits", async () => {
      const running = await stage.faults.start({ fault: "failover", seconds: 0.3 });
      assert.equal(running.endsAt - running.startedAt, 300);
      assert.equal(await stage.attempt(), "served");
      await stage.faults.ended(running.id);
      assert.ok(Date.now() >= running.endsAt);
      assert.deepEqual(stage.faults.list(), []);
    });

    it("spares whoever does not come through the proxy", async () => {
      await stage.faults.start({ fault: "failover", seconds: 60 });
      assert.equal((await superuser.query("select 1 as one")).rows[0].one, 1);
    });

    it("catches a connection that is just being made", async () => {
      const authenticated = once(stage.environment.proxy.events, "tokenPresented");
      const client = stage.attempt();
      await authenticated;
      const { id } = await stage.faults.start({ fault: "failover", seconds: 60 });
      assert.deepEqual(openConnections(stage.environment), [1, 0]);
      await stage.faults.clear(id);
      assert.equal(await client, "served");
    });
  });

  describe("restart-database", () => {
    it("restarts PostgreSQL on its port, keeps new clients waiting meanwhile, and is no failure of the environment", async () => {
      const { postgres } = stage.environment;
      const { pid, port } = postgres;
      const standing = await stage.connect();
      const inFlight = standing.ask("select pg_sleep(30)");
      const running = await stage.faults.start({ fault: "restart-database", downMs: 200 });
      assert.deepEqual(running.parameters, { downMs: 200 });
      assert.deepEqual(
        stage.faults.list().map(({ fault }) => fault),
        ["restart-database"],
      );
      await assert.rejects(stage.faults.start({ fault: "restart-database" }), { code: "FAULT_RUNNING" });
      assert.equal(await inFlight, "terminating connection due to administrator command");
      assert.equal(await stage.attempt(), "served");
      await stage.faults.ended(running.id);
      assert.deepEqual(stage.faults.list(), []);
      assert.notEqual(postgres.pid, pid);
      assert.equal(postgres.port, port);
      const failed = await Promise.race([stage.environment.failed.then(() => true), delay(50, false)]);
      assert.equal(failed, false);
    });

    it("is waited for when it is cleared, since it cannot be taken back", async () => {
      const { pid } = stage.environment.postgres;
      await stage.faults.start({ fault: "restart-database", downMs: 300 });
      await stage.faults.clear();
      assert.notEqual(stage.environment.postgres.pid, pid);
      assert.equal(await stage.attempt(), "served");
    });

    it("goes together with a failover, which finds no backend to end", async () => {
      await stage.faults.start({ fault: "restart-database", downMs: 300 });
      await stage.faults.start({ fault: "failover", seconds: 0.1 });
      await stage.faults.clear();
      assert.equal(await stage.attempt(), "served");
    });
  });
});

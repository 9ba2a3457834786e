import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Signer } from "@aws-sdk/rds-signer";
import { describe, it } from "mocha";
import { RdsIamPool } from "../../../../app/postgres/index.ts";
import { eventually } from "../../../local/eventually.ts";
import { CREDENTIALS, IDENTITY, poolFixture } from "../pool-fixture.ts";
import { collectedMetrics } from "./collected-metrics.ts";

describe("The metrics of a pool that has ended", () => {
  const fixture = poolFixture();
  const telemetry = collectedMetrics();

  async function valuesOf(name: string): Promise<Record<string, number>> {
    const series = (await telemetry.collect()).get(name)?.series ?? [];
    return Object.fromEntries(
      series.map(({ pool, attributes, value }) => [[pool, ...Object.values(attributes)].join(" "), value]),
    );
  }

  it("are 0, although the SDK repeats the last value of what nobody tells any more", async () => {
    const ended = fixture.createPool({ name: "ended" });
    const lasting = fixture.createPool({ name: "lasting" });
    for (const pool of [ended, lasting]) await pool.query("SELECT 1");
    const count = "db.client.connection.count";
    const lastingOnes = { "lasting idle": 1, "lasting used": 0 };
    assert.deepEqual(await valuesOf(count), { "ended idle": 1, "ended used": 0, ...lastingOnes });
    assert.deepEqual(await valuesOf("db.client.connection.max"), { ended: 10, lasting: 10 });
    await ended.end();
    for (let times = 0; times < 3; times++) {
      assert.deepEqual(await valuesOf(count), { "ended idle": 0, "ended used": 0, ...lastingOnes });
      assert.deepEqual(await valuesOf("db.client.connection.max"), { ended: 0, lasting: 10 });
    }
  });

  it("tell of what still runs while the pool ends", async () => {
    const pool = fixture.createPool({ name: "ending" });
    const client = await pool.connect();
    const ended = pool.end();
    assert.deepEqual(await valuesOf("db.client.connection.count"), { "ending idle": 0, "ending used": 1 });
    client.release();
    await ended;
    assert.deepEqual(await valuesOf("db.client.connection.count"), { "ending idle": 0, "ending used": 0 });
  });

  it("leave the number to a pool that took over its name", async () => {
    const before = fixture.createPool({ name: "orders" });
    const after = fixture.createPool({ name: "orders" });
    await after.query("SELECT 1");
    await before.end();
    assert.deepEqual(await valuesOf("db.client.connection.count"), { "orders idle": 1, "orders used": 0 });
  });

  it("do not hold the pool", async () => {
    const pools = [await usedPool({ end: true }), await usedPool({ end: false })];
    await telemetry.collect();
    const collectGarbage = garbageCollector();
    await eventually("the pool that has ended is collected", 5_000, () => {
      collectGarbage();
      return pools[0]?.deref() === undefined;
    });
    assert.ok(pools[1]?.deref(), "One that has not ended is held, or the test would show nothing");
    await pools[1]?.deref()?.end();
  });

  /** In a function of its own, and not in the fixture, so that nothing here holds it. */
  async function usedPool({ end }: { readonly end: boolean }): Promise<WeakRef<RdsIamPool>> {
    const { host, user, region } = IDENTITY;
    const { port, caPem: ca } = fixture.front;
    const signer = new Signer({ hostname: host, port, username: user, region, credentials: CREDENTIALS });
    const pool = new RdsIamPool({ host, port, user, region, database: fixture.database.name, ca, signer });
    await pool.query("SELECT 1");
    if (end) await pool.end();
    return new WeakRef(pool);
  }
});

/** V8's own, which only a flag makes visible: to a context that is made afterwards. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  assert.ok(typeof collect === "function");
  return () => {
    collect();
  };
}

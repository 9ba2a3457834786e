import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { eventually } from "../../../local/eventually.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import { collectedMetrics, type Metric } from "./collected-metrics.ts";

describe("Metrics of a pool", () => {
  const fixture = poolFixture();
  const telemetry = collectedMetrics();

  /** Values by their attributes but for the pool's name; those of one attribute by its value. */
  async function read(name: string): Promise<Record<string, number>> {
    return valuesOf((await telemetry.collect()).get(name));
  }

  it("have the convention's names and units where it has any, and ours otherwise", async () => {
    fixture.front.refuse = () => (fixture.front.tokens.length === 1 ? WRONG_PASSWORD : undefined);
    const pool = fixture.createPool({ max: 1, clock: fakeClock(), connectionTimeoutMillis: 200 });
    const client = await pool.connect();
    await assert.rejects(pool.connect(), { code: "ACQUIRE_TIMEOUT" });
    client.release();
    const metrics = await telemetry.collect();
    assert.deepEqual(Object.fromEntries([...metrics].map(([name, { unit }]) => [name, unit])), {
      "db.client.connection.count": "{connection}",
      "db.client.connection.max": "{connection}",
      "db.client.connection.idle.max": "{connection}",
      "db.client.connection.idle.min": "{connection}",
      "db.client.connection.pending_requests": "{request}",
      "db.client.connection.timeouts": "{timeout}",
      "db.client.connection.create_time": "s",
      "db.client.connection.wait_time": "s",
      "db.client.connection.use_time": "s",
      "rds_iam_pool.token.mint_time": "s",
      "rds_iam_pool.connection.establishments": "{attempt}",
      "rds_iam_pool.connection.retries": "{attempt}",
      "rds_iam_pool.connection.refusals": "{request}",
    });
    for (const { scope, series } of metrics.values()) {
      assert.equal(scope, "rds-iam-pool");
      for (const { pool: name } of series) assert.equal(name, `app_master@localhost/${fixture.database.name}`);
    }
  });

  it("count connections by state, and callers that wait", async () => {
    const pool = fixture.createPool({ name: "orders", max: 2 });
    assert.deepEqual(await read("db.client.connection.count"), { idle: 0, used: 0 });
    const [one, two] = await Promise.all([pool.connect(), pool.connect()]);
    const third = pool.connect();
    const metrics = await telemetry.collect();
    assert.deepEqual(valuesOf(metrics.get("db.client.connection.count")), { idle: 0, used: 2 });
    assert.deepEqual(valuesOf(metrics.get("db.client.connection.pending_requests")), { "": 1 });
    assert.deepEqual(valuesOf(metrics.get("db.client.connection.max")), { "": 2 });
    assert.deepEqual(valuesOf(metrics.get("db.client.connection.idle.max")), { "": 2 });
    assert.deepEqual(valuesOf(metrics.get("db.client.connection.idle.min")), { "": 0 });
    assert.deepEqual(
      metrics.get("db.client.connection.max")?.series.map((series) => series.pool),
      ["orders"],
    );
    one.release();
    two.release();
    (await third).release();
    assert.deepEqual(await read("db.client.connection.count"), { idle: 2, used: 0 });
    assert.deepEqual(await read("db.client.connection.pending_requests"), { "": 0 });
  });

  it("do not count a connection that is still being established", async () => {
    fixture.front.silent = true;
    const pool = fixture.createPool();
    const rejected = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
    await eventually("an attempt runs", 2_000, () => fixture.front.accepted === 1);
    assert.equal(pool.totalCount, 1);
    assert.deepEqual(await read("db.client.connection.count"), { idle: 0, used: 0 });
    assert.deepEqual(await read("db.client.connection.pending_requests"), { "": 1 });
    await Promise.all([pool.end(), rejected]);
  });

  it("time waiting, use and creation in seconds", async () => {
    const clock = fakeClock();
    const pool = fixture.createPool({ clock, max: 1 });
    const first = await pool.connect();
    const second = pool.connect();
    clock.advance(2_000);
    first.release();
    const lent = await second;
    clock.advance(500);
    lent.release();
    const metrics = await telemetry.collect();
    const recorded = ["wait_time", "use_time", "create_time"].map((name) => {
      const [series, ...others] = metrics.get(`db.client.connection.${name}`)?.series ?? [];
      assert.deepEqual(others, []);
      return [name, series?.value, series?.sum];
    });
    assert.deepEqual(recorded, [
      ["wait_time", 2, 2],
      ["use_time", 2, 2.5],
      ["create_time", 1, 0],
    ]);
  });

  it("count attempts by outcome, and retries by reason", async () => {
    fixture.front.refuse = () => (fixture.front.tokens.length <= 3 ? WRONG_PASSWORD : undefined);
    const pool = fixture.createPool({ clock: fakeClock(), random: () => 0 });
    await pool.query("SELECT 1");
    const metrics = await telemetry.collect();
    const of = (name: string) => valuesOf(metrics.get(`rds_iam_pool.${name}`));
    assert.deepEqual(of("connection.establishments"), { "": 1, ROTATION_WINDOW: 3 });
    assert.deepEqual(of("connection.retries"), { ROTATION_WINDOW: 3 });
    assert.deepEqual(of("token.mint_time"), { "": 4 });
    assert.equal(metrics.has("rds_iam_pool.connection.refusals"), false);
    assert.equal(metrics.has("db.client.connection.timeouts"), false);
  });

  it("count callers that are turned away by why, and those that waited too long as time-outs", async () => {
    fixture.front.refuse = () => "Feature not supported: RDS Proxy currently doesn't support the option x.";
    const pool = fixture.createPool({ max: 1 });
    await assert.rejects(pool.connect(), { code: "CONNECT_FAILED" });
    const hasty = fixture.createPool({
      max: 1,
      connectionTimeoutMillis: 50,
      signer: { getAuthToken: () => new Promise(() => {}) },
    });
    await assert.rejects(hasty.connect(), { code: "ACQUIRE_TIMEOUT" });
    const metrics = await telemetry.collect();
    const of = (name: string) => valuesOf(metrics.get(name));
    assert.deepEqual(of("rds_iam_pool.connection.refusals"), { CONNECT_FAILED: 1, ACQUIRE_TIMEOUT: 1 });
    assert.deepEqual(of("db.client.connection.timeouts"), { "": 1 });
    assert.deepEqual(of("rds_iam_pool.connection.establishments"), { FEATURE_NOT_SUPPORTED: 1 });
    assert.equal(metrics.has("rds_iam_pool.connection.retries"), false);
    assert.equal(metrics.has("db.client.connection.wait_time"), false);
  });

  it("time mints, those that fail by why, and one that the pool's end called off not at all", async () => {
    const clock = fakeClock();
    const pool = fixture.createPool({
      clock,
      signer: {
        getAuthToken: async () => {
          clock.advance(20);
          throw new Error("no");
        },
      },
    });
    await assert.rejects(pool.connect(), { code: "CONNECT_FAILED" });
    let asked = 0;
    const calledOff = fixture.createPool({
      name: "called off",
      signer: {
        getAuthToken: () => {
          asked += 1;
          return new Promise(() => {});
        },
      },
    });
    const rejected = assert.rejects(calledOff.connect(), { code: "POOL_ENDED" });
    await eventually("a mint runs", 2_000, () => asked === 1);
    await Promise.all([calledOff.end(), rejected]);
    const mints = (await telemetry.collect()).get("rds_iam_pool.token.mint_time")?.series;
    assert.deepEqual(
      mints?.map(({ attributes, value, sum }) => [attributes, value, sum]),
      [[{ "error.type": "MINT_FAILED" }, 1, 0.02]],
    );
  });
});

function valuesOf(metric: Metric | undefined): Record<string, number> {
  assert.ok(metric, "There is no such metric");
  return Object.fromEntries(metric.series.map(({ attributes, value }) => [Object.values(attributes).join(), value]));
}

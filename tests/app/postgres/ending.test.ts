import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { eventually } from "../../local/eventually.ts";
import { poolProcesses } from "./drop-in/pool-process.ts";
import { poolFixture, WRONG_PASSWORD } from "./pool-fixture.ts";

describe("The end of RdsIamPool", () => {
  const fixture = poolFixture();
  const start = poolProcesses();

  it("waits for work that runs, and closes every connection", async () => {
    const pool = fixture.createPool({ max: 2 });
    const client = await pool.connect();
    await pool.query("SELECT 1");
    const running = client.query("SELECT pg_sleep(0.2), 7 AS n");
    const ended = pool.end();
    assert.deepEqual((await running).rows[0].n, 7);
    client.release();
    await ended;
    assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [0, 0, 0]);
    assert.equal(pool.ended, true);
    await eventually("the server sees no connection", 2_000, () => fixture.front.open === 0);
  });

  it("cuts off work that does not end within its limit, and says so to whoever runs it", async () => {
    const pool = fixture.createPool({ max: 1, endTimeoutMillis: 100 });
    const client = await pool.connect();
    const endless = client.query("SELECT pg_sleep(60)");
    const waiting = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
    const cut = assert.rejects(endless, {
      code: "POOL_ENDED",
      message: "The pool was ended, and this work did not end within 100 ms",
    });
    const asked = performance.now();
    await pool.end();
    assert.ok(performance.now() - asked < 2_000);
    await Promise.all([waiting, cut]);
    assert.equal(fixture.front.accepted, 1);
    await eventually("the server sees no connection", 2_000, () => fixture.front.open === 0);
    // Whoever still held it gives back something that is gone.
    client.release();
    assert.equal(pool.totalCount, 0);
  });

  it("does not wait for a connection that is held, and not used, for ever", async () => {
    const pool = fixture.createPool({ endTimeoutMillis: 50 });
    await pool.connect();
    await pool.end();
    await eventually("the server sees no connection", 2_000, () => fixture.front.open === 0);
  });

  it("closes an idle connection whose server is gone without a word", async () => {
    const pool = fixture.createPool();
    const client = await pool.connect();
    client.release();
    fixture.front.freeze();
    const asked = performance.now();
    await pool.end();
    assert.ok(performance.now() - asked < 3_000);
    assert.equal(client.connection.stream.destroyed, true);
  });

  it("may be asked for again, and by callbacks too: it is one end", async () => {
    const pool = fixture.createPool();
    await pool.query("SELECT 1");
    const ends = [pool.end(), pool.end(), new Promise<void>((resolve) => pool.end(resolve))];
    await Promise.all(ends);
    await pool.end();
    assert.equal(pool.ended, true);
  });

  it("rejects what was asked for in the same turn of the event loop, be it idle or to be made", async () => {
    const pool = fixture.createPool({ max: 2 });
    await pool.query("SELECT 1");
    const asked = [pool.connect(), pool.connect(), pool.query("SELECT 1"), pool.transaction(async () => {})];
    const ended = pool.end();
    assert.equal(pool.ending, true);
    const outcomes = await Promise.allSettled(asked);
    await ended;
    for (const outcome of outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal(outcome.reason.code, "POOL_ENDED");
    }
    await assert.rejects(pool.query("SELECT 1"), { code: "POOL_ENDED" });
  });

  it("leaves nothing that would keep the process alive, neither of connections nor of retries", async () => {
    const { front } = fixture;
    front.refuse = () => (front.tokens.length > 2 ? WRONG_PASSWORD : undefined);
    const child = start("RdsIamPool", "ended", fixture, { options: { endTimeoutMillis: 200 } });
    assert.equal(await child.line(), "ended", child.stderr());
    const asked = performance.now();
    assert.equal(await child.exited, 0);
    assert.ok(performance.now() - asked < 1_000);
    assert.equal(child.stderr(), "");
  });
});

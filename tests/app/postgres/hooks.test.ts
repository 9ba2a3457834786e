import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type AcquireError, errorCode } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { poolFixture } from "./pool-fixture.ts";

const never = () => new Promise<void>(() => {});

describe("A hook of RdsIamPool that never ends", () => {
  const fixture = poolFixture();

  it("holds its place among the establishments no longer than an attempt may take", async () => {
    let hooked = 0;
    const pool = fixture.createPool({
      maxEstablishing: 1,
      attemptTimeoutMillis: 500,
      connectRetryMillis: 5_000,
      onConnect: () => (++hooked === 1 ? never() : undefined),
    });
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(hooked, 2);
    await eventually("the first is closed", 2_000, () => fixture.front.open === 1);
    assert.deepEqual(
      fixture.log.events().map(({ code, reason }) => [code, reason]),
      [["RETRYING", "NO_ANSWER"]],
    );
  });

  it("does not outlast the pool", async () => {
    let hooked = false;
    const pool = fixture.createPool({
      onConnect: () => {
        hooked = true;
        return never();
      },
    });
    const waiting = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
    await eventually("it runs", 2_000, () => hooked);
    const asked = performance.now();
    await Promise.all([pool.end(), waiting]);
    assert.ok(performance.now() - asked < 2_000);
    assert.equal(pool.totalCount, 0);
    await eventually("its socket is closed", 1_000, () => fixture.front.open === 0);
  });

  it("is no different when it is 'verify'", async () => {
    const pool = fixture.createPool({ attemptTimeoutMillis: 500, connectRetryMillis: 0, verify: () => {} });
    await assert.rejects(pool.connect(), (error: AcquireError) => {
      assert.equal(errorCode(error.cause), "CONNECT_TIMEOUT");
      assert.match(error.message, /'verify' gave no answer within 500 ms/);
      return true;
    });
    await eventually("its socket is closed", 2_000, () => fixture.front.open === 0 && pool.totalCount === 0);
  });

  it("and fails is the failure of the attempt, without a socket left", async () => {
    const failure = new Error("of the hook");
    const pool = fixture.createPool({ onConnect: () => Promise.reject(failure) });
    await assert.rejects(
      pool.connect(),
      (error: AcquireError) => error.cause === failure && error.reason === "UNCLASSIFIED",
    );
    await eventually("its socket is closed", 2_000, () => fixture.front.open === 0 && pool.totalCount === 0);
  });
});

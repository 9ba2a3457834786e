import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "mocha";
import { AcquireError, type EventLog } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { fakeClock, poolFixture } from "./pool-fixture.ts";

/** What the pool itself reports, to a logger that scrubs nothing. */
function rawLog() {
  const events: Record<string, unknown>[] = [];
  const note = (fields: object) => void events.push({ ...fields });
  const log: EventLog = { info: note, warn: note, error: note };
  return { events, log };
}

describe("What RdsIamPool says", () => {
  const fixture = poolFixture();

  it("holds no part of a token, though a server echoes it: to the log, in the error, its causes and its stacks", async () => {
    const { events, log } = rawLog();
    fixture.front.refuse = (token) => `The IAM authentication failed for ${token}`;
    const pool = fixture.createPool({ log, clock: fakeClock(), connectRetryMillis: 300 });
    const error = await pool.connect().then(
      () => assert.fail("it connected"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof AcquireError);
    const [token = ""] = fixture.front.tokens;
    const signature = new URL(`https://${token}`).searchParams.get("X-Amz-Signature") ?? "";
    assert.ok(signature.length > 32);
    const said = [inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error), JSON.stringify(events)];
    for (const text of said) {
      assert.match(text, /IAM authentication failed/);
      assert.doesNotMatch(text, new RegExp(signature));
      assert.doesNotMatch(text, /session-token|AKIDEXAMPLE/);
    }
    assert.ok(error.attempts.length > 1);
  });

  it("of a connection that comes back in a transaction: it was rolled back, and serves again", async () => {
    const pool = fixture.createPool({ max: 1 });
    const client = await pool.connect();
    await client.query("BEGIN");
    client.release();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 1);
    assert.deepEqual(
      fixture.log.events().map(({ level, code }) => [level, code]),
      [["warn", "TRANSACTION_LEFT_OPEN"]],
    );
  });

  it("of a connection that comes back at work, and stays so: it was discarded", async () => {
    const pool = fixture.createPool({ max: 1 });
    const client = await pool.connect();
    client.query("SELECT pg_sleep(60)").catch(() => {});
    client.release();
    await eventually("it is given up", 4_000, () => pool.totalCount === 0);
    assert.deepEqual(
      fixture.log.events().map(({ level, code }) => [level, code]),
      [["warn", "CONNECTION_BUSY"]],
    );
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
  });

  it("to a logger that throws costs neither a connection nor an answer", async () => {
    const fail = () => {
      throw new Error("disk full");
    };
    const pool = fixture.createPool({ max: 1, log: { info: fail, warn: fail, error: fail } });
    const client = await pool.connect();
    await client.query("BEGIN");
    client.release();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 1);
  });

  it("of idle connections whose server is gone without a word: one question, and not one after the other", async () => {
    const clock = fakeClock();
    const pool = fixture.createPool({ clock, max: 6 });
    const clients = await Promise.all(Array.from({ length: 6 }, () => pool.connect()));
    for (const client of clients) client.release();
    fixture.front.freeze();
    clock.advance(30_000);
    const asked = performance.now();
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    const tookMs = performance.now() - asked;
    assert.ok(tookMs < 4_500, `${tookMs} ms`);
    await eventually("none of them is kept", 4_000, () => pool.totalCount <= 1);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type pg from "pg";
import { next } from "./drop-in/both-pools.ts";
import { poolFixture } from "./pool-fixture.ts";

const PID = "SELECT pg_backend_pid() AS pid";

async function pidOf(client: Pick<pg.ClientBase, "query">): Promise<number> {
  return (await client.query(PID)).rows[0].pid;
}

/** The socket of each client, and that it was silent for as long as it may be while a statement runs. */
async function silentFor(clients: readonly pg.PoolClient[]): Promise<readonly boolean[]> {
  const streams = clients.map((client) => client.connection.stream);
  await Promise.all(streams.map((stream) => next(stream, "timeout")));
  return streams.map(({ destroyed }) => destroyed);
}

describe("silenceTimeoutMillis of RdsIamPool", () => {
  const fixture = poolFixture();

  it("ends no connection that is idle, be it in the pool, lent, or lent and in a transaction", async () => {
    const pool = fixture.createPool({ max: 3, silenceTimeoutMillis: 300 });
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    const [idle, lent, inTransaction] = clients;
    const pids = await Promise.all(clients.map(pidOf));
    await inTransaction.query("BEGIN");
    idle.release();
    assert.deepEqual(await silentFor(clients), [false, false, false]);
    assert.deepEqual([pool.totalCount, pool.idleCount], [3, 1]);
    assert.deepEqual(await Promise.all([pool, lent, inTransaction].map(pidOf)), pids);
    await inTransaction.query("COMMIT");
    for (const client of [lent, inTransaction]) client.release();
    assert.deepEqual([fixture.front.accepted, fixture.log.events()], [3, []]);
  });

  it("holds for a statement on a connection that was idle for longer", async () => {
    const pool = fixture.createPool({ max: 1, silenceTimeoutMillis: 300 });
    const client = await pool.connect();
    client.release();
    assert.deepEqual(await silentFor([client]), [false]);
    fixture.front.freeze();
    await assert.rejects(pool.query("SELECT 1"), { code: "QUERY_TIMEOUT" });
    assert.equal(client.connection.stream.destroyed, true);
  });

  it("counts from the server's last word, not from the beginning of the statement", async () => {
    const pool = fixture.createPool({ max: 1, silenceTimeoutMillis: 500 });
    const before = await pidOf(pool);
    const since = performance.now();
    await pool.query(
      "DO $$ BEGIN FOR n IN 1..5 LOOP PERFORM pg_sleep(0.15); RAISE NOTICE 'still here'; END LOOP; END $$",
    );
    assert.ok(performance.now() - since > 500);
    assert.equal(await pidOf(pool), before);
  });
});

import assert from "node:assert/strict";
import type { RdsIamPool } from "../../../../app/postgres/index.ts";
import type { PoolFixture } from "../pool-fixture.ts";

/** The process in the database that serves the pool's next statement. */
export async function backendOf(pool: RdsIamPool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid ?? assert.fail("The database named no process");
}

/**
 * Runs `work` on a pool that holds one idle connection, and asserts that afterwards it holds the same one: the same process in the
 * database, one TCP connection and one token for as long as the pool lives, nobody still borrowing.
 */
export async function keepsItsConnection(
  fixture: PoolFixture,
  pool: RdsIamPool,
  work: () => Promise<void>,
): Promise<void> {
  let connects = 0;
  pool.on("connect", () => {
    connects += 1;
  });
  const before = await backendOf(pool);
  await work();
  assert.equal(await backendOf(pool), before, "another process of the database serves the pool");
  assert.deepEqual(
    { accepted: fixture.front.accepted, tokens: fixture.front.tokens.length, connects, total: pool.totalCount },
    { accepted: 1, tokens: 1, connects: 1, total: 1 },
  );
  assert.deepEqual({ idle: pool.idleCount, waiting: pool.waitingCount }, { idle: 1, waiting: 0 });
}

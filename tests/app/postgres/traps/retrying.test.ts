import assert from "node:assert/strict";
import { describe, it } from "mocha";
import pg from "pg";
import { fakeClock, IDENTITY, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import { mint } from "./plain-pools.ts";

describe("Traps in retrying", () => {
  const fixture = poolFixture();

  /** The first log-in fails, as in the window of a rotation. */
  function refuseOnce(): void {
    fixture.front.refuse = () => (fixture.front.tokens.length === 1 ? WRONG_PASSWORD : undefined);
  }

  describe("A client that failed to connect", () => {
    it("cannot connect again, so that a retry in the Client of a pg.Pool is in vain", async () => {
      refuseOnce();
      const failures: string[] = [];
      class RetryingClient extends pg.Client {
        override connect(callback?: unknown): never {
          const again = (failure: Error) => {
            failures.push(failure.message);
            super.connect(callback as (error: Error) => void);
          };
          return super.connect().catch(again) as never;
        }
      }
      const { port, caPem: ca } = fixture.front;
      const password = await mint(port);
      const target = { ...IDENTITY, port, database: fixture.database.name, ssl: { ca }, password };
      const pool = new pg.Pool({ ...target, Client: RetryingClient });
      await assert.rejects(pool.connect(), /has already been connected\. You cannot reuse a client/);
      assert.deepEqual([failures, fixture.front.accepted], [[WRONG_PASSWORD], 1]);
      void pool.end();
    });

    it("is followed by another on RdsIamPool, and its caller is given one that stands", async () => {
      refuseOnce();
      const pool = fixture.createPool({ clock: fakeClock() });
      const client = await pool.connect();
      assert.deepEqual((await client.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      assert.deepEqual([fixture.front.accepted, pool.totalCount], [2, 1]);
      client.release();
    });
  });
});

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import pg from "pg";
import {
  CommitOutcomeUnknownError,
  type RdsIamPool,
  TransactionRolledBackError,
} from "../../../../app/postgres/index.ts";
import { poolFixture } from "../pool-fixture.ts";
import { type Message, type RelayedFront, relayedFronts } from "./message-relay.ts";
import { plainPools } from "./plain-pools.ts";

/** `BEGIN … COMMIT` as one writes it on a plain pool. */
async function inTransaction(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<unknown>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

const write = (client: Pick<pg.ClientBase, "query">) => client.query("INSERT INTO ledger VALUES (1)");

describe("COMMIT", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);
  const front = relayedFronts(fixture);

  beforeEach(() =>
    fixture.database.query(
      "DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED); ALTER TABLE ledger OWNER TO app_master",
    ),
  );

  async function written(): Promise<number> {
    return (await fixture.database.query("SELECT FROM ledger")).length;
  }

  const isCommand = ({ from, type, body }: Message) =>
    from === "client" && type === "Q" && /^COMMIT\b/i.test(body.toString());
  const isAnswer = ({ from, type, body }: Message) =>
    from === "server" && type === "C" && body.toString() === "COMMIT\0";

  const losses = [
    { when: "before the server had it", lost: isCommand, rows: 0 },
    { when: "after the server did it", lost: isAnswer, rows: 1 },
  ] as const;

  async function losing(lost: (message: Message) => boolean): Promise<RelayedFront> {
    const losing = await front();
    losing.relay.decide = (message) => (lost(message) ? "cut" : "pass");
    return losing;
  }

  for (const { when, lost, rows } of losses) {
    it(`lost ${when} fails on pg.Pool as any statement does, with no code to tell by`, async () => {
      const { port, ca } = await losing(lost);
      await assert.rejects(inTransaction(plainPool({ port, ssl: { ca } }), write), (error) => {
        assert.ok(error instanceof Error && !(error instanceof pg.DatabaseError));
        assert.match(error.message, /^Connection terminated unexpectedly|ECONNRESET|EPIPE/);
        return true;
      });
      assert.equal(await written(), rows);
    });

    it(`lost ${when} is CommitOutcomeUnknownError of RdsIamPool, which does nothing twice`, async () => {
      const { port, ca } = await losing(lost);
      const pool = fixture.createPool({ port, ca });
      let runs = 0;
      const work = (client: Pick<pg.ClientBase, "query">) => {
        runs += 1;
        return write(client);
      };
      await assert.rejects(pool.transaction(work, { serializationRetries: 3 }), (error) => {
        assert.ok(error instanceof CommitOutcomeUnknownError);
        assert.equal(error.code, "COMMIT_OUTCOME_UNKNOWN");
        assert.ok(error.cause instanceof Error);
        return true;
      });
      assert.deepEqual([runs, await written()], [1, rows]);
      assert.equal(pool.idleCount, 0);
    });
  }

  it("answered with ROLLBACK is a success on pg.Pool, with nothing written", async () => {
    await inTransaction(plainPool(), async (client) => {
      await write(client);
      await client.query("SELECT 1/0").catch(() => "somebody meant well");
    });
    assert.equal(await written(), 0);
  });

  async function swallow(pool: RdsIamPool): Promise<void> {
    await pool.transaction(async (client) => {
      await write(client);
      await client.query("SELECT 1/0").catch(() => "somebody meant well");
    });
  }

  it("answered with ROLLBACK is TransactionRolledBackError of RdsIamPool, which keeps the connection", async () => {
    const pool = fixture.createPool();
    await assert.rejects(swallow(pool), (error) => {
      assert.ok(error instanceof TransactionRolledBackError);
      assert.equal(error.code, "TRANSACTION_ROLLED_BACK");
      return true;
    });
    assert.equal(await written(), 0);
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 1);
  });

  it("refused for a deferred constraint is the database's own error, and known to have failed", async () => {
    const pool = fixture.createPool();
    await assert.rejects(
      pool.transaction(async (client) => {
        await write(client);
        await write(client);
      }),
      { code: "23505" },
    );
    assert.equal(await written(), 0);
    assert.equal(fixture.front.accepted, 1);
    assert.equal(await pool.transaction(async (client) => (await write(client)).rowCount), 1);
    assert.equal(await written(), 1);
  });
});

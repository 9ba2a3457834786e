import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { type TransactionClient, transaction } from "../../../app/postgres/index.ts";
import { poolFixture } from "./pool-fixture.ts";

describe("A transaction of RdsIamPool", () => {
  const fixture = poolFixture();

  before(() =>
    fixture.database.query(
      "CREATE TABLE accounts (id int PRIMARY KEY, balance int); ALTER TABLE accounts OWNER TO app_master",
    ),
  );
  beforeEach(() => fixture.database.query("TRUNCATE accounts; INSERT INTO accounts VALUES (1, 100), (2, 100)"));

  const balances = async () =>
    (await fixture.database.query<{ balance: number }>("SELECT balance FROM accounts ORDER BY id")).map(
      ({ balance }) => balance,
    );

  it("is committed when its work resolves, and gives the work's result", async () => {
    const pool = fixture.createPool();
    const result = await pool.transaction(async (client) => {
      await client.query("UPDATE accounts SET balance = balance - 10 WHERE id = 1");
      await client.query("UPDATE accounts SET balance = balance + 10 WHERE id = 2");
      return "moved";
    });
    assert.equal(result, "moved");
    assert.deepEqual(await balances(), [90, 110]);
    assert.equal(pool.idleCount, 1);
  });

  it("is rolled back when its work rejects, with the work's own error, and its connection is kept", async () => {
    const pool = fixture.createPool();
    const failure = new Error("of the caller");
    const doomed = pool.transaction(async (client) => {
      await client.query("UPDATE accounts SET balance = 0");
      throw failure;
    });
    await assert.rejects(doomed, (error) => error === failure);
    await assert.rejects(
      pool.transaction((client) => client.query("INSERT INTO accounts VALUES (1, 1)")),
      { code: "23505" },
    );
    assert.deepEqual(await balances(), [100, 100]);
    assert.equal(fixture.front.accepted, 1);
    assert.deepEqual(fixture.log.events(), []);
  });

  it("is rolled back when its work throws before it returns a promise", async () => {
    const pool = fixture.createPool({ max: 1 });
    const failure = new Error("at once");
    const work = (): Promise<void> => {
      throw failure;
    };
    await assert.rejects(pool.transaction(work), (error) => error === failure);
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 1);
  });

  it("has the isolation and the access that were asked for, and the database's own otherwise", async () => {
    const pool = fixture.createPool();
    const read = async (client: TransactionClient) => {
      const { rows } = await client.query(
        "SELECT current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS \"readOnly\", current_setting('transaction_deferrable') AS deferrable",
      );
      return rows[0];
    };
    assert.deepEqual(await pool.transaction(read), { isolation: "read committed", readOnly: "off", deferrable: "off" });
    assert.deepEqual(await pool.transaction(read, { isolation: "repeatable read", readOnly: true }), {
      isolation: "repeatable read",
      readOnly: "on",
      deferrable: "off",
    });
    assert.deepEqual(await pool.transaction(read, { isolation: "serializable", readOnly: true, deferrable: true }), {
      isolation: "serializable",
      readOnly: "on",
      deferrable: "on",
    });
    await assert.rejects(
      pool.transaction((client) => client.query("UPDATE accounts SET balance = 0"), { readOnly: true }),
      { code: "25006" },
    );
  });

  describe("that cannot be serialised", () => {
    /** Two read both balances and write one each: neither order of the two could have had both outcomes. */
    function skew(retries: number | undefined) {
      const pool = fixture.createPool();
      const bothHaveRead = Promise.withResolvers<void>();
      let readers = 0;
      let runs = 0;
      const withdraw = (id: number) =>
        pool.transaction(
          async (client) => {
            runs += 1;
            const { rows } = await client.query<{ sum: string }>("SELECT sum(balance) FROM accounts");
            if (++readers === 2) bothHaveRead.resolve();
            await bothHaveRead.promise;
            if (Number(rows[0]?.sum) < 200) return "refused";
            await client.query("UPDATE accounts SET balance = balance - 150 WHERE id = $1", [id]);
            return "withdrawn";
          },
          { isolation: "serializable", ...(retries === undefined ? {} : { serializationRetries: retries }) },
        );
      return { outcomes: Promise.allSettled([withdraw(1), withdraw(2)]), runs: () => runs };
    }

    it("fails with the database's own error unless repetition was asked for", async () => {
      const { outcomes, runs } = skew(undefined);
      const settled = await outcomes;
      assert.deepEqual(settled.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
      const [failed] = settled.filter((outcome) => outcome.status === "rejected");
      assert.ok(failed?.reason instanceof pg.DatabaseError);
      assert.equal(failed.reason.code, "40001");
      assert.equal(runs(), 2);
    });

    it("is repeated from its start as often as was asked for", async () => {
      const { outcomes, runs } = skew(3);
      const values = (await outcomes).map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value : outcome.reason,
      );
      assert.deepEqual(values.sort(), ["refused", "withdrawn"]);
      assert.equal(runs(), 3);
      assert.deepEqual((await balances()).sort(), [-50, 100]);
    });

    it("is given up when no repetition is left", async () => {
      const pool = fixture.createPool();
      let runs = 0;
      const deadlocked = pool.transaction(
        (client) => {
          runs += 1;
          return client.query("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$");
        },
        { serializationRetries: 2 },
      );
      await assert.rejects(deadlocked, { code: "40P01" });
      assert.equal(runs, 3);
      assert.equal(fixture.front.accepted, 1);
    });
  });

  it("whose connection is lost is not repeated, and the pool goes on with another", async () => {
    const pool = fixture.createPool({ max: 1 });
    let runs = 0;
    const lost = pool.transaction(
      async (client) => {
        runs += 1;
        await client.query("UPDATE accounts SET balance = 0");
        await client.query("SELECT pg_terminate_backend(pg_backend_pid())");
      },
      { serializationRetries: 5 },
    );
    await assert.rejects(lost, { code: "57P01" });
    assert.equal(runs, 1);
    assert.deepEqual(await balances(), [100, 100]);
    assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    assert.equal(fixture.front.accepted, 2);
  });

  it("refuses options that cannot be, all at once, before it takes a connection", async () => {
    const pool = fixture.createPool();
    const impossible = { isolation: "chaos" as "serializable", serializationRetries: 11, deferrable: true };
    await assert.rejects(
      pool.transaction(async () => {}, impossible),
      {
        code: "POOL_CONFIGURATION",
        message:
          /'isolation' is "chaos": one of .*; 'serializationRetries' is 11: a whole number from 0 to 10.*; 'deferrable' needs/,
      },
    );
    assert.equal(fixture.front.accepted, 0);
  });

  it("can be had of any pg.Pool, and leaves it no connection in a transaction", async () => {
    const { host, port, user, password, name } = fixture.database;
    const pool = new pg.Pool({ host, port, user, password, database: name, max: 1 });
    await transaction(pool, (client) => client.query("UPDATE accounts SET balance = 1"));
    assert.deepEqual(await balances(), [1, 1]);
    const failure = new Error("at once");
    const work = (): Promise<void> => {
      throw failure;
    };
    await assert.rejects(transaction(pool, work), (error) => error === failure);
    const client = await pool.connect();
    assert.equal(client.getTransactionStatus(), "I");
    client.release();
    await pool.end();
  });
});

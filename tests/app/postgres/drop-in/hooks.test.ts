import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type pg from "pg";
import { counts, next, onBothPools, reasonOf, row } from "./both-pools.ts";

onBothPools("hooks on new clients", [
  {
    pool: "awaits onConnect before anything else, and calls it once a client",
    holds: async (_pool, trial) => {
      const order: string[] = [];
      const pool = trial.open({
        onConnect: async (client: pg.ClientBase) => {
          order.push("onConnect begins");
          await client.query("SET DateStyle = 'German'");
          order.push("onConnect ends");
        },
        verify: (_client, done) => {
          order.push("verify");
          done();
        },
      });
      for (const name of ["connect", "acquire"] as const) pool.on(name, () => void order.push(name));
      const client = await pool.connect();
      order.push("lent");
      assert.deepEqual(order, ["onConnect begins", "onConnect ends", "connect", "acquire", "verify", "lent"]);
      assert.deepEqual(await row(client, "SELECT date '2026-11-23' :: text AS day"), { day: "23.11.2026" });
      client.release();
      (await pool.connect()).release();
      assert.deepEqual(order.slice(6), ["acquire"]);
    },
  },
  {
    pool: "rejects with what onConnect rejects or throws, keeps no such client, and emits no connect",
    holds: async (_pool, trial) => {
      const refusal = new Error("not this one");
      for (const onConnect of [() => Promise.reject(refusal), () => assert.fail(refusal)]) {
        const pool = trial.open({ onConnect });
        pool.on("connect", () => assert.fail("It was lent"));
        await assert.rejects(pool.connect(), (error) => reasonOf(error) === refusal);
        assert.deepEqual(counts(pool), [0, 0, 0]);
      }
    },
  },
  {
    pool: "asks verify about new clients only",
    holds: async (_pool, trial) => {
      const asked: pg.PoolClient[] = [];
      const pool = trial.open({
        max: 1,
        verify: (client, done) => {
          asked.push(client);
          turn().then(() => done());
        },
      });
      const client = await pool.connect();
      assert.deepEqual(asked, [client]);
      client.release();
      await pool.query("SELECT 1");
      assert.equal(asked.length, 1);
    },
  },
  {
    pool: "rejects with what verify objects to, destroys that client, and goes on with the next",
    holds: async (_pool, trial) => {
      const refusal = new Error("not this one");
      let asked = 0;
      const pool = trial.open({ max: 1, verify: (_client, done) => done(asked++ === 0 ? refusal : undefined) });
      const released = next(pool, "release");
      await assert.rejects(pool.connect(), (error) => reasonOf(error) === refusal);
      assert.equal((await released)[0], refusal);
      assert.deepEqual(await row(pool, "SELECT 1 AS n"), { n: 1 });
      assert.equal(asked, 2);
      assert.deepEqual(counts(pool), [1, 1, 0]);
    },
  },
]);

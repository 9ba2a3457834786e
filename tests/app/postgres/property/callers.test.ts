import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { describe, it } from "mocha";
import type pg from "pg";
import { poolFixture } from "../pool-fixture.ts";

describe("A caller that is told by a callback", () => {
  const fixture = poolFixture();

  it("and throws in it is an uncaught exception, and those behind it get their connection", async () => {
    const pool = fixture.createPool({ max: 1 });
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const thrown = once(process, "uncaughtException");
      const mistake = new Error("a mistake of the caller");
      pool.connect((_error, client) => {
        client?.release();
        throw mistake;
      });
      const behind = await pool.connect();
      behind.release();
      assert.deepEqual(await thrown, [mistake, "uncaughtException"]);
      assert.deepEqual([pool.idleCount, pool.waitingCount], [1, 0]);
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  it("that the pool has ended, and ends it in turn, waits for the same end", async () => {
    const pool = fixture.createPool({ max: 1 });
    const only = await pool.connect();
    const told = new Promise<Error | undefined>((resolve, reject) => {
      pool.connect((error) => {
        pool.end().then(() => resolve(error), reject);
      });
    });
    const ended = pool.end();
    only.release();
    assert.equal(((await told) as { code?: string }).code, "POOL_ENDED");
    await ended;
    assert.equal(pool.totalCount, 0);
  });

  it("is told in its own context, also where another gives its connection back in the same turn", async () => {
    const contexts = new AsyncLocalStorage<string>();
    const pool = fixture.createPool({ max: 2 });
    const [one, other] = await Promise.all([pool.connect(), pool.connect()]);
    one.release();
    const told = new Promise<string | undefined>((resolve) => {
      contexts.run("the caller", () => {
        pool.connect((_error?: Error, client?: pg.PoolClient) => {
          client?.release();
          resolve(contexts.getStore());
        });
      });
    });
    contexts.run("the one who releases", () => other.release());
    assert.equal(await told, "the caller");
  });
});

import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { mock } from "node:test";
import { afterEach, beforeEach, describe, it } from "mocha";
import type pg from "pg";
import { next } from "../drop-in/both-pools.ts";
import { poolProcesses } from "../drop-in/pool-process.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import { hangs, plainPools } from "./plain-pools.ts";

const ONE = [{ n: 1 }];

async function pidOf(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  return rows[0].pid;
}

/** The socket of the pool's next connection. */
async function streamOf(pool: pg.Pool): Promise<Duplex> {
  const [client] = (await next(pool, "connect")) as [pg.PoolClient];
  return client.connection.stream;
}

describe("Traps in connections that die", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("A lent client that the server ends", () => {
    const start = poolProcesses();

    it("emits two errors on pg.Pool, so that listening once is not enough", async () => {
      const client = await plainPool().connect();
      const errors: Error[] = [];
      client.on("error", (error) => errors.push(error));
      const ended = next(client, "end");
      await fixture.database.query(`SELECT pg_terminate_backend(${await pidOf(client)})`);
      await ended;
      assert.equal(errors.length, 2);
      client.release();
    });

    it("ends a process with pg.Pool that has no listener, and leaves one with RdsIamPool alive and served", async () => {
      const [plain, ours] = (["pg.Pool", "RdsIamPool"] as const).map((kind) => start(kind, "killed", fixture));
      assert.ok(plain && ours);
      for (const process of [plain, ours]) {
        const pid = await process.line();
        assert.match(pid ?? "", /^\d+$/, process.stderr());
        await fixture.database.query(`SELECT pg_terminate_backend(${pid})`);
      }
      assert.equal(await plain.exited, 1);
      assert.match(plain.stderr(), /terminating connection due to administrator command/);
      assert.equal(await plain.line(), undefined);
      assert.equal(await ours.line(), "alive", ours.stderr());
      assert.equal(await ours.exited, 0);
      assert.equal(ours.stderr(), "");
    });
  });

  describe("A server that falls silent", () => {
    it("keeps a statement of pg.Pool for as long as the kernel likes, in spite of keepAlive", async () => {
      const pool = plainPool({ keepAlive: true, keepAliveInitialDelayMillis: 1 });
      const lost = streamOf(pool);
      await pool.query("SELECT 1");
      fixture.front.freeze();
      assert.equal(await hangs(pool.query("SELECT 1"), 300), true);
      assert.equal((await lost).destroyed, false);
    });

    it("is left by RdsIamPool after silenceTimeoutMillis, and the next statement has a new connection", async () => {
      const pool = fixture.createPool({ silenceTimeoutMillis: 400 });
      const lost = streamOf(pool);
      await pool.query("SELECT 1");
      fixture.front.freeze();
      await assert.rejects(pool.query("SELECT 1"), { code: "QUERY_TIMEOUT" });
      assert.equal((await lost).destroyed, true);
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, ONE);
      assert.deepEqual([pool.totalCount, fixture.front.accepted], [1, 2]);
    });
  });

  describe("A statement that is not answered within query_timeout", () => {
    async function timeOut(pool: pg.Pool): Promise<void> {
      const client = await pool.connect();
      await assert.rejects(client.query("SELECT pg_sleep(0.6)"), { message: "Query read timeout" });
      client.release();
    }

    it("goes on at the server, and pg.Pool lends its connection, on which the next statement waits and times out", async () => {
      const pool = plainPool({ max: 1, query_timeout: 200 });
      await timeOut(pool);
      await assert.rejects(pool.query("SELECT 1"), { message: "Query read timeout" });
      assert.equal(fixture.front.accepted, 1);
    });

    it("is waited for by RdsIamPool before its connection is lent, and the next statement is answered", async () => {
      const pool = fixture.createPool({ max: 1, query_timeout: 200 });
      await timeOut(pool);
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, ONE);
    });
  });

  describe("Connections that were born together", () => {
    const BORN = 4;
    const LONGEST = 1_000;

    beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
    afterEach(() => mock.timers.reset());

    /** The second in which each connection of the pool ends. */
    async function deaths(pool: pg.Pool): Promise<readonly number[]> {
      const clients = await Promise.all(Array.from({ length: BORN }, () => pool.connect()));
      for (const client of clients) client.release();
      const died: number[] = [];
      for (let second = 1; second <= LONGEST; second++) {
        const before = pool.totalCount;
        mock.timers.tick(1_000);
        for (let n = pool.totalCount; n < before; n++) died.push(second);
      }
      return died;
    }

    it("die together on pg.Pool", async () => {
      const pool = plainPool({ max: BORN, maxLifetimeSeconds: LONGEST, idleTimeoutMillis: 0 });
      assert.deepEqual(await deaths(pool), [LONGEST, LONGEST, LONGEST, LONGEST]);
    });

    it("die one by one on RdsIamPool, within 60 to 100 % of the longest life", async () => {
      let draws = 0;
      // Multiples of the golden ratio never meet, however many are drawn.
      const random = () => (draws++ * 0.618034) % 1;
      const idleTimeoutMillis = 2 * LONGEST * 1_000;
      const pool = fixture.createPool({ max: BORN, maxLifetimeSeconds: LONGEST, idleTimeoutMillis, random });
      const died = await deaths(pool);
      assert.equal(new Set(died).size, BORN);
      assert.ok(died.every((second) => second >= 0.6 * LONGEST));
    });
  });

  describe("The end of a pool", () => {
    it("never comes on pg.Pool with a silent server, and whoever waits is never told", async () => {
      const pool = plainPool({ max: 1 });
      const lost = streamOf(pool);
      await pool.query("SELECT 1");
      fixture.front.freeze();
      const running = pool.query("SELECT 1");
      // The statement has its connection in the next turn of the event loop.
      await new Promise(setImmediate);
      const waiting = pool.connect();
      const ending = pool.end();
      const hanging = await Promise.all([ending, waiting, running].map((promise) => hangs(promise, 300)));
      assert.deepEqual(hanging, [true, true, true]);
      assert.equal((await lost).destroyed, false);
    });

    it("comes on RdsIamPool within endTimeoutMillis, and everyone is told", async () => {
      const pool = fixture.createPool({ max: 1, endTimeoutMillis: 150 });
      const lost = streamOf(pool);
      await pool.query("SELECT 1");
      fixture.front.freeze();
      const running = assert.rejects(pool.query("SELECT 1"), { code: "POOL_ENDED" });
      await new Promise(setImmediate);
      const waiting = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
      const ending = pool.end();
      await waiting;
      await Promise.all([ending, running]);
      assert.equal((await lost).destroyed, true);
      assert.deepEqual([pool.totalCount, pool.waitingCount], [0, 0]);
    });
  });

  describe("The window of a rotation", () => {
    /** The first two log-ins meet the window. */
    function open(): void {
      let refusals = 2;
      fixture.front.refuse = () => (refusals-- > 0 ? WRONG_PASSWORD : undefined);
    }

    it("fails what pg.Pool is asked", async () => {
      open();
      await assert.rejects(plainPool().query("SELECT 1"), { message: WRONG_PASSWORD });
      assert.equal(fixture.front.tokens.length, 1);
    });

    it("delays what RdsIamPool is asked, with a new token for each attempt", async () => {
      open();
      let minted = 0;
      const signer = { getAuthToken: async () => `token-${++minted}` };
      const pool = fixture.createPool({ clock: fakeClock(), signer });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, ONE);
      assert.deepEqual(fixture.front.tokens, ["token-1", "token-2", "token-3"]);
    });
  });
});

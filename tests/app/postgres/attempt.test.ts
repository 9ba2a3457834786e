import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "mocha";
import pg from "pg";
import { AcquireError, errorCode } from "../../../app/postgres/index.ts";
import { eventually } from "../../local/eventually.ts";
import { poolFixture, WRONG_PASSWORD } from "./pool-fixture.ts";

describe("An attempt of RdsIamPool to connect", () => {
  const fixture = poolFixture();

  it("that stands but is not let in is cut off by its own limit", async () => {
    // The front answers TLS and asks for the token; PostgreSQL behind it takes the connection and says nothing.
    const silent = createServer().listen(0, "127.0.0.1");
    const held: Socket[] = [];
    silent.on("connection", (socket) => held.push(socket));
    await once(silent, "listening");
    const address = silent.address();
    assert.ok(address !== null && typeof address === "object");
    const front = await fixture.listen({ databasePort: address.port });
    const { port, caPem: ca } = front;
    const pool = fixture.createPool({ port, ca, attemptTimeoutMillis: 200, connectRetryMillis: 0 });
    await assert.rejects(pool.connect(), (error) => {
      assert.ok(error instanceof AcquireError);
      assert.equal(errorCode(error.cause), "CONNECT_TIMEOUT");
      assert.match(error.message, /did not let us in within 200 ms/);
      return true;
    });
    assert.equal(front.tokens.length, 1);
    await eventually("its socket is closed", 2_000, () => front.open === 0);
    for (const socket of held) socket.destroy();
    silent.close();
  });

  it("ends with the pool, socket and all, also when that comes between the mint and the socket", async () => {
    for (const hops of [0, 1, 2, 3, 4, 5, 6]) {
      const minted = Promise.withResolvers<string>();
      const pool = fixture.createPool({ reachTimeoutMillis: 5_000, signer: { getAuthToken: () => minted.promise } });
      fixture.front.silent = true;
      const waiting = assert.rejects(pool.connect(), { code: "POOL_ENDED" });
      await new Promise(setImmediate);
      minted.resolve("token");
      for (let hop = 0; hop < hops; hop++) await undefined;
      await Promise.all([pool.end(), waiting]);
      assert.equal(pool.totalCount, 0);
      await eventually("no socket is left", 1_000, () => fixture.front.open === 0);
    }
  });

  it("keeps its socket alive by TCP", async () => {
    const client = await fixture.createPool().connect();
    assert.equal((client.connection as unknown as { _keepAlive: boolean })._keepAlive, true);
    client.release();
  });

  it("sends nothing that the environment or pg.defaults hold", async () => {
    // The front would log in to PostgreSQL with the same environment.
    fixture.front.refuse = () => "Feature not supported: anything";
    const environment = {
      PGAPPNAME: "somebody",
      PGREPLICATION: "database",
      PGSSLNEGOTIATION: "direct",
      PGOPTIONS: "-c x=1",
    };
    const saved = { statement: pg.defaults.statement_timeout, lock: pg.defaults.lock_timeout };
    Object.assign(process.env, environment);
    Object.assign(pg.defaults, { statement_timeout: 1_000, lock_timeout: 1_000 });
    try {
      await assert.rejects(fixture.createPool().connect(), /Feature not supported/);
      assert.deepEqual(
        fixture.front.startups.map((startup) => Object.keys(startup).sort()),
        [["client_encoding", "database", "user"]],
      );
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
      Object.assign(pg.defaults, { statement_timeout: saved.statement, lock_timeout: saved.lock });
    }
  });

  it("that fails is one caller's where there is no budget for retries", async () => {
    const { front } = fixture;
    front.refuse = () => (front.tokens.length === 2 ? WRONG_PASSWORD : undefined);
    const pool = fixture.createPool({ max: 2, maxEstablishing: 1, connectRetryMillis: 0 });
    const only = await pool.connect();
    const outcomes = Array.from({ length: 3 }, () => pool.query("SELECT 1"));
    await assert.rejects(outcomes[0] ?? assert.fail(), { code: "CONNECT_FAILED" });
    only.release();
    await Promise.all(outcomes.slice(1));
  });

  it("is named as what a caller waited for, and no connection is blamed that nobody was lent", async () => {
    const pool = fixture.createPool({
      connectionTimeoutMillis: 60,
      signer: { getAuthToken: () => new Promise(() => {}) },
    });
    await assert.rejects(pool.connect(), {
      code: "ACQUIRE_TIMEOUT",
      message: /within 60 ms: 1 was still being established, by a mint, a handshake or a hook/,
    });
  });

  it("follows a pause also when time passes between two looks at the clock", async () => {
    let now = 0;
    let sleeps = 0;
    // Each look takes a while, and a timer is a little early, as Node's may be.
    const clock = {
      now: () => (now += 0.2),
      sleep: async (ms: number) => {
        sleeps += 1;
        now += ms - 0.3;
      },
    };
    const { front } = fixture;
    front.refuse = () => (front.tokens.length <= 5 ? WRONG_PASSWORD : undefined);
    for (const random of [0, 0.1, 0.3, 0.5, 0.7, 0.9]) {
      front.tokens.length = 0;
      const pool = fixture.createPool({ clock, random: () => random, connectionTimeoutMillis: 3_000 });
      assert.deepEqual((await pool.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
    }
    assert.ok(sleeps >= 30);
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";
import { DatabaseLoginFailed, logIn } from "../../../local/proxy/database-login.ts";
import { DatabaseRoute } from "../../../local/proxy/database-route.ts";
import { HEADER_BYTES, splitFrames } from "../../../local/proxy/messages.ts";
import { HealthMonitor } from "../../../local/proxy/target-health.ts";
import { type Reaper, startReaper } from "../../../local/reaper.ts";
import { eventually } from "../eventually.ts";
import { type Stage, startStage, USER } from "./fixture.ts";

const PASSWORD = "password of the secret";
const TIMED_OUT = "Timed-out waiting to acquire database connection.";

/** A stretch of the network between proxy and database that can be taken away and given back, as by a restart. */
class Hop {
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  async up(): Promise<void> {
    const server = createServer((near) => {
      const far = createConnection(this.#target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {}).once("close", () => this.#sockets.delete(socket));
      }
      near.pipe(far);
      far.pipe(near);
    });
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    if (!this.#server) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

describe("The target of the local proxy", () => {
  let reaper: Reaper;
  let postgres: Postgres;
  let hop: Hop;
  let stage: Stage;

  before(async () => {
    reaper = startReaper({ log: () => {} });
    postgres = await startPostgres({
      majorVersion: 17,
      maxConnections: 20,
      forceSsl: false,
      master: { user: USER, password: PASSWORD },
      database: "appdb",
      reaper,
      log: () => {},
    });
  });

  after(async () => {
    await postgres?.stop();
    await reaper?.close();
  });

  beforeEach(async () => {
    hop = new Hop({ host: postgres.host, port: postgres.port });
    await hop.up();
  });

  afterEach(async () => {
    await stage.proxy.close();
    await hop.down();
  });

  const start = async (changes: Parameters<typeof startStage>[2]) => {
    stage = await startStage({ host: "127.0.0.1", port: hop.port }, PASSWORD, changes);
  };
  const timesOut = async (connecting: Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof pg.DatabaseError, String(error));
      assert.deepEqual([error.severity, error.code, error.message], ["FATAL", "53300", TIMED_OUT]);
      return true;
    });
    return performance.now() - began;
  };
  const until = (what: string, condition: () => boolean) => eventually(what, 5_000, condition);
  const targetIs = (state: string, reason?: string) =>
    until(`the target is ${state} ${reason ?? ""}`, () => {
      const health = stage.proxy.targetHealth();
      return health.state === state && health.reason === reason;
    });

  describe("with room for two connections", () => {
    beforeEach(() => start({ maxConnections: 20, declared: { maxConnectionsPercent: 14, borrowTimeoutSeconds: 0.4 } }));

    it("holds the declared share of max_connections, rounded down, and no more", async () => {
      assert.equal(stage.proxy.metrics().MaxDatabaseConnectionsAllowed, 2);
      const clients = [await stage.connect(), await stage.connect()];
      const waited = await timesOut(stage.connect());
      assert.ok(waited >= 390, `waited ${waited} ms`);
      assert.equal(stage.proxy.metrics().DatabaseConnections, 2);
      assert.equal(stage.proxy.metrics().DatabaseConnectionRequests, 2);
      assert.match(stage.refusals[0]?.diagnosis ?? "", /0\.4 s .*all 2 database connections/);
      for (const client of clients) await client.end();
    });

    it("is free again when a client ends, is cut off, or its connection is ended by the database", async () => {
      for (const leave of [
        (client: pg.Client) => client.end(),
        async (client: pg.Client) => void client.connection.stream.destroy(),
        (client: pg.Client) => client.query("select pg_terminate_backend(pg_backend_pid())").catch(() => {}),
      ]) {
        const clients = [await stage.connect(), await stage.connect()];
        for (const client of clients) await leave(client);
        await until("both are given back", () => stage.proxy.metrics().DatabaseConnectionsCurrentlyBorrowed === 0);
      }
      assert.equal(stage.refusals.length, 0);
      assert.equal(stage.proxy.metrics().DatabaseConnectionsSetupSucceeded, 6);
    });

    it("is free again when PostgreSQL refuses the session that it was taken for", async () => {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await assert.rejects(stage.connect({ database: "nowhere" }), { code: "3D000" });
      }
      await (await stage.connect()).end();
    });
  });

  describe("with room for one connection", () => {
    beforeEach(() => start({ maxConnections: 20, declared: { maxConnectionsPercent: 5, borrowTimeoutSeconds: 3 } }));

    it("serves those who wait in the order in which they came", async () => {
      const holder = await stage.connect();
      const served: number[] = [];
      const waiting: Promise<void>[] = [];
      for (const place of [1, 2, 3]) {
        const presented = once(stage.proxy.events, "tokenPresented");
        const client = stage.client();
        waiting.push(
          client.connect().then(async () => {
            served.push(place);
            await client.end();
          }),
        );
        await presented;
      }
      assert.deepEqual(served, []);
      await holder.end();
      await Promise.all(waiting);
      assert.deepEqual(served, [1, 2, 3]);
    });

    it("is logged in to with the secret as it is when a client's turn comes, not as it was when the client came", async () => {
      const holder = await stage.connect();
      const presented = once(stage.proxy.events, "tokenPresented");
      const waiting = stage.connect();
      await presented;
      await postgres.setPassword(USER, "rotated");
      try {
        stage.authority.login = { username: USER, password: "rotated", versionId: "version-2" };
        await holder.end();
        await (await waiting).end();
      } finally {
        await postgres.setPassword(USER, PASSWORD);
      }
      assert.equal(stage.proxy.metrics().DatabaseConnectionsSetupFailed, 0);
    });

    it("forgets a client that leaves while it waits", async () => {
      const holder = await stage.connect();
      const impatient = stage.client({ connectionTimeoutMillis: 200 });
      await assert.rejects(impatient.connect(), /timeout expired/);
      await until("the proxy has noticed", () => stage.proxy.metrics().ClientConnections === 1);
      await holder.end();
      await (await stage.connect()).end();
      assert.equal(stage.proxy.metrics().DatabaseConnectionRequests, 2);
      assert.equal(stage.refusals.length, 0);
    });
  });

  describe("when the database is away", () => {
    it("is unavailable, and a client that waits is served as soon as the database is back", async () => {
      await start({ declared: { borrowTimeoutSeconds: 5 } });
      const established = await stage.connect();
      const cut = new Promise<void>((resolve) => established.once("end", resolve));
      await hop.down();
      await cut;
      const waiting = stage.connect();
      await targetIs("UNAVAILABLE", "CONNECTION_FAILED");
      await hop.up();
      const client = await waiting;
      assert.deepEqual((await client.query("select 1 as ok")).rows, [{ ok: 1 }]);
      assert.deepEqual(stage.proxy.targetHealth(), { state: "AVAILABLE" });
      await client.end();
    });

    it("lets a client wait for the borrow time-out and no longer", async () => {
      await hop.down();
      await start({ declared: { borrowTimeoutSeconds: 0.5 } });
      const waited = await timesOut(stage.connect());
      assert.ok(waited >= 490, `waited ${waited} ms`);
      assert.match(stage.refusals[0]?.diagnosis ?? "", /UNAVAILABLE \(CONNECTION_FAILED\)/);
      assert.ok(stage.proxy.metrics().DatabaseConnectionsSetupFailed >= 2);
      assert.equal(stage.proxy.metrics().DatabaseConnectionsSetupSucceeded, 0);
    });

    it("becomes available again without any client", async () => {
      await hop.down();
      await start({});
      await targetIs("UNAVAILABLE", "CONNECTION_FAILED");
      await hop.up();
      await targetIs("AVAILABLE");
      assert.equal(stage.proxy.metrics().DatabaseConnectionRequests, 0);
    });
  });

  it("is registering until it was looked at", async () => {
    await start({});
    assert.deepEqual(stage.proxy.targetHealth(), { state: "REGISTERING", reason: "PENDING_PROXY_CAPACITY" });
    await targetIs("AVAILABLE");
  });

  it("is as the latest look found it, even when an earlier one ends later", async () => {
    await start({});
    const monitor = new HealthMonitor(stage.authority, new DatabaseRoute({ host: "127.0.0.1", port: hop.port }));
    const [earlier, later] = [monitor.beginLook(), monitor.beginLook()];
    monitor.succeeded(later);
    monitor.failed(earlier, new DatabaseLoginFailed(undefined, {}));
    assert.deepEqual(monitor.health(), { state: "AVAILABLE" });
    monitor.failed(monitor.beginLook(), new DatabaseLoginFailed(undefined, {}));
    assert.deepEqual(monitor.health(), { state: "UNAVAILABLE", reason: "CONNECTION_FAILED" });
    await monitor.close();
  });

  it("is unavailable for its credentials when the secret cannot be read", async () => {
    await hop.down();
    await start({});
    await targetIs("UNAVAILABLE", "CONNECTION_FAILED");
    stage.authority.login = undefined;
    await targetIs("UNAVAILABLE", "AUTH_FAILURE");
  });

  it("is unreachable, and no connection is tried, where the security groups do not let the proxy through", async () => {
    await start({ declared: { borrowTimeoutSeconds: 0.3 } });
    stage.authority.databaseReached = false;
    assert.deepEqual(stage.proxy.targetHealth(), { state: "UNAVAILABLE", reason: "UNREACHABLE" });
    await timesOut(stage.connect());
    assert.match(stage.refusals[0]?.diagnosis ?? "", /UNAVAILABLE \(UNREACHABLE\)/);
    assert.equal(stage.proxy.metrics().DatabaseConnectionRequests, 0);
    stage.authority.databaseReached = true;
    await (await stage.connect()).end();
  });

  it("waits out a database whose own connections are all taken by others", async () => {
    await start({ declared: { borrowTimeoutSeconds: 0.4 } });
    await targetIs("AVAILABLE");
    const others: pg.Client[] = [];
    // All but those that are kept for superusers.
    for (;;) {
      const other = new pg.Client({
        host: postgres.host,
        port: postgres.port,
        user: USER,
        password: PASSWORD,
        database: "appdb",
      });
      other.on("error", () => {});
      const code = await other.connect().then(
        () => "connected",
        (error: pg.DatabaseError) => error.code,
      );
      if (code === "53300") break;
      assert.equal(code, "connected");
      others.push(other);
    }
    await timesOut(stage.connect());
    const waiting = stage.connect();
    await others.pop()?.end();
    await (await waiting).end();
    for (const other of others) await other.end();
  });

  it("refuses to start with a share that allows no connection", async () => {
    await start({});
    await assert.rejects(
      startStage({ host: "127.0.0.1", port: hop.port }, PASSWORD, {
        maxConnections: 30,
        declared: { maxConnectionsPercent: 3 },
      }),
      { code: "INVALID_PROXY_SETTINGS", message: /3 % of max_connections = 30, which allows 0/ },
    );
  });

  it("refuses to start with a key that is none", async () => {
    await start({});
    await assert.rejects(
      startStage({ host: "127.0.0.1", port: hop.port }, PASSWORD, { tls: { key: "x", cert: "y" } }),
      {
        code: "INVALID_PROXY_SETTINGS",
      },
    );
  });

  describe("logged in to", () => {
    const login = { username: USER, password: PASSWORD, versionId: "version-1" };
    const enter = (parameters: Record<string, string>, password = PASSWORD, signal = new AbortController().signal) =>
      logIn(
        { host: "127.0.0.1", port: hop.port },
        { ...login, password },
        new Map(Object.entries(parameters)),
        5_000,
        signal,
      );

    beforeEach(() => start({}));

    it("says in its greeting what the client asked for, and is ready", async () => {
      const wanted = { database: "appdb", client_encoding: "LATIN1", TimeZone: "Asia/Tokyo", DateStyle: "German" };
      const { socket, greeting, tls } = await enter(wanted);
      const { frames, rest } = splitFrames(greeting);
      const types = frames.map(({ type }) => String.fromCharCode(type));
      const statuses = new Map(
        frames
          .filter(({ type }) => type === 0x53)
          .map(({ bytes }) => bytes.toString("utf8", HEADER_BYTES).split("\0"))
          .map(([name, value]) => [name, value]),
      );
      assert.deepEqual(
        ["client_encoding", "TimeZone", "DateStyle", "session_authorization"].map((name) => statuses.get(name)),
        ["LATIN1", "Asia/Tokyo", "German, DMY", USER],
      );
      assert.equal(rest.length, 0);
      assert.equal(types.at(-1), "Z");
      assert.equal(types.filter((type) => type === "K").length, 1);
      assert.equal(types.filter((type) => type === "R").length, 0);
      assert.equal(tls, false);
      assert.equal(socket.listenerCount("data"), 0);
      socket.destroy();
    });

    it("hands over PostgreSQL's own refusal", async () => {
      await assert.rejects(enter({ database: "appdb", client_encoding: "NONE" }), (error) => {
        assert.ok(error instanceof DatabaseLoginFailed);
        assert.equal(error.refusal?.sqlState, "22023");
        assert.match(error.message, /client_encoding/);
        return true;
      });
    });

    it("is left alone when the attempt is given up", async () => {
      const controller = new AbortController();
      const entering = enter({}, PASSWORD, controller.signal);
      controller.abort();
      await assert.rejects(entering, DatabaseLoginFailed);
      await assert.rejects(enter({}, PASSWORD, AbortSignal.abort()), DatabaseLoginFailed);
    });

    it("refuses an empty password rather than take one from the environment", async () => {
      process.env.PGPASSWORD = PASSWORD;
      try {
        await assert.rejects(enter({ database: "appdb" }, ""), DatabaseLoginFailed);
      } finally {
        delete process.env.PGPASSWORD;
      }
    });
  });
});

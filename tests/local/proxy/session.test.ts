import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";
import { type Reaper, startReaper } from "../../../local/reaper.ts";
import { eventually } from "../eventually.ts";
import { copyIn, copyOut } from "./copy.ts";
import { issueCredentials, mint, ROLE, type Stage, sharedCertificates, startStage, USER } from "./fixture.ts";

const PASSWORD = "the secret's own pässword";
const NO_CREDENTIALS = (user: string) =>
  `This RDS proxy has no credentials for the role ${user}. Check the credentials for this role and try again.`;
const IAM_FAILED = `The IAM authentication failed for the role ${USER}. Check the IAM token for this role and try again.`;

describe("A session through the local proxy", () => {
  let reaper: Reaper;
  let postgres: Postgres;
  let stage: Stage;

  before(async () => {
    reaper = startReaper({ log: () => {} });
    const { ca } = await sharedCertificates();
    postgres = await startPostgres({
      majorVersion: 17,
      maxConnections: 40,
      forceSsl: true,
      tls: await ca.issue(["database.example"]),
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

  /** The database, which forces TLS, under the name in its certificate. */
  const database = async (changes: { servername?: string } = {}) => {
    const { ca } = await sharedCertificates();
    const tls = { ca: ca.caPem, servername: changes.servername ?? "database.example" };
    return { host: postgres.host, port: postgres.port, tls };
  };
  const start = async (changes: Parameters<typeof startStage>[2] = {}) => {
    stage = await startStage(await database(), PASSWORD, changes);
  };
  const restart = async (changes: Parameters<typeof startStage>[2] = {}) => {
    await stage.proxy.close();
    await start(changes);
  };
  const refused = async (connecting: Promise<unknown>, sqlState: string, message: string): Promise<void> => {
    const seen = stage.refusals.length;
    await assert.rejects(connecting, (error) => {
      assert.ok(error instanceof pg.DatabaseError, String(error));
      assert.deepEqual([error.severity, error.code, error.message], ["FATAL", sqlState, message]);
      return true;
    });
    assert.equal(stage.refusals.length, seen + 1);
    assert.equal(stage.refusals.at(-1)?.text, message);
  };
  const backends = async (): Promise<number> => {
    const admin = new pg.Client(postgres.directUrl);
    await admin.connect();
    const { rows } = await admin.query("select count(*)::int as n from pg_stat_activity where usename = $1", [USER]);
    await admin.end();
    return rows[0].n;
  };

  beforeEach(() => start());
  afterEach(() => stage.proxy.close());

  describe("that is let in", () => {
    let client: pg.Client;

    beforeEach(async () => {
      client = await stage.connect({ database: "appdb" });
    });
    afterEach(async () => {
      await client.end();
    });

    it("is the secret's user in the database that the client named", async () => {
      const { rows } = await client.query("select current_user as u, session_user as s, current_database() as d");
      assert.deepEqual(rows, [{ u: USER, s: USER, d: "appdb" }]);
    });

    it("reaches the database by TLS when it is given a CA", async () => {
      const { rows } = await client.query("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()");
      assert.deepEqual(rows, [{ ssl: true, version: "TLSv1.3" }]);
      assert.equal(stage.proxy.metrics().DatabaseConnectionsWithTLS, 1);
      assert.equal(stage.proxy.metrics().DatabaseConnectionRequestsWithTLS, 1);
    });

    it("relays simple, extended, prepared and several statements at once", async () => {
      assert.deepEqual((await client.query("select 1 as a")).rows, [{ a: 1 }]);
      assert.deepEqual((await client.query("select $1::text as b", ["é\u0001"])).rows, [{ b: "é\u0001" }]);
      for (const n of [1, 2]) {
        const { rows } = await client.query({ name: "twice", text: "select 2 * $1::int as n", values: [n] });
        assert.deepEqual(rows, [{ n: 2 * n }]);
      }
      const several = (await client.query("select 3 as c; select 4 as d")) as unknown as pg.QueryResult[];
      assert.deepEqual(
        several.map(({ rows }) => rows),
        [[{ c: 3 }], [{ d: 4 }]],
      );
    });

    it("goes on after an error, and after one inside a transaction", async () => {
      await assert.rejects(client.query("select 1/0"), { code: "22012" });
      await client.query("begin");
      await assert.rejects(client.query("select nowhere"), { code: "42703" });
      await assert.rejects(client.query("select 1"), { code: "25P02" });
      await client.query("rollback");
      assert.deepEqual((await client.query("select 1 as ok")).rows, [{ ok: 1 }]);
    });

    it("relays a result of 40 MB and a parameter of 8 MB unchanged", async () => {
      const { rows } = await client.query(
        "select count(*)::int as n, sum(length(x))::int as bytes from (select repeat('x', 40000) as x from generate_series(1, 10)) t",
      );
      assert.deepEqual(rows, [{ n: 10, bytes: 400_000 }]);
      const large = await client.query("select repeat(i::text, 8000) as x from generate_series(1000, 2249) i");
      assert.equal(large.rows.length, 1_250);
      assert.ok(large.rows.every(({ x }, index) => x === String(1_000 + index).repeat(8_000)));
      const text = "parameter ".repeat(800_000);
      const echoed = await client.query("select md5($1) = md5(repeat('parameter ', 800000)) as same", [text]);
      assert.deepEqual(echoed.rows, [{ same: true }]);
    });

    it("relays COPY both ways", async () => {
      await client.query("create temporary table t (n int)");
      await copyIn(
        client,
        "copy t from stdin",
        Array.from({ length: 5_000 }, (_, n) => `${n}\n`),
      );
      assert.deepEqual((await client.query("select count(*)::int, sum(n)::int from t")).rows, [
        { count: 5_000, sum: 12_497_500 },
      ]);
      const out = await copyOut(client, "copy (select n from t order by n) to stdout");
      assert.ok(
        out === Array.from({ length: 5_000 }, (_, n) => `${n}\n`).join(""),
        `${out.length} characters came out`,
      );
    });

    it("relays notifications to a client that is idle", async () => {
      await client.query("listen news");
      const heard = new Promise<string | undefined>((resolve) =>
        client.once("notification", ({ payload }) => resolve(payload)),
      );
      const other = await stage.connect({ database: "appdb" });
      await other.query("notify news, 'hello'");
      assert.equal(await heard, "hello");
      await other.end();
    });

    it("passes on the last words of a session that an administrator ends", async () => {
      const errors: unknown[] = [];
      client.on("error", (error) => errors.push(error));
      const admin = new pg.Client(postgres.directUrl);
      await admin.connect();
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", [USER]);
      await admin.end();
      await eventually("the client hears of it", 2_000, () => errors.length > 0);
      assert.equal((errors[0] as pg.DatabaseError).code, "57P01");
      await eventually("both ends are gone", 2_000, () => {
        const { ClientConnections, DatabaseConnections } = stage.proxy.metrics();
        return ClientConnections === 0 && DatabaseConnections === 0;
      });
    });

    it("ends in the database when the client's socket is cut", async () => {
      assert.equal(await backends(), 1);
      client.connection.stream.destroy();
      await eventually("the database connection is gone", 3_000, async () => (await backends()) === 0);
      assert.equal(stage.proxy.metrics().DatabaseConnections, 0);
    });

    it("is counted under CloudWatch's names", async () => {
      await client.query("select 1; select 2");
      await client.query("select $1::int", [1]);
      const { DatabaseConnectionsBorrowLatency, ...metrics } = stage.proxy.metrics();
      assert.ok(DatabaseConnectionsBorrowLatency && DatabaseConnectionsBorrowLatency > 0);
      assert.deepEqual(metrics, {
        ClientConnections: 1,
        ClientConnectionsClosed: 0,
        ClientConnectionsNoTLS: 0,
        ClientConnectionsReceived: 1,
        ClientConnectionsSetupFailedAuth: 0,
        ClientConnectionsSetupSucceeded: 1,
        ClientConnectionsTLS: 1,
        DatabaseConnectionRequests: 1,
        DatabaseConnectionRequestsWithTLS: 1,
        DatabaseConnections: 1,
        DatabaseConnectionsCurrentlyBorrowed: 1,
        DatabaseConnectionsSetupFailed: 0,
        DatabaseConnectionsSetupSucceeded: 1,
        DatabaseConnectionsWithTLS: 1,
        MaxDatabaseConnectionsAllowed: 20,
        QueryRequests: 2,
        QueryRequestsNoTLS: 0,
        QueryRequestsTLS: 2,
      });
    });
  });

  it("tells of each token and each connection in events, at the clock's time", async () => {
    // Ahead of the signer's clock by less than a token's life.
    const now = Date.now() + 60_000;
    await restart({ clock: () => now });
    const presented: number[] = [];
    const established: unknown[] = [];
    stage.proxy.events.on("tokenPresented", ({ at }) => presented.push(at));
    stage.proxy.events.on("connectionEstablished", (event) => established.push(event));
    await (await stage.connect()).end();
    await assert.rejects(stage.connect({ password: "no token" }));
    assert.deepEqual(presented, [now, now]);
    assert.deepEqual(established, [{ at: now, user: USER }]);
    assert.deepEqual(
      stage.refusals.map(({ at, code }) => [at, code]),
      [[now, "IAM_AUTHENTICATION_FAILED"]],
    );
  });

  describe("that is not let in", () => {
    it("hears that the IAM authentication failed when its token is not one", async () => {
      await refused(stage.connect({ password: "hunter2" }), "28000", IAM_FAILED);
      assert.doesNotMatch(JSON.stringify(stage.refusals), /hunter2/);
      assert.equal(stage.proxy.metrics().ClientConnectionsSetupFailedAuth, 1);
      assert.equal(stage.proxy.metrics().DatabaseConnectionRequests, 0);
    });

    it("hears that the IAM authentication failed when its token is for another proxy", async () => {
      const token = await mint(stage.credentials, { hostname: "other.eu-west-2.rds.amazonaws.com" });
      await refused(stage.connect({ password: token }), "28000", IAM_FAILED);
      assert.match(stage.refusals[0]?.diagnosis ?? "", /^HOST: .*other\.eu-west-2/);
    });

    it("hears that the IAM authentication failed when its credentials were issued to nobody", async () => {
      await refused(stage.connect({ password: await mint(issueCredentials()) }), "28000", IAM_FAILED);
      assert.match(stage.refusals[0]?.diagnosis ?? "", /^UNKNOWN_ACCESS_KEY: /);
    });

    it("hears that the IAM authentication failed when its token has expired", async () => {
      await restart({ clock: () => Date.now() + 901_000 });
      await refused(stage.connect(), "28000", IAM_FAILED);
      assert.match(stage.refusals[0]?.diagnosis ?? "", /^EXPIRED: /);
    });

    it("hears that the IAM authentication failed when its role may not connect, and the role and resource are named at the laptop", async () => {
      const asked: unknown[] = [];
      stage.authority.allowed = (role, user) => {
        asked.push([role, user]);
        return false;
      };
      await refused(stage.connect(), "28000", IAM_FAILED);
      assert.deepEqual(asked, [[ROLE, USER]]);
      assert.match(stage.refusals[0]?.diagnosis ?? "", new RegExp(`^NOT_ALLOWED: .*${ROLE} .*prx-0123456789abcdef0`));
      stage.authority.allowed = () => true;
      await (await stage.connect()).end();
    });

    it("hears that there are no credentials when it names a user that the secret does not, whatever its token", async () => {
      const user = "reporting";
      await refused(stage.connect({ user, password: "no token" }), "28000", NO_CREDENTIALS(user));
      const token = await mint(stage.credentials, { username: user });
      await refused(stage.connect({ user, password: token }), "28000", NO_CREDENTIALS(user));
      await refused(stage.connect({ user: USER.toUpperCase() }), "28000", NO_CREDENTIALS(USER.toUpperCase()));
    });

    it("hears that there are no credentials when the proxy's role may not read the secret", async () => {
      stage.authority.login = undefined;
      await refused(stage.connect(), "28000", NO_CREDENTIALS(USER));
      assert.match(stage.refusals[0]?.diagnosis ?? "", /role\/proxy may not read arn:aws:secretsmanager/);
    });

    it("hears that the password is wrong while the secret is behind the database", async () => {
      await (await stage.connect()).end();
      assert.deepEqual(stage.proxy.targetHealth(), { state: "AVAILABLE" });
      stage.authority.login = { username: USER, password: "of yesterday", versionId: "version-0" };
      await refused(stage.connect(), "28P01", `The password that was provided for the role ${USER} is wrong.`);
      assert.deepEqual(stage.proxy.targetHealth(), { state: "UNAVAILABLE", reason: "AUTH_FAILURE" });
      assert.match(stage.refusals[0]?.diagnosis ?? "", /version-0/);
      assert.doesNotMatch(JSON.stringify(stage.refusals), /yesterday/);
      stage.authority.login = { username: USER, password: PASSWORD, versionId: "version-2" };
      await (await stage.connect()).end();
      assert.deepEqual(stage.proxy.targetHealth(), { state: "AVAILABLE" });
    });

    it("hears PostgreSQL's own words when the database does not exist", async () => {
      await refused(stage.connect({ database: "nowhere" }), "3D000", 'database "nowhere" does not exist');
      assert.equal(stage.refusals[0]?.code, "DATABASE_REFUSED");
      assert.equal(stage.proxy.metrics().ClientConnectionsSetupFailedAuth, 0);
    });

    it("gets an answer, and the others are served, when the authority itself fails", async () => {
      stage.authority.allowed = () => {
        throw new Error("the policy simulator broke");
      };
      await refused(stage.connect(), "XX000", "The local RDS Proxy failed to serve this connection.");
      assert.match(stage.refusals[0]?.diagnosis ?? "", /policy simulator broke/);
      stage.authority.allowed = () => true;
      await (await stage.connect()).end();
    });

    it("is closed, and the others are served, when the authority cannot say whether it may reach the proxy", async () => {
      const { authority } = stage;
      const clientMayReachProxy = authority.clientMayReachProxy;
      authority.clientMayReachProxy = () => {
        throw new Error("the security groups broke");
      };
      await assert.rejects(stage.connect());
      authority.clientMayReachProxy = clientMayReachProxy;
      await (await stage.connect()).end();
    });

    it("is not let in with its token where IAM authentication is not declared, but with the password", async () => {
      await restart({ declared: { iamAuthRequired: false } });
      await refused(stage.connect(), "28P01", `The password that was provided for the role ${USER} is wrong.`);
      await (await stage.connect({ password: PASSWORD })).end();
    });

    it("leaves nothing open", async () => {
      for (const password of ["a", "b", "c"]) await assert.rejects(stage.connect({ password }));
      await eventually("all connections are closed", 2_000, () => stage.proxy.metrics().ClientConnectionsClosed === 3);
      assert.equal(stage.proxy.metrics().ClientConnections, 0);
      assert.equal(stage.proxy.metrics().ClientConnectionsTLS, 0);
      assert.equal(await backends(), 0);
    });
  });

  it("ends when the client has been idle for the declared time, and not while a statement runs", async () => {
    await restart({ declared: { idleClientTimeoutSeconds: 0.3 } });
    const client = await stage.connect();
    const ended = new Promise<number>((resolve) => client.once("end", () => resolve(performance.now())));
    await client.query("select pg_sleep(0.6)");
    const answered = performance.now();
    const idle = (await ended) - answered;
    assert.ok(idle > 250, `ended ${idle} ms after the answer`);
    await eventually("the database connection is gone", 2_000, async () => (await backends()) === 0);
  });

  it("does not log in to a database that presents another name", async () => {
    await stage.proxy.close();
    stage = await startStage(await database({ servername: "imposter.example" }), PASSWORD, {
      declared: { borrowTimeoutSeconds: 0 },
    });
    await refused(stage.connect(), "53300", "Timed-out waiting to acquire database connection.");
    assert.deepEqual(stage.proxy.targetHealth(), { state: "UNAVAILABLE", reason: "CONNECTION_FAILED" });
  });

  it("closes every socket, of clients that wait and of clients that work, when the proxy closes", async () => {
    const clients = await Promise.all([1, 2, 3].map(() => stage.connect()));
    const working = clients.map((client) =>
      client.query("select pg_sleep(30)").then(
        () => "answered",
        () => "cut off",
      ),
    );
    await stage.dial();
    await eventually("all are connected", 2_000, () => stage.proxy.metrics().ClientConnections === 4);
    await Promise.all([stage.proxy.close(), stage.proxy.close()]);
    assert.deepEqual(await Promise.all(working), ["cut off", "cut off", "cut off"]);
    const { ClientConnections, DatabaseConnections } = stage.proxy.metrics();
    assert.deepEqual([ClientConnections, DatabaseConnections], [0, 0]);
    await assert.rejects(stage.dial(), { code: "ECONNREFUSED" });
  });
});

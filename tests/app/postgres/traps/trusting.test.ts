import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { RdsIamPool, type RdsIamPoolOptions } from "../../../../app/postgres/index.ts";
import { IDENTITY, poolFixture } from "../pool-fixture.ts";
import { Impostor } from "./impostor.ts";
import { mint, plainPools } from "./plain-pools.ts";

const SIGNATURE = /X-Amz-Signature=/;

describe("Traps in trusting", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("A server without TLS", () => {
    let impostor: Impostor;

    beforeEach(async () => {
      impostor = await Impostor.listen({ tls: false, asks: true });
    });
    afterEach(() => impostor.close());

    it("is told the token, in clear text, by a pg.Pool whose 'ssl' was forgotten", async () => {
      const { port } = impostor;
      const client = await plainPool({ port, ssl: undefined }).connect();
      assert.equal(impostor.told.length, 1);
      assert.match(impostor.told[0] ?? "", SIGNATURE);
      client.release(true);
    });

    it("is told nothing by RdsIamPool, from which TLS cannot be taken", async () => {
      const { port } = impostor;
      await assert.rejects(fixture.createPool({ port, connectRetryMillis: 0 }).connect(), /does not support SSL/);
      assert.deepEqual([impostor.told, impostor.welcomed], [[], 0]);
      const options = { ...IDENTITY, database: "d", ssl: false } as RdsIamPoolOptions;
      assert.throws(() => new RdsIamPool(options), { code: "POOL_CONFIGURATION" });
    });
  });

  describe("A URL with sslmode", () => {
    it("takes the verification out of pg.Pool's 'ssl', and the token goes to a server of any authority", async () => {
      const other = await fixture.listen();
      const token = encodeURIComponent(await mint(other.port));
      const { user, host } = IDENTITY;
      const connectionString = `postgres://${user}:${token}@${host}:${other.port}/${fixture.database.name}?sslmode=no-verify`;
      const ssl = { ca: fixture.front.caPem, rejectUnauthorized: true };
      const client = await plainPool({ connectionString, ssl }).connect();
      assert.equal(other.tokens.length, 1);
      client.release(true);
    });

    it("takes nothing out of RdsIamPool, which refuses it and sends that server no token", async () => {
      const other = await fixture.listen();
      const connectionString = `postgres://${IDENTITY.host}:${other.port}/d?sslmode=no-verify`;
      const options = { ...IDENTITY, database: "d", connectionString, sslmode: "no-verify" } as RdsIamPoolOptions;
      assert.throws(() => new RdsIamPool(options), /'connectionString' is refused.*'sslmode' is refused/);
      await assert.rejects(fixture.createPool({ port: other.port }).connect());
      assert.deepEqual([other.accepted, other.tokens], [1, []]);
    });
  });

  describe("A name for TLS other than the host", () => {
    it("is overwritten by pg.Pool without a word: the server that has it is refused", async () => {
      const other = await fixture.listen({ certificateName: "other.example" });
      const ssl = { ca: other.caPem, servername: "other.example" };
      await assert.rejects(plainPool({ port: other.port, ssl }).connect(), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });

    it("cannot be asked for with RdsIamPool, which verifies the host that it dials and signs for", async () => {
      const ssl = { servername: "other.example" };
      const options = { ...IDENTITY, database: "d", ssl } as RdsIamPoolOptions;
      assert.throws(() => new RdsIamPool(options), /'ssl' is refused/);
      const client = await fixture.createPool().connect();
      const { stream } = client.connection;
      assert.ok("servername" in stream && "authorized" in stream);
      assert.deepEqual([stream.servername, stream.authorized], [IDENTITY.host, true]);
      client.release();
    });
  });

  describe("The environment of the process", () => {
    const set = { PGPASSWORD: "password-of-the-environment", PGOPTIONS: "-c work_mem=4MB" };

    beforeEach(() => void Object.assign(process.env, set));
    afterEach(() => {
      for (const name of Object.keys(set)) delete process.env[name];
    });

    it("gives pg.Pool a password for the server where the function was forgotten, and options that RDS Proxy refuses", async () => {
      const client = await plainPool({ password: undefined }).connect();
      assert.deepEqual(fixture.front.tokens, [set.PGPASSWORD]);
      assert.equal(fixture.front.startups[0]?.options, set.PGOPTIONS);
      client.release(true);
    });

    it("gives RdsIamPool neither", async () => {
      const client = await fixture.createPool().connect();
      assert.equal(fixture.front.tokens.length, 1);
      assert.match(fixture.front.tokens[0] ?? "", SIGNATURE);
      assert.deepEqual(Object.keys(fixture.front.startups[0] ?? {}).sort(), ["client_encoding", "database", "user"]);
      client.release();
    });

    it("gives RdsIamPool no password either when its signer makes an empty token", async () => {
      const pool = fixture.createPool({ signer: { getAuthToken: async () => "" }, connectRetryMillis: 0 });
      await pool
        .connect()
        .then((client) => client.release(true))
        .catch(() => {});
      assert.ok(!fixture.front.tokens.includes(set.PGPASSWORD));
    });
  });

  /** "Connecting to a database through RDS Proxy", Amazon RDS User Guide. */
  const ADMITTED = new Set([
    "user",
    "database",
    "application_name",
    "client_encoding",
    "DateStyle",
    "TimeZone",
    "extra_float_digits",
    "search_path",
  ]);

  describe("Parameters with which a connection starts", () => {
    const timeouts = { statement_timeout: 1_000, lock_timeout: 1_000, idle_in_transaction_session_timeout: 1_000 };

    const refused = () => Object.keys(fixture.front.startups[0] ?? assert.fail()).filter((name) => !ADMITTED.has(name));

    it("are sent by pg.Pool though RDS Proxy refuses the connection for them", async () => {
      const client = await plainPool(timeouts).connect();
      assert.deepEqual(refused().sort(), Object.keys(timeouts).sort());
      client.release(true);
    });

    it("are refused by RdsIamPool itself, with what to do, and all that it sends is admitted", async () => {
      const options = { ...IDENTITY, database: "d", ...timeouts } as RdsIamPoolOptions;
      for (const name of Object.keys(timeouts)) {
        assert.throws(() => new RdsIamPool(options), new RegExp(`'${name}' is refused: .*ALTER ROLE … SET`));
      }
      const client = await fixture.createPool({ application_name: "traps", query_timeout: 5_000 }).connect();
      assert.deepEqual(refused(), []);
      assert.equal(fixture.front.startups[0]?.application_name, "traps");
      client.release();
    });
  });
});

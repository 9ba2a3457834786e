import assert from "node:assert/strict";
import { Signer } from "@aws-sdk/rds-signer";
import { describe, it } from "mocha";
import { type AcquireError, errorCode, type PoolError } from "../../../app/postgres/index.ts";
import { withCredentialsEndpoint } from "./credentials-endpoint.ts";
import { fakeClock, IDENTITY, poolFixture } from "./pool-fixture.ts";

describe("A connection of RdsIamPool", () => {
  const fixture = poolFixture();

  describe("Tokens", () => {
    it("are minted once for each physical connection, and none for a connection that is used again", async () => {
      const pool = fixture.createPool({ max: 3 });
      const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      for (const client of clients) client.release();
      for (let n = 0; n < 10; n++) await pool.query("SELECT 1");
      assert.equal(fixture.front.tokens.length, 3);
      assert.equal(fixture.front.accepted, 3);
      for (const token of fixture.front.tokens) {
        const url = new URL(`https://${token}`);
        assert.equal(url.host, `localhost:${fixture.front.port}`);
        assert.equal(url.searchParams.get("Action"), "connect");
        assert.equal(url.searchParams.get("DBUser"), "app_master");
        assert.match(
          url.searchParams.get("X-Amz-Credential") ?? "",
          /^AKIDEXAMPLE\/\d{8}\/eu-west-2\/rds-db\/aws4_request$/,
        );
      }
    });

    it("of 50 connections that open at once come from one fetch of the credentials by the SDK's own chain", async () => {
      const { front } = fixture;
      await withCredentialsEndpoint(async (fetches) => {
        const pool = fixture.createPool({ max: 50, signer: undefined });
        const clients = await Promise.all(Array.from({ length: 50 }, () => pool.connect()));
        for (const client of clients) client.release();
        assert.equal(front.tokens.length, 50);
        assert.equal(front.accepted, 50);
        assert.equal(fetches(), 1);
        for (const token of front.tokens) assert.match(token, /X-Amz-Credential=ASIA/);
      });
    });

    it("are asked for anew by each of the connections", async () => {
      let minted = 0;
      const signer = { getAuthToken: async () => `token-${++minted}` };
      const pool = fixture.createPool({ max: 5, signer });
      const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
      for (const client of clients) client.release(true);
      await pool.query("SELECT 1");
      assert.deepEqual(
        fixture.front.tokens.toSorted(),
        [1, 2, 3, 4, 5, 6].map((n) => `token-${n}`),
      );
    });

    it("arrive whole, however long: credentials of a role make them long", async () => {
      const { port, tokens } = fixture.front;
      const { host: hostname, user: username, region } = IDENTITY;
      const sessionToken = "s".repeat(8_000);
      const credentials = { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "secret-access-key", sessionToken };
      const signer = new Signer({ hostname, port, username, region, credentials });
      assert.deepEqual((await fixture.createPool({ signer }).query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      const url = new URL(`https://${tokens[0]}`);
      assert.equal(url.searchParams.get("X-Amz-Security-Token"), sessionToken);
      assert.match(url.searchParams.get("X-Amz-Signature") ?? "", /^[0-9a-f]{64}$/);
      assert.equal(url.searchParams.get("X-Amz-Expires"), "900");
    });

    it("do not stay on a client that is connected", async () => {
      const client = await fixture.createPool().connect();
      assert.equal(client.password, undefined);
      assert.equal(fixture.front.tokens.length, 1);
      client.release();
    });
  });

  describe("TLS", () => {
    it("refuses a server whose certificate has another name, without sending a token", async () => {
      const front = await fixture.listen({ certificateName: "other.example" });
      const { port, caPem } = front;
      await assert.rejects(fixture.createPool({ port, ca: caPem }).connect(), (error: AcquireError) => {
        assert.equal(error.reason, "TLS_VERIFICATION");
        assert.equal(errorCode(error.cause), "ERR_TLS_CERT_ALTNAME_INVALID");
        return true;
      });
      assert.equal(front.accepted, 1);
      assert.deepEqual(front.tokens, []);
      assert.deepEqual(
        fixture.log.events().map(({ level, code }) => [level, code]),
        [["error", "CONNECT_FAILED"]],
      );
    });

    it("refuses a server of an unknown authority, without sending a token", async () => {
      const other = await fixture.listen();
      await assert.rejects(
        fixture.createPool({ ca: other.caPem }).connect(),
        /unable to verify|self-signed|unable to get/,
      );
      assert.equal(fixture.front.accepted, 1);
      assert.deepEqual(fixture.front.tokens, []);
      assert.equal(fixture.log.events("error").length, 1);
      assert.equal(fixture.log.events().length, 1);
    });

    it("is not negotiable", async () => {
      const clear = { host: fixture.database.host, port: fixture.database.port, ca: undefined };
      // The PostgreSQL behind the fixture.front offers none.
      await assert.rejects(fixture.createPool(clear).connect(), /does not support SSL/);
    });
  });

  describe("A mint that fails", () => {
    it("is logged once at level error, has the signer's error at its root, and opens no socket", async () => {
      const failure = Object.assign(new Error("Could not load credentials from any providers"), {
        name: "CredentialsProviderError",
      });
      const pool = fixture.createPool({ signer: { getAuthToken: () => Promise.reject(failure) } });
      for (const attempt of [() => pool.connect(), () => pool.query("SELECT 1"), () => pool.connect()]) {
        await assert.rejects(attempt(), (error: AcquireError) => {
          assert.equal(errorCode(error.cause), "MINT_FAILED");
          assert.equal((error.cause as PoolError).cause, failure);
          return true;
        });
      }
      assert.equal(fixture.front.accepted, 0);
      assert.equal(pool.totalCount, 0);
      assert.equal(fixture.log.events().length, 3);
      for (const { time, ...event } of fixture.log.events()) {
        assert.deepEqual(event, {
          level: "error",
          logger: "db-auth",
          code: "CONNECT_FAILED",
          ...IDENTITY,
          attempt: 1,
          reason: "MINT_FAILED",
          errorCode: "MINT_FAILED",
          error: "The signer made no token (CredentialsProviderError): Could not load credentials from any providers",
          msg: "No database connection",
        });
      }
    });

    it("does not stop the pool: the next mint that succeeds connects", async () => {
      let fail = true;
      const token = "token";
      const pool = fixture.createPool({
        signer: { getAuthToken: () => (fail ? Promise.reject(new Error("no")) : Promise.resolve(token)) },
      });
      await assert.rejects(pool.connect(), /no/);
      fail = false;
      assert.deepEqual((await pool.query("SELECT 7 AS n")).rows, [{ n: 7 }]);
      assert.deepEqual(fixture.front.tokens, ["token"]);
    });

    it("by never answering is cut off and retried", async () => {
      let mints = 0;
      const pool = fixture.createPool({
        mintTimeoutMillis: 20,
        clock: fakeClock(),
        signer: { getAuthToken: () => (++mints === 1 ? new Promise(() => {}) : Promise.resolve("token")) },
      });
      await pool.query("SELECT 1");
      assert.equal(mints, 2);
      assert.deepEqual(
        fixture.log.events().map(({ level, code, reason }) => [level, code, reason]),
        [["info", "RETRYING", "MINT_TIMEOUT"]],
      );
    });
  });
});

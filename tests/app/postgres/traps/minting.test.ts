import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Signer } from "@aws-sdk/rds-signer";
import { describe, it } from "mocha";
import pg from "pg";
import { PoolError } from "../../../../app/postgres/index.ts";
import { withCredentialsEndpoint } from "../credentials-endpoint.ts";
import { IDENTITY, poolFixture } from "../pool-fixture.ts";
import { Impostor } from "./impostor.ts";
import { mint, plainPools } from "./plain-pools.ts";

const NO_TOKEN = new Error("no credentials today");
const failingSigner = { getAuthToken: () => Promise.reject(NO_TOKEN) };

describe("Traps in minting", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("A mint that fails", () => {
    it("leaves a socket open for each failure of pg.Pool, which counts none", async () => {
      const pool = plainPool({ password: failingSigner.getAuthToken });
      for (let n = 0; n < 5; n++) await assert.rejects(pool.connect(), NO_TOKEN);
      assert.equal(pool.totalCount, 0);
      assert.deepEqual([fixture.front.accepted, fixture.front.open], [5, 5]);
      await pool.end();
      assert.equal(fixture.front.open, 5);
    });

    it("opens no socket of RdsIamPool", async () => {
      const pool = fixture.createPool({ signer: failingSigner, connectRetryMillis: 0 });
      for (let n = 0; n < 5; n++) {
        await assert.rejects(pool.connect(), (error) => error instanceof PoolError && isOrCausedBy(error, NO_TOKEN));
      }
      assert.equal(pool.totalCount, 0);
      assert.deepEqual([fixture.front.accepted, fixture.front.open], [0, 0]);
    });
  });

  describe("A mint that is slow", () => {
    const slowly = async () => {
      await sleep(400);
      return mint(fixture.front.port);
    };

    /** How long the pool took to give a connection, or none. */
    async function settledAfter(pool: pg.Pool): Promise<number> {
      const since = performance.now();
      await pool.connect().then(
        (client) => client.release(true),
        () => {},
      );
      return performance.now() - since;
    }

    // `connectionTimeoutMillis` destroys a socket, and there is none yet.
    it("outlasts connectionTimeoutMillis where a Client of pg.Pool mints before it connects", async () => {
      class MintingClient extends pg.Client {
        override connect(callback?: unknown): never {
          const connect = (token: string) => {
            this.password = token;
            super.connect(callback as (error: Error) => void);
          };
          return slowly().then(connect) as never;
        }
      }
      const { port, caPem: ca } = fixture.front;
      const target = { ...IDENTITY, port, database: fixture.database.name, ssl: { ca } };
      const pool = new pg.Pool({ ...target, connectionTimeoutMillis: 100, Client: MintingClient });
      assert.ok((await settledAfter(pool)) >= 399);
    });

    it("does not outlast connectionTimeoutMillis of RdsIamPool", async () => {
      const pool = fixture.createPool({ signer: { getAuthToken: slowly }, connectionTimeoutMillis: 100 });
      const took = await settledAfter(pool);
      assert.ok(took >= 99 && took < 390, `It took ${took} ms`);
    });
  });

  describe("A server that trusts everyone", () => {
    async function withTrusting(work: (impostor: Impostor) => Promise<void>): Promise<void> {
      const impostor = await Impostor.listen({ tls: true, asks: false });
      try {
        await work(impostor);
      } finally {
        impostor.close();
      }
    }

    it("hides from pg.Pool that no token can be minted: its password function is never called", async () => {
      await withTrusting(async ({ port, caPem: ca }) => {
        let called = 0;
        const password = () => {
          called += 1;
          return failingSigner.getAuthToken();
        };
        const client = await plainPool({ port, ssl: { ca }, password }).connect();
        assert.equal(called, 0);
        client.release(true);
      });
    });

    it("hides nothing from RdsIamPool, which mints before it knows who is there", async () => {
      await withTrusting(async (impostor) => {
        const { port, caPem: ca } = impostor;
        const pool = fixture.createPool({ port, ca, signer: failingSigner, connectRetryMillis: 0 });
        await assert.rejects(pool.connect(), (error) => isOrCausedBy(error, NO_TOKEN));
        assert.equal(impostor.welcomed, 0);
      });
    });
  });

  describe("The source of the credentials", () => {
    const { host: hostname, user: username, region } = IDENTITY;

    async function connectAndRelease(pool: pg.Pool, times: number): Promise<void> {
      const clients = await Promise.all(Array.from({ length: times }, () => pool.connect()));
      for (const client of clients) client.release();
    }

    it("is asked for each connection where the password function makes a signer", async () => {
      await withCredentialsEndpoint(async (fetches) => {
        const password = () => new Signer({ hostname, port: fixture.front.port, username, region }).getAuthToken();
        await connectAndRelease(plainPool({ password }), 5);
        assert.equal(fetches(), 5);
        assert.equal(fixture.front.tokens.length, 5);
      });
    });

    it("is asked once for all connections of RdsIamPool, which still have a token each", async () => {
      await withCredentialsEndpoint(async (fetches) => {
        await connectAndRelease(fixture.createPool({ signer: undefined }), 5);
        assert.equal(fetches(), 1);
        assert.equal(fixture.front.tokens.length, 5);
      });
    });

    describe("that hands out credentials with ten minutes to live, which a signer takes for too few", () => {
      const LIFE_MS = 10 * 60_000;

      /** So many connections, one after the other, each with a token of its own. */
      async function connectInTurn(pool: pg.Pool, times: number): Promise<void> {
        for (let n = 0; n < times; n++) (await pool.connect()).release(true);
        assert.equal(fixture.front.tokens.length, times);
      }

      it("is asked at every token of pg.Pool, though its one signer has credentials that live", async () => {
        await withCredentialsEndpoint(async (fetches) => {
          const signer = new Signer({ hostname, port: fixture.front.port, username, region });
          await connectInTurn(plainPool({ password: () => signer.getAuthToken() }), 5);
          assert.equal(fetches(), 1 + 5);
        }, LIFE_MS);
      });

      it("is asked by RdsIamPool for newer ones once, and not at every token", async () => {
        await withCredentialsEndpoint(async (fetches) => {
          await connectInTurn(fixture.createPool({ signer: undefined }), 5);
          assert.equal(fetches(), 1 + 1);
        }, LIFE_MS);
      });
    });

    // One test for both: the SDK pauses for three seconds before it gives up.
    it("refuses with a status that pg.Pool does not hear of from the signer, and that RdsIamPool tells without any secret", async () => {
      await withCredentialsEndpoint(async () => {
        process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN = "wrong-authorization";
        const password = () => new Signer({ hostname, port: fixture.front.port, username, region }).getAuthToken();
        const ours = fixture.createPool({ signer: undefined, connectRetryMillis: 0 });
        await Promise.all([
          assert.rejects(plainPool({ password }).connect(), (error) => {
            assert.ok(error instanceof Error && error.name === "CredentialsProviderError");
            assert.doesNotMatch(messages(error), /403/);
            return true;
          }),
          assert.rejects(ours.connect(), (error) => {
            assert.match(messages(error), /status 403/);
            assert.doesNotMatch(messages(error), /wrong-authorization/);
            return true;
          }),
        ]);
        assert.equal(fixture.front.accepted, 1);
      });
    });
  });
});

/** Whether an error, or anything behind it, is that one. */
function isOrCausedBy(error: unknown, cause: Error): boolean {
  return error === cause || (error instanceof Error && isOrCausedBy(error.cause, cause));
}

/** The messages of an error and of all that is behind it. */
function messages(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messages(error.cause)}` : "";
}

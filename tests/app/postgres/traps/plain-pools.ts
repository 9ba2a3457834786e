import { Signer } from "@aws-sdk/rds-signer";
import { afterEach } from "mocha";
import pg from "pg";
import { CREDENTIALS, IDENTITY, type PoolFixture } from "../pool-fixture.ts";

/** A plain `pg.Pool` against the fixture's front, or wherever the options say. */
export type PlainPools = (options?: pg.PoolConfig) => pg.Pool;

/** A token of the real signer. */
export function mint(port: number): Promise<string> {
  const { host: hostname, user: username, region } = IDENTITY;
  return new Signer({ hostname, port, username, region, credentials: CREDENTIALS }).getAuthToken();
}

/**
 * Makes the pool that one writes without ours, from the documentation of node-postgres and of the signer: verified TLS, a token by the
 * `password` function, and listeners for errors, since a process that forgot them would end here.
 */
export function plainPools(fixture: PoolFixture): PlainPools {
  const pools: pg.Pool[] = [];
  afterEach(() => {
    for (const pool of pools.splice(0)) if (!pool.ending) void pool.end();
  });
  return (options = {}) => {
    const { host, user } = IDENTITY;
    const port = options.port ?? fixture.front.port;
    const ssl = { ca: fixture.front.caPem };
    const password = () => mint(port);
    const pool = new pg.Pool({ host, user, database: fixture.database.name, ssl, password, ...options, port });
    pools.push(pool);
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    return pool;
  };
}

/** Whether the promise is still not settled after so many milliseconds. */
export async function hangs(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const pending = Symbol("pending");
  const limit = Promise.withResolvers<typeof pending>();
  const timer = setTimeout(() => limit.resolve(pending), ms);
  const outcome = await Promise.race([promise.catch(() => {}), limit.promise]);
  clearTimeout(timer);
  return outcome === pending;
}

import assert from "node:assert/strict";
import type { EventEmitter } from "node:events";
import { Signer } from "@aws-sdk/rds-signer";
import { after, afterEach, before, describe, it } from "mocha";
import pg from "pg";
import { AcquireError, RdsIamPool } from "../../../../app/postgres/index.ts";
import { createTestDatabase, type TestDatabase } from "../../test-database.ts";
import { TokenFront } from "../../token-front.ts";
import { CREDENTIALS, IDENTITY } from "../pool-fixture.ts";

/** The options that both pools have, under the names that node-postgres gave them. */
export type SharedOptions = Pick<
  pg.PoolConfig,
  | "port"
  | "max"
  | "connectionTimeoutMillis"
  | "maxUses"
  | "maxLifetimeSeconds"
  | "allowExitOnIdle"
  | "application_name"
  | "query_timeout"
  | "onConnect"
  | "verify"
> & { readonly idleTimeoutMillis?: number };

export type Kind = "pg.Pool" | "RdsIamPool";

/** What a behaviour is tried on. */
export interface Trial {
  readonly kind: Kind;
  readonly database: TestDatabase;
  /** A pool of this kind; it and its connections are gone after the trial. */
  open(options?: SharedOptions): pg.Pool;
}

/** A sentence about a pool, and what it takes for it to be true. */
export interface Behaviour {
  readonly pool: string;
  readonly options?: SharedOptions;
  readonly holds: (pool: pg.Pool, trial: Trial) => Promise<void> | void;
}

/**
 * Tries each behaviour on a plain `pg.Pool`, with the password and straight to PostgreSQL, and on `RdsIamPool`, with tokens and over TLS:
 * what holds for the one has to hold for the other.
 */
export function onBothPools(subject: string, behaviours: readonly Behaviour[]): void {
  for (const kind of ["pg.Pool", "RdsIamPool"] as const) {
    describe(`${kind}: ${subject}`, () => {
      const trial = trialOf(kind);
      for (const { pool, options, holds } of behaviours) {
        it(pool, async () => {
          await holds(trial.open(options), trial);
        });
      }
    });
  }
}

/** One database and one front for every trial: only the pools are each trial's own. */
let shared: Promise<{ readonly database: TestDatabase; readonly front: TokenFront }> | undefined;

async function share(): Promise<{ readonly database: TestDatabase; readonly front: TokenFront }> {
  const database = await createTestDatabase();
  const front = await TokenFront.listen(database);
  // With the database: see there.
  after(async () => {
    shared = undefined;
    await front.close();
  });
  return { database, front };
}

function trialOf(kind: Kind): Trial {
  let database: TestDatabase;
  let front: TokenFront;
  const pools: pg.Pool[] = [];
  const clients = new Set<pg.PoolClient>();

  before(async () => {
    shared ??= share();
    ({ database, front } = await shared);
  });
  afterEach(() => {
    for (const client of clients) client.connection.stream.destroy();
    clients.clear();
    for (const pool of pools.splice(0)) if (!pool.ending) pool.end().catch(assert.fail);
  });

  function open(options: SharedOptions = {}): pg.Pool {
    const pool = kind === "pg.Pool" ? plainPool(database, options) : iamPool(database, front, options);
    pools.push(pool);
    pool.on("error", () => {});
    pool.on("connect", (client) => {
      clients.add(client);
      // What `afterEach` cuts off must not end the process.
      client.on("error", () => {});
    });
    pool.on("remove", (client) => clients.delete(client));
    return pool;
  }

  return {
    kind,
    get database() {
      return database;
    },
    open,
  };
}

function plainPool({ host, port, user, password, name }: TestDatabase, options: SharedOptions): pg.Pool {
  return new pg.Pool({ host, port, user, password, database: name, ...options });
}

function iamPool(database: TestDatabase, front: TokenFront, options: SharedOptions): RdsIamPool {
  const { host, user, region } = IDENTITY;
  const port = options.port ?? front.port;
  const signer = new Signer({ hostname: host, port, username: user, region, credentials: CREDENTIALS });
  // Without the retries, which a plain pool does not have.
  const own = { host, user, region, database: database.name, ca: front.caPem, signer, connectRetryMillis: 0 };
  return new RdsIamPool({ ...own, ...options, port });
}

/** What an establishment failed of: `RdsIamPool` wraps it, with every attempt. */
export function reasonOf(error: unknown): unknown {
  return error instanceof AcquireError ? error.cause : error;
}

/** The one row that a statement must answer with. */
export async function row(pool: pg.Pool | pg.PoolClient, text: string, values: unknown[] = []): Promise<unknown> {
  const { rows } = await pool.query(text, values);
  assert.equal(rows.length, 1);
  return rows[0];
}

/** What a callback of node-postgres was called with. */
export function called<T extends unknown[]>(): { readonly with: Promise<T>; readonly back: (...args: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { with: promise, back: (...args) => resolve(args) };
}

/** The arguments of the next event of that name. Unlike `once` of Node, it does not take an `error` event for a failure of its own. */
export function next(emitter: EventEmitter, name: string): Promise<readonly unknown[]> {
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

/** How many processes of the database serve the application of that name. */
export async function backends({ query }: TestDatabase, applicationName: string): Promise<number> {
  return (await query("SELECT FROM pg_stat_activity WHERE application_name = $1", [applicationName])).length;
}

/** The counters that node-postgres documents. */
export function counts({ totalCount, idleCount, waitingCount }: pg.Pool): readonly [number, number, number] {
  return [totalCount, idleCount, waitingCount];
}

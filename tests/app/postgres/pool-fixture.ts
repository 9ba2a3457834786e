import { Signer } from "@aws-sdk/rds-signer";
import { afterEach, before, beforeEach } from "mocha";
import { type Clock, RdsIamPool, type RdsIamPoolOptions } from "../../../app/postgres/index.ts";
import { type CapturedLog, captureLog } from "../captured-log.ts";
import { createTestDatabase, type TestDatabase } from "../test-database.ts";
import { TokenFront, type TokenFrontOptions } from "../token-front.ts";

export const IDENTITY = { host: "localhost", user: "app_master", region: "eu-west-2" };
export const WRONG_PASSWORD = "The password that was provided for the role app_master is wrong.";
export const CREDENTIALS = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "secret-access-key",
  sessionToken: "session-token",
};

/** A clock that only moves when somebody sleeps, or by hand. */
export function fakeClock(): Clock & { advance(ms: number): void; readonly slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
}

/** For each test: a front of its own, a log, and pools that are ended afterwards. */
export interface PoolFixture {
  readonly database: TestDatabase;
  readonly front: TokenFront;
  readonly log: CapturedLog;
  /** A pool with the real signer and static credentials, against the front. */
  createPool(options?: Partial<RdsIamPoolOptions>): RdsIamPool;
  /** Another front, with an authority of its own, closed after the test. */
  listen(options?: TokenFrontOptions): Promise<TokenFront>;
}

/** Registers the hooks in the suite that calls it. */
export function poolFixture(): PoolFixture {
  let database: TestDatabase;
  let front: TokenFront;
  let log: CapturedLog;
  const fronts: TokenFront[] = [];
  const pools: RdsIamPool[] = [];

  async function listen(options?: TokenFrontOptions): Promise<TokenFront> {
    const listening = await TokenFront.listen(database, options);
    fronts.push(listening);
    return listening;
  }

  before(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    front = await listen();
    log = captureLog();
  });
  afterEach(async () => {
    // First the servers: a connection that a failed test still holds would keep its pool from ending.
    await Promise.all(fronts.splice(0).map((listening) => listening.close()));
    for (const pool of pools.splice(0)) if (!pool.ending) void pool.end();
  });

  return {
    get database() {
      return database;
    },
    get front() {
      return front;
    },
    get log() {
      return log;
    },
    listen,
    createPool(options = {}) {
      const { host, user, region } = IDENTITY;
      const { port } = front;
      const pool = new RdsIamPool({
        host,
        port,
        user,
        region,
        database: database.name,
        ca: front.caPem,
        signer: new Signer({ hostname: host, port, username: user, region, credentials: CREDENTIALS }),
        log: log.logger.child({ logger: "db-auth" }),
        ...options,
      });
      pools.push(pool);
      return pool;
    },
  };
}

import type pg from "pg";
import type { Logger } from "pino";
import type { ServiceConfiguration } from "./config.ts";
import { createStaticPool, RdsIamPool } from "./postgres/index.ts";

/** What one use of the pool needs otherwise than the configuration says. */
export interface PoolLimits {
  readonly max?: number;
  /** Both the budget of retries and the overall limit, in seconds. */
  readonly connectSeconds?: number;
  /** How long the server may be silent while a statement runs, in seconds. */
  readonly querySeconds?: number;
}

/** One attempt outlasts the proxy's borrow time-out by this, so that the proxy's own answer is heard. */
const ANSWER_SECONDS = 5;

/**
 * Above the `statement_timeout` of the role, so that it is PostgreSQL that gives up on a slow statement. This limit is for a connection
 * whose other end is gone without a word: no server's time-out reaches through it, and the client would stay lent for many minutes.
 */
const QUERY_SECONDS = 25;

/** The pool that `ENV` chose. Its events go to the logger `db-auth`. */
export function createPool({ database }: ServiceConfiguration, logger: Logger, limits: PoolLimits = {}): pg.Pool {
  const { max = database.poolSize, connectSeconds, querySeconds = QUERY_SECONDS } = limits;
  const { host, port, user, name } = database;
  const connectionTimeoutMillis = (connectSeconds ?? database.acquireSeconds) * 1000;
  const log = logger.child({ logger: "db-auth" });
  const shared = { host, port, user, database: name, max, connectionTimeoutMillis, log };
  if (database.authentication === "password") return createStaticPool({ ...shared, password: database.password });
  const attemptSeconds = Math.max(0, database.acquireSeconds - database.connectRetrySeconds) + ANSWER_SECONDS;
  return new RdsIamPool({
    ...shared,
    region: database.region,
    connectRetryMillis: (connectSeconds ?? database.connectRetrySeconds) * 1000,
    maxLifetimeSeconds: database.lifetimeSeconds,
    attemptTimeoutMillis: Math.min(attemptSeconds * 1000, connectionTimeoutMillis),
    silenceTimeoutMillis: querySeconds * 1000,
  });
}

/** The secrets that the configuration holds: none in production. */
export function secretsOf({ database }: ServiceConfiguration): readonly string[] {
  return database.authentication === "password" ? [database.password] : [];
}

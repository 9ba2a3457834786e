import type pg from "pg";
import type { Logger } from "pino";
import type { ServiceConfiguration } from "./config.ts";
import { createStaticPool, RdsIamPool } from "./postgres/index.ts";

/** What one use of the pool needs otherwise than the configuration says. */
export interface PoolLimits {
  readonly max?: number;
  /** Both the budget of retries and the overall limit, in seconds. */
  readonly connectSeconds?: number;
}

/** The pool that `ENV` chose. Its events go to the logger `db-auth`. */
export function createPool(
  { database }: ServiceConfiguration,
  logger: Logger,
  { max = database.poolSize, connectSeconds }: PoolLimits = {},
): pg.Pool {
  const { host, port, user, name } = database;
  const acquireMs = (connectSeconds ?? database.acquireSeconds) * 1000;
  const shared = { host, port, user, database: name, max, acquireMs, log: logger.child({ logger: "db-auth" }) };
  if (database.authentication === "password") return createStaticPool({ ...shared, password: database.password });
  return new RdsIamPool({
    ...shared,
    region: database.region,
    connectRetryMs: (connectSeconds ?? database.connectRetrySeconds) * 1000,
    lifetimeSeconds: database.lifetimeSeconds,
  });
}

/** The secrets that the configuration holds: none in production. */
export function secretsOf({ database }: ServiceConfiguration): readonly string[] {
  return database.authentication === "password" ? [database.password] : [];
}

import pg from "pg";
import { type EventLog, silentLog } from "./event-log.ts";

/** A database with a password that does not change: a developer's own. */
export interface StaticPoolOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  /** Most physical connections. */
  readonly max: number;
  /** Limit for obtaining a connection, in milliseconds. */
  readonly connectionTimeoutMillis: number;
  readonly log?: EventLog;
}

/** A plain `pg.Pool`: no AWS call, no retry, no lifetime. node-postgres' own variables (`PGSSLMODE`) apply. */
export function createStaticPool({ log = silentLog, ...options }: StaticPoolOptions): pg.Pool {
  const pool = new pg.Pool(options);
  pool.on("error", (error) =>
    log.warn({ code: "CONNECTION_LOST", error: error.message }, "An idle connection was lost"),
  );
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

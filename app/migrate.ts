import { fileURLToPath } from "node:url";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import type pg from "pg";
import type { Logger } from "pino";
import type { ServiceConfiguration } from "./config.ts";
import { createPool } from "./pool.ts";

/** Longest wait of a migration for a lock on a table, in seconds: statements of the service queue behind that wait. */
const TABLE_LOCK_SECONDS = 10;

/** The deadline passed; `doing` says what it interrupted. */
export class MigrationDeadlineError extends Error {
  readonly code = "MIGRATION_DEADLINE";

  constructor(seconds: number, doing: string) {
    super(
      `The migrations were not finished within ${seconds} s (MIGRATION_DEADLINE_SECONDS): it passed while ${doing}`,
    );
    this.name = "MigrationDeadlineError";
  }
}

/** The migrations, not yet run. */
export interface Migration {
  /** Names of the migrations that were run; empty when there was nothing to do. */
  run(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/**
 * Runs the SQL files beside this module, each in a transaction of its own, one process at a time. In production, establishing the
 * connection is retried for as long as the deadline allows: AWS does not say when a proxy's target and a fresh grant are ready, and this
 * is what finds out.
 */
export function createMigration(configuration: ServiceConfiguration, logger: Logger): Migration {
  const seconds = configuration.migrationDeadlineSeconds;
  const pool = createPool(configuration, logger, { max: 1, connectSeconds: seconds, querySeconds: seconds });
  let doing = "connecting to the database";

  async function migrate(signal: AbortSignal): Promise<readonly string[]> {
    const client = await pool.connect();
    let lent = true;
    // Never lent again: its settings are the migration's own, and ending it frees the lock and whatever it waits for.
    const end = () => {
      if (lent) client.release(true);
      lent = false;
    };
    signal.addEventListener("abort", end, { once: true });
    try {
      signal.throwIfAborted();
      doing = "waiting for another process that migrates";
      await takeLock(client, seconds);
      doing = "running migrations";
      const done = await runner({
        dbClient: client,
        dir: fileURLToPath(new URL("./migrations", import.meta.url)),
        direction: "up",
        migrationsTable: "migrations",
        advisoryLockMode: "wait",
        singleTransaction: false,
        log: (message: string) => logger.info({ migration: true }, message),
      });
      return done.map(({ name }) => name);
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  return {
    async run() {
      const late = Promise.withResolvers<never>();
      const deadline = new AbortController();
      const timer = setTimeout(() => {
        late.reject(new MigrationDeadlineError(seconds, doing));
        deadline.abort();
      }, seconds * 1000);
      try {
        return await Promise.race([migrate(deadline.signal), late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    async stop() {
      if (!pool.ending) await pool.end();
    },
  };
}

/**
 * Sets the session's time-outs and waits for the lock that node-pg-migrate itself takes afterwards, which a session may hold twice:
 * waiting for another process may last until the deadline, waiting for a table's lock may not, and PostgreSQL has one `lock_timeout` for
 * both. The settings and the lock pin the connection to one of the proxy's database connections; a migration wants just that.
 */
async function takeLock(client: pg.PoolClient, deadlineSeconds: number): Promise<void> {
  await client.query(`SET statement_timeout = '${deadlineSeconds}s'; SET lock_timeout = '${deadlineSeconds}s'`);
  await client.query(`SELECT pg_advisory_lock(${PG_MIGRATE_LOCK_ID})`);
  await client.query(`SET lock_timeout = '${TABLE_LOCK_SECONDS}s'`);
}

import pg from "pg";
import type { Postgres } from "../postgres.ts";
import type { Surroundings } from "./surroundings.ts";

/** Limit of the connection that ends others, and of the wait for each of them. Milliseconds. */
const LIMIT_MS = 5_000;

/** Codes of a database that is away, and so has no backends: refused, shutting down, starting up. */
const AWAY: ReadonlySet<string> = new Set(["ECONNREFUSED", "57P01", "57P03"]);

/** Asked of those that still run: PostgreSQL complains of the others. */
const RUNNING = "from pg_stat_activity where pid = any($1) and pid <> pg_backend_pid()";

/** What faults do to a real PostgreSQL. */
export function faultyDatabase(postgres: Postgres): Surroundings["database"] {
  return {
    restart: (options) => postgres.restart(options),
    async terminate(processIds) {
      if (processIds.length === 0) return;
      const { host, port, superuser } = postgres;
      const limits = { connectionTimeoutMillis: LIMIT_MS, query_timeout: 2 * LIMIT_MS };
      const client = new pg.Client({ host, port, ...superuser, database: "postgres", ...limits });
      client.on("error", () => {});
      try {
        await client.connect();
        // All are told first, then waited for.
        await client.query(`select pg_terminate_backend(pid) ${RUNNING}`, [processIds]);
        await client.query(`select pg_terminate_backend(pid, ${LIMIT_MS}) ${RUNNING}`, [processIds]);
      } catch (error) {
        if (!AWAY.has(String((error as { code?: unknown }).code))) throw error;
      } finally {
        await client.end();
      }
    },
  };
}

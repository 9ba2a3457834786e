import pg from "pg";
import type { Postgres } from "../postgres.ts";
import type { Surroundings } from "./surroundings.ts";

/** Limit of the connection that ends others, and of each of its statements. Milliseconds. */
const LIMIT_MS = 5_000;

/** What faults do to a real PostgreSQL. */
export function faultyDatabase(postgres: Postgres): Surroundings["database"] {
  return {
    restart: (options) => postgres.restart(options),
    async terminate(processIds) {
      if (processIds.length === 0) return;
      const { user, password } = postgres.superuser;
      const { host, port } = postgres;
      const limits = { connectionTimeoutMillis: LIMIT_MS, query_timeout: 2 * LIMIT_MS };
      const client = new pg.Client({ host, port, user, password, database: "postgres", ...limits });
      client.on("error", () => {});
      await client.connect();
      try {
        // Asked of those that still run: ids of the others would only be complained of. All are told first, then waited for.
        const running = "from pg_stat_activity where pid = any($1) and pid <> pg_backend_pid()";
        await client.query(`select pg_terminate_backend(pid) ${running}`, [processIds]);
        await client.query(`select pg_terminate_backend(pid, ${LIMIT_MS}) ${running}`, [processIds]);
      } finally {
        await client.end();
      }
    },
  };
}

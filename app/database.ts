import pg from "pg";
import { Problem } from "./problems.ts";

/** SQLSTATE of a statement that met a time-out of the role: `query_canceled`, `lock_not_available`. */
const TIMED_OUT: ReadonlySet<string | undefined> = new Set(["57014", "55P03"]);

/** Runs `work` on one connection. Nothing is retried here: a statement may have been carried out although its answer was lost. */
export async function withConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error) => {
    throw new Problem(503, "DATABASE_UNAVAILABLE", "The database cannot be reached at the moment", { cause: error });
  });
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    // An ordinary error of a statement leaves the connection whole; any other leaves it in doubt.
    client.release(isDoubtful(error));
    throw translate(error);
  }
}

/** Runs `work` in a transaction on one connection, rolled back when it throws. */
export function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withConnection(pool, async (client) => {
    await client.query("BEGIN");
    const result = await work(client).catch(async (error) => {
      if (!isDoubtful(error)) await client.query("ROLLBACK");
      throw error;
    });
    await commit(client);
    return result;
  });
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query("COMMIT").catch((error) => {
    if (!isDoubtful(error)) throw error;
    throw new OutcomeUnknown("The connection was lost while the change was committed; it may have taken effect", error);
  });
  // PostgreSQL answers a COMMIT of a failed transaction with ROLLBACK, and no error.
  if (command !== "COMMIT") throw new Error(`COMMIT was answered with ${command}`);
}

class OutcomeUnknown extends Problem {
  constructor(message: string, cause: unknown) {
    super(503, "OUTCOME_UNKNOWN", message, { cause });
  }
}

function isDoubtful(error: unknown): boolean {
  if (error instanceof OutcomeUnknown) return true;
  if (error instanceof Problem) return false;
  return !(error instanceof pg.DatabaseError) || error.severity !== "ERROR";
}

function translate(error: unknown): unknown {
  if (error instanceof Problem) return error;
  if (error instanceof pg.DatabaseError && TIMED_OUT.has(error.code)) {
    return new Problem(503, "DATABASE_BUSY", "The database took too long; nothing was changed", { cause: error });
  }
  if (error instanceof pg.DatabaseError && error.severity === "ERROR") return error;
  return isLost(error)
    ? new OutcomeUnknown("The connection was lost while a statement ran; it may have taken effect", error)
    : error;
}

/** A connection that ended: a FATAL of the server (57P01, for instance), an error of the socket, or silence past the pool's limit. */
function isLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return true;
  return (
    error instanceof Error &&
    ("syscall" in error || /^(Connection terminated|Client has|Query read timeout)/.test(error.message))
  );
}

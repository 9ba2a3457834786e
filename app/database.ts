import pg from "pg";
import { CommitOutcomeUnknownError, isConnectionLost, type TransactionClient, transaction } from "./postgres/index.ts";
import { Problem } from "./problems.ts";

/** SQLSTATE of a statement that met a time-out of the role: `query_canceled`, `lock_not_available`. */
const TIMED_OUT: ReadonlySet<string | undefined> = new Set(["57014", "55P03"]);

/** Runs `work` on one connection. Nothing is retried here: a statement may have been carried out although its answer was lost. */
export async function withConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(isConnectionLost(error));
    throw translate(error);
  }
}

/** Runs `work` in a transaction on one connection, rolled back when it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: TransactionClient) => Promise<T>): Promise<T> {
  try {
    return await transaction({ connect: () => connect(pool) }, work);
  } catch (error) {
    throw translate(error);
  }
}

function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  return pool.connect().catch((error) => {
    throw new Problem(503, "DATABASE_UNAVAILABLE", "The database cannot be reached at the moment", { cause: error });
  });
}

function translate(error: unknown): unknown {
  if (error instanceof pg.DatabaseError && TIMED_OUT.has(error.code)) {
    return new Problem(503, "DATABASE_BUSY", "The database took too long; nothing was changed", { cause: error });
  }
  if (error instanceof CommitOutcomeUnknownError) {
    return outcomeUnknown("The connection was lost while the change was committed; it may have taken effect", error);
  }
  return isConnectionLost(error)
    ? outcomeUnknown("The connection was lost while a statement ran; it may have taken effect", error)
    : error;
}

function outcomeUnknown(message: string, cause: unknown): Problem {
  return new Problem(503, "OUTCOME_UNKNOWN", message, { cause });
}

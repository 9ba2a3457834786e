import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { CommitOutcomeUnknownError, PoolError, TransactionRolledBackError } from "./errors.ts";
import { settle } from "./settle.ts";

/** "SET TRANSACTION", PostgreSQL documentation; `read uncommitted` is `read committed` in PostgreSQL, so it is not offered. */
export type Isolation = "read committed" | "repeatable read" | "serializable";

export interface TransactionOptions {
  /** The database's own default when left out. */
  readonly isolation?: Isolation;
  /** Whether the transaction may not write; false by default. */
  readonly readOnly?: boolean;
  /** Whether a serializable read-only transaction waits for a snapshot that cannot fail; false by default. */
  readonly deferrable?: boolean;
  /**
   * How many times `work` is run again, from the start and in a transaction of its own, when PostgreSQL could not serialise it or broke
   * a deadlock (SQLSTATE 40001, 40P01); 0 by default, at most 10. `work` must then do nothing outside the database that must not be done twice.
   */
  readonly serializationRetries?: number;
}

/** The connection of a transaction; it is released for you. */
export type TransactionClient = Omit<pg.PoolClient, "release">;

/** What lends connections: any `pg.Pool`. */
export interface Lender {
  connect(): Promise<pg.PoolClient>;
}

const ISOLATIONS: readonly string[] = ["read committed", "repeatable read", "serializable"] satisfies Isolation[];
const MAX_RETRIES = 10;
/** `serialization_failure` and `deadlock_detected` ("Serialization Failure Handling", PostgreSQL documentation). */
const NOT_SERIALISED: ReadonlySet<string | undefined> = new Set(["40001", "40P01"]);
/** Longest pause before the first repetition, in milliseconds; it doubles. */
const FIRST_PAUSE_MS = 20;

/**
 * Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. Statements are never repeated by themselves, and
 * the whole only as `serializationRetries` allows.
 *
 * @throws whatever `work` throws, once the transaction is rolled back
 * @throws CommitOutcomeUnknownError when the connection is lost between COMMIT and its answer
 * @throws TransactionRolledBackError when COMMIT is answered with ROLLBACK
 * @throws PoolError `POOL_CONFIGURATION` for options that cannot be, and whatever `connect()` rejects with
 */
export async function transaction<T>(
  pool: Lender,
  work: (client: TransactionClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const begin = beginStatement(options);
  const { serializationRetries = 0 } = options;
  for (let repetition = 0; ; repetition++) {
    try {
      return await runOnce(pool, work, begin);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || !NOT_SERIALISED.has(error.code)) throw error;
      if (repetition >= serializationRetries) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** repetition * Math.random());
    }
  }
}

async function runOnce<T>(pool: Lender, work: (client: TransactionClient) => Promise<T>, begin: string): Promise<T> {
  const client = await pool.connect();
  /** Whether the connection must not be used again. */
  let spoilt = false;
  try {
    await client.query(begin).catch((error: unknown) => {
      spoilt = true;
      throw error;
    });
    // Called within a promise, since it may also throw at once.
    const result = await Promise.resolve()
      .then(() => work(client))
      .catch(async (error: unknown) => {
        spoilt = !(await rolledBack(client));
        throw error;
      });
    await commit(client).catch((error: unknown) => {
      spoilt = error instanceof CommitOutcomeUnknownError;
      throw error;
    });
    return result;
  } finally {
    client.release(spoilt);
  }
}

/** Whether the transaction has ended; if not, discarding its connection ends it. */
async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("ROLLBACK");
    return true;
  } catch {
    return false;
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query("COMMIT").catch(async (error: unknown) => {
    // PostgreSQL says that it did not commit, as for a deferred constraint, and is still there afterwards: that is known to have failed. Its
    // severity would not do to tell, since it is translated.
    if (error instanceof pg.DatabaseError && (await settle(client)) === "idle") throw error;
    throw new CommitOutcomeUnknownError(error);
  });
  if (command !== "COMMIT") throw new TransactionRolledBackError(command);
}

function beginStatement({ isolation, readOnly, deferrable, serializationRetries }: TransactionOptions): string {
  const mistakes = [
    isolation !== undefined &&
      !ISOLATIONS.includes(isolation) &&
      `'isolation' is ${JSON.stringify(isolation)}: one of ${ISOLATIONS.join(", ")} is needed`,
    serializationRetries !== undefined &&
      !(Number.isInteger(serializationRetries) && serializationRetries >= 0 && serializationRetries <= MAX_RETRIES) &&
      `'serializationRetries' is ${String(serializationRetries)}: a whole number from 0 to ${MAX_RETRIES} is needed`,
    deferrable &&
      !(readOnly && isolation === "serializable") &&
      "'deferrable' needs 'readOnly' and isolation 'serializable'",
  ].filter((mistake) => typeof mistake === "string");
  if (mistakes.length > 0) {
    throw new PoolError("POOL_CONFIGURATION", `The transaction was not begun: ${mistakes.join("; ")}`);
  }
  return [
    "BEGIN",
    isolation && `ISOLATION LEVEL ${isolation.toUpperCase()}`,
    readOnly && "READ ONLY",
    deferrable && "DEFERRABLE",
  ]
    .filter(Boolean)
    .join(" ");
}

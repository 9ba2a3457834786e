import type pg from "pg";
import type { Contender } from "../contenders.ts";

export const UPDATE = "UPDATE accounts SET balance = balance + 1 WHERE id = $1";
/** Refused by the database; see `REFUSED_SQLSTATE`. */
export const REFUSED = "SELECT 1 / 0";
const SELECT = "SELECT id, name, balance FROM accounts WHERE id = $1";

/** What every `pg.Pool` does alike. */
export function statements(pool: pg.Pool): Pick<Contender, "select" | "failingSelect" | "lend"> {
  return {
    select: (id) => pool.query(SELECT, [id]),
    failingSelect: () => pool.query(REFUSED),
    lend: async () => {
      const client = await pool.connect();
      return { query: (text) => client.query(text), release: () => client.release() };
    },
  };
}

/** The transaction of "Transactions", node-postgres' documentation. */
export function documentedTransaction(pool: pg.Pool): Contender["transaction"] {
  return async (id, fails) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await (fails ? client.query(REFUSED) : client.query(UPDATE, [id]));
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };
}

/** A lost connection ends a process in which nobody listens; every user of node-postgres has to add this. */
export function surviveLosses(pool: pg.Pool): void {
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
}

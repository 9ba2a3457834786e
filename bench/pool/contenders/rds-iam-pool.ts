import type pg from "pg";
import { RdsIamPool } from "../../../app/postgres/index.ts";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { signerOf } from "./signer.ts";
import { documentedTransaction, REFUSED, statements, UPDATE } from "./statements.ts";

/** With its defaults. It needs no listener of its own for connections that are lost. */
export function rdsIamPool(target: Target, max: number): Contender {
  const signer = signerOf(target);
  const pool = new RdsIamPool({ ...target, max, signer });
  return {
    ...statements(pool),
    transaction: hasTransaction(pool)
      ? (id, fails) => pool.transaction((client) => (fails ? client.query(REFUSED) : client.query(UPDATE, [id])))
      : documentedTransaction(pool),
    mint: () => signer.getAuthToken(),
  };
}

type Transactional = pg.Pool & {
  transaction(work: (client: Pick<pg.PoolClient, "query">) => Promise<unknown>): Promise<unknown>;
};

function hasTransaction(pool: pg.Pool): pool is Transactional {
  return "transaction" in pool && typeof pool.transaction === "function";
}

import { RdsIamPool } from "../../../app/postgres/index.ts";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { signerOf } from "./signer.ts";
import { REFUSED, statements, UPDATE } from "./statements.ts";

/** With its defaults. It needs no listener of its own for connections that are lost. */
export function rdsIamPool(target: Target, max: number): Contender {
  const signer = signerOf(target);
  const pool = new RdsIamPool({ ...target, max, signer });
  return {
    ...statements(pool),
    transaction: (id, fails) =>
      pool.transaction((client) => (fails ? client.query(REFUSED) : client.query(UPDATE, [id]))),
    mint: () => signer.getAuthToken(),
  };
}

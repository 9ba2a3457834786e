import { Signer } from "@aws-sdk/rds-signer";
import { defaultCredentials } from "../../../app/postgres/credentials.ts";
import { RdsIamPool } from "../../../app/postgres/index.ts";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { REFUSED, statements, UPDATE } from "./statements.ts";

/** With its defaults. It needs no listener of its own for connections that are lost. */
export function rdsIamPool(target: Target, max: number): Contender {
  const { host, port, user, region } = target;
  const pool = new RdsIamPool({ ...target, max });
  // The pool shows its own signer to nobody: this one is made as that one is.
  const signer = new Signer({ hostname: host, port, username: user, region, credentials: defaultCredentials() });
  return {
    ...statements(pool),
    transaction: (id, fails) =>
      pool.transaction((client) => (fails ? client.query(REFUSED) : client.query(UPDATE, [id]))),
    mint: () => signer.getAuthToken(),
  };
}

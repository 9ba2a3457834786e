import { AuroraDSQLPool } from "@aws/aurora-dsql-node-postgres-connector";
import pg from "pg";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { signerOf } from "./signer.ts";
import { REFUSED, statements, surviveLosses, UPDATE } from "./statements.ts";

/**
 * The connector's pool and its transactions as they are, its signing at every check-out included. Its tokens are for another service,
 * which RDS Proxy refuses, so that the physical connections, and they alone, sign as plain `pg.Pool` does.
 */
export function dsqlConnector(target: Target, max: number): Contender {
  const { host, port, user, database, region } = target;
  const signer = signerOf(target);
  class RdsClient extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, password: () => signer.getAuthToken() });
    }
  }
  const config = { host, port, user, database, region, max };
  const pool = new AuroraDSQLPool({ ...config, Client: RdsClient });
  surviveLosses(pool);
  const unconnected = new AuroraDSQLPool({ ...config, Client: Unconnected });
  return {
    ...statements(pool),
    transaction: (id, fails) =>
      pool.transaction((client) => (fails ? client.query(REFUSED) : client.query(UPDATE, [id]))),
    // It exports no signing of its own: what is left of a check-out without a connection.
    mint: async () => (await unconnected.connect()).release(),
  };
}

/** A client that never opens a socket: a pool of these lends as soon as it has signed. */
class Unconnected extends pg.Client {
  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | undefined {
    if (callback === undefined) return Promise.resolve(this);
    (callback as (error: null, client: pg.Client) => void)(null, this);
  }

  /** Node keeps a listener for each call on a socket that has not connected. */
  ref(): void {}
  unref(): void {}
}

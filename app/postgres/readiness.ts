import type pg from "pg";

/** What is kept on a client beyond the types of node-postgres. */
export interface PooledClient extends pg.PoolClient {
  /** When it was last given back, by the pool's clock; undefined before its first loan. */
  idleSince?: number;
}

/** What node-postgres keeps of the server's last ReadyForQuery; its types do not tell. */
interface Readiness {
  /** False from the moment that a statement is sent until ReadyForQuery, and not only until its error arrives. */
  readonly readyForQuery?: boolean;
}

/** Whether the server has answered everything that was sent ("ReadyForQuery", PostgreSQL message formats). */
export function isReady(client: pg.ClientBase): boolean {
  return (client as Readiness).readyForQuery === true;
}

/** Whether, beyond that, no transaction is open. */
export function isIdle(client: pg.ClientBase): boolean {
  return isReady(client) && client.getTransactionStatus() === "I";
}

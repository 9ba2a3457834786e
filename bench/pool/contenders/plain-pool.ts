import pg from "pg";
import type { Contender } from "../contenders.ts";
import type { Target } from "../messages.ts";
import { signerOf } from "./signer.ts";
import { documentedTransaction, statements, surviveLosses } from "./statements.ts";

/** The recipe of "Connecting to a database through RDS Proxy" for node-postgres: a signer in the `password` function, TLS verified. */
export function plainPool(target: Target, max: number): Contender {
  const { host, port, user, database } = target;
  const signer = signerOf(target);
  const ssl = { rejectUnauthorized: true };
  const pool = new pg.Pool({ host, port, user, database, max, ssl, password: () => signer.getAuthToken() });
  surviveLosses(pool);
  return { ...statements(pool), transaction: documentedTransaction(pool), mint: () => signer.getAuthToken() };
}

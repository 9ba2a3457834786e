import type pg from "pg";
import { asError } from "./errors.ts";
import type { Lending } from "./lending.ts";

/** Told once what became of a statement. */
export type StatementDone = (error: Error | undefined, result?: unknown) => void;

/** Whatever `query` of node-postgres takes. */
type Query = (statement: unknown, values: unknown, done: (error: Error | null, result: unknown) => void) => unknown;

/**
 * Runs one statement on a connection that is obtained for it. `pg.Pool` discards the connection of a statement that failed; here it goes back,
 * and whoever takes it back sees to it that the server is done and no transaction is open.
 */
export function runStatement(lending: Lending, statement: unknown, values: unknown, done: StatementDone): void {
  if (typeof statement === "function") {
    // The words of pg.Pool.
    const refusal = new Error("Passing a function as the first parameter to pool.query is not supported");
    setImmediate(() => (statement as StatementDone)(refusal));
    return;
  }
  lending.obtain((error, client) => {
    if (client) send(client, statement, values, done);
    else done(error);
  });
}

function send(client: pg.PoolClient, statement: unknown, values: unknown, done: StatementDone): void {
  const query = client.query as Query;
  try {
    query.call(client, statement, values, (error, result) => {
      client.release();
      if (error) done(error);
      else done(undefined, result);
    });
  } catch (error) {
    client.release();
    done(asError(error));
  }
}

import type pg from "pg";
import { isIdle, isReady } from "./readiness.ts";

/** How long a connection that comes back may take to become idle, a ROLLBACK included, in milliseconds. */
export const SETTLE_MS = 2_000;

/** `lost`: it has ended. `busy`: still at work when the limit passed. Neither may be lent again. */
export type Settlement = "idle" | "rolled back" | "lost" | "busy";

/**
 * Makes a connection fit to be lent again. node-postgres settles a statement at its ErrorResponse, before ReadyForQuery tells whether a
 * transaction is open, so that is waited for; and a transaction that was left open is rolled back. Never rejects.
 */
export async function settle(client: pg.PoolClient): Promise<Settlement> {
  const limit = Promise.withResolvers<"busy">();
  const timer = setTimeout(() => limit.resolve("busy"), SETTLE_MS);
  try {
    return await Promise.race([finish(client), limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function finish(client: pg.PoolClient): Promise<Settlement> {
  if (!(await hasAnswered(client))) return "lost";
  if (isIdle(client)) return "idle";
  try {
    await client.query("ROLLBACK");
  } catch {
    return "lost";
  }
  return isIdle(client) ? "rolled back" : "busy";
}

/** True once the server has answered all that was sent; false when the connection has ended. */
function hasAnswered(client: pg.PoolClient): Promise<boolean> {
  return new Promise((resolve) => {
    const settled = (answered: boolean) => {
      client.off("drain", drained).off("end", ended);
      resolve(answered);
    };
    const drained = () => settled(true);
    const ended = () => settled(false);
    client.on("drain", drained).on("end", ended);
    if (isGone(client)) ended();
    else if (isReady(client)) drained();
  });
}

/** Whether its socket is closed, which node-postgres may not have told yet. */
export function isGone(client: pg.PoolClient): boolean {
  return client.connection.stream.destroyed;
}

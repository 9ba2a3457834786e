import { setImmediate as turn } from "node:timers/promises";
import type pg from "pg";
import { asError, PoolError } from "./errors.ts";
import { isIdle } from "./readiness.ts";
import { isGone, settle } from "./settle.ts";

/** A living connection answers `SELECT 1` in milliseconds. */
const IDLE_CHECK_MS = 2_000;

/**
 * Lets Node read what has come to the socket of a connection that was idle: its end may be there, unread, and a statement that is sent all the
 * same could not be repeated. Sends nothing. Returns why the connection cannot be lent; never rejects.
 */
export async function glance(client: pg.PoolClient): Promise<Error | undefined> {
  // Sockets are read between two turns of the event loop, and this one may be past that.
  await turn();
  await turn();
  return isGone(client) ? new Error("The server had closed it") : undefined;
}

/** Makes a connection that was idle fit to be lent. Returns why it cannot be lent instead; never rejects. */
export async function revive(client: pg.PoolClient): Promise<Error | undefined> {
  const settlement = isIdle(client) ? "idle" : await settle(client);
  return settlement === "lost" || settlement === "busy" ? new Error(`It was ${settlement}`) : findDeath(client);
}

/**
 * Why an idle connection cannot be lent, or undefined when it answers. AWS advises against probing, save after long idleness ("RDS Proxy
 * concepts and terminology", Amazon RDS User Guide), and the sockets that die unnoticed are those that nothing used for a while.
 */
async function findDeath(client: pg.PoolClient): Promise<Error | undefined> {
  const limit = Promise.withResolvers<Error>();
  const timer = setTimeout(() => {
    limit.resolve(new PoolError("CONNECT_TIMEOUT", `No answer within ${IDLE_CHECK_MS} ms`));
  }, IDLE_CHECK_MS);
  const probe = client.query("SELECT 1").then(() => undefined, asError);
  try {
    return await Promise.race([probe, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

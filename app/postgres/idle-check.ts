import type pg from "pg";
import { asError } from "./errors.ts";

/** A living connection answers `SELECT 1` in milliseconds. */
const IDLE_CHECK_MS = 2_000;

/**
 * Why an idle connection cannot be lent, or undefined when it answers. AWS advises against probing, save after long idleness ("RDS Proxy
 * concepts and terminology", Amazon RDS User Guide), and the sockets that die unnoticed are those that nothing used for a while.
 */
export async function findDeath(client: pg.PoolClient): Promise<Error | undefined> {
  const limit = Promise.withResolvers<Error>();
  const timer = setTimeout(() => limit.resolve(new Error(`No answer within ${IDLE_CHECK_MS} ms`)), IDLE_CHECK_MS);
  const probe = client.query("SELECT 1").then(() => undefined, asError);
  try {
    return await Promise.race([probe, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

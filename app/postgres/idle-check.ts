import type pg from "pg";

/**
 * A connection that idled for longer is asked whether it still lives before it is lent: AWS advises against probing, save after long
 * idleness ("RDS Proxy concepts and terminology"), and the sockets that die unnoticed are those that nothing used for a while.
 */
export const IDLE_CHECK_AFTER_MS = 30_000;
/** A living connection answers `SELECT 1` in milliseconds. */
const IDLE_CHECK_MS = 2_000;

/** Why an idle connection cannot be lent, or undefined when it answers. */
export async function findDeath(client: pg.PoolClient): Promise<Error | undefined> {
  const limit = Promise.withResolvers<Error>();
  const timer = setTimeout(() => limit.resolve(new Error(`No answer within ${IDLE_CHECK_MS} ms`)), IDLE_CHECK_MS);
  const probe = client.query("SELECT 1").then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  try {
    return await Promise.race([probe, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

import pg from "pg";
import { PoolError } from "./errors.ts";

/**
 * SQLSTATEs with which PostgreSQL ends a connection: broken, shut down or killed, and time-outs of a transaction ("PostgreSQL Error Codes",
 * appendix A). Its severity would not do to tell, since it is translated.
 */
const ENDING = /^(?:08|57P0|25P03|25P04)/;
/** node-postgres gives these no code. */
const TEXTS =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/;

/**
 * Whether the error of a statement says that its connection was lost, or given up for silence, or with the end of the pool: outside a
 * transaction the statement's outcome is then unknown; within one nothing was committed.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return ENDING.test(error.code ?? "");
  if (error instanceof PoolError) return error.code === "QUERY_TIMEOUT" || error.code === "POOL_ENDED";
  return error instanceof Error && ("syscall" in error || TEXTS.test(error.message));
}

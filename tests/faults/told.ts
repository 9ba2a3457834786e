import { AcquireError, errorCode, PoolError } from "../../app/postgres/index.ts";

/**
 * What a caller may believe: `done`, `not sent` (the statement never left), `rolled back` (the transaction did nothing), or `unknown`.
 */
export type Belief = "done" | "not sent" | "rolled back" | "unknown";

/** What a caller was told, in the words of the table, and what it may conclude. */
export interface Told {
  readonly text: string;
  readonly belief: Belief;
}

/** What a lost connection looks like depends on which side of the kernel noticed first; to a caller it is the same. */
const LOST_CODES: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);
const LOST_TEXTS = /^Connection terminated|^Client has encountered a connection error/;
const ADMIN_SHUTDOWN = "57P01";

/** @param inTransaction whether the caller asked for a whole transaction */
export function toldByError(error: unknown, inTransaction: boolean): Told {
  const code = errorCode(error);
  if (error instanceof AcquireError) return { text: `\`${code}\` (${error.reason})`, belief: "not sent" };
  const isUnknown = !inTransaction || code === "COMMIT_OUTCOME_UNKNOWN";
  const belief = isUnknown ? "unknown" : "rolled back";
  if (error instanceof PoolError) return { text: `\`${code}\``, belief };
  const message = error instanceof Error ? error.message : String(error);
  if (LOST_CODES.has(code) || LOST_TEXTS.test(message)) return { text: "connection lost", belief };
  return { text: code === ADMIN_SHUTDOWN ? `\`${code}\`` : `\`${code}\`: ${message}`, belief };
}

/**
 * - `POOL_CONFIGURATION`: the pool was given something that it refuses.
 * - `MINT_TIMEOUT`: no token within the limit of a mint.
 * - `CONNECT_TIMEOUT`: the server was not reached, or did not answer, within the limits of one attempt.
 * - `ACQUIRE_TIMEOUT`: no connection within the overall limit, waiting in the queue included.
 * - `POOL_ENDED`: the pool was ended while a connection was being obtained.
 */
export type PoolErrorCode =
  | "POOL_CONFIGURATION"
  | "MINT_TIMEOUT"
  | "CONNECT_TIMEOUT"
  | "ACQUIRE_TIMEOUT"
  | "POOL_ENDED";

/** An error of the pool itself; errors of the server, the socket and the signer are passed on as they are. */
export class PoolError extends Error {
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PoolError";
    this.code = code;
  }
}

/** The stable code of any error: SQLSTATE, Node's or our own `code`, else the error's name. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code;
  return error.name;
}

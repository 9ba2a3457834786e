/** What can keep the local PostgreSQL from running. */
export type PostgresErrorCode =
  | "UNSUPPORTED_PLATFORM"
  | "BINARIES_MISSING"
  | "BINARIES_BROKEN"
  | "VERSION_MISMATCH"
  | "INVALID_OPTION"
  | "INITDB_FAILED"
  | "START_FAILED"
  | "RESTART_FAILED"
  | "SETUP_FAILED"
  | "SET_PASSWORD_FAILED";

/** Says what of PostgreSQL failed, with the server's own last lines where it had a word to say. */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  readonly code: PostgresErrorCode;

  constructor(code: PostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

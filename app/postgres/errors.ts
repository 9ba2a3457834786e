/**
 * - `POOL_CONFIGURATION`: the pool was given something that it refuses.
 * - `NO_CREDENTIALS`: nothing gave AWS credentials, or their source knows none for this task.
 * - `CREDENTIALS_EXPIRED`: the credentials had expired, by this machine's clock.
 * - `CREDENTIALS_THROTTLED`: the source of the credentials asked for fewer requests.
 * - `CREDENTIALS_UNAVAILABLE`: the source of the credentials did not answer, or failed.
 * - `MINT_FAILED`: the signer failed, and nothing tells why beyond its own error, which is the `cause`.
 * - `MINT_TIMEOUT`: no token within the limit of a mint.
 * - `CONNECT_TIMEOUT`: the server was not reached, or did not answer, within the limits of one attempt, or an idle connection gave no answer.
 * - `CONNECT_FAILED`: no connection, since an error cannot pass by itself or the budget for retries is spent.
 * - `ACQUIRE_TIMEOUT`: no connection within the overall limit, waiting in the queue included.
 * - `CONNECTION_BUSY`: a connection that came back was still at work and did not become idle.
 * - `QUERY_TIMEOUT`: the server was silent for too long while a statement ran; the connection was closed.
 * - `COMMIT_OUTCOME_UNKNOWN`: the connection was lost while a transaction was committed.
 * - `TRANSACTION_ROLLED_BACK`: `COMMIT` was answered with `ROLLBACK`.
 * - `POOL_ENDED`: the pool was ended.
 */
export type PoolErrorCode =
  | "POOL_CONFIGURATION"
  | "NO_CREDENTIALS"
  | "CREDENTIALS_EXPIRED"
  | "CREDENTIALS_THROTTLED"
  | "CREDENTIALS_UNAVAILABLE"
  | "MINT_FAILED"
  | "MINT_TIMEOUT"
  | "CONNECT_TIMEOUT"
  | "CONNECT_FAILED"
  | "ACQUIRE_TIMEOUT"
  | "CONNECTION_BUSY"
  | "QUERY_TIMEOUT"
  | "COMMIT_OUTCOME_UNKNOWN"
  | "TRANSACTION_ROLLED_BACK"
  | "POOL_ENDED";

/** An error of the pool itself. What PostgreSQL says of a statement is passed on as it is. */
export class PoolError extends Error {
  override readonly name: string = "PoolError";
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** One failed attempt to establish a connection. */
export interface Attempt {
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  /** Its name in the table of errors of establishment, such as `ROTATION_WINDOW`. */
  readonly reason: string;
  /** SQLSTATE, or the code of Node or of the pool. */
  readonly errorCode: string;
  /** The error's text, without any part of a token. */
  readonly error: string;
}

/** What is known when no connection could be had. */
export interface AcquireFailure {
  readonly host: string;
  /** Every attempt that the pool made and lost while the caller waited, oldest first; empty when it only queued. */
  readonly attempts: readonly Attempt[];
  /** The reason of the last of them. */
  readonly reason: string | undefined;
  /** What can be behind that reason, each with what to do: more than one where one text has several causes. */
  readonly causes: readonly string[];
}

/** `CONNECT_FAILED` or `ACQUIRE_TIMEOUT`; the error of the last attempt is the `cause`. */
export class AcquireError extends PoolError implements AcquireFailure {
  override readonly name = "AcquireError";
  readonly host: string;
  readonly attempts: readonly Attempt[];
  readonly reason: string | undefined;
  readonly causes: readonly string[];

  constructor(
    code: "CONNECT_FAILED" | "ACQUIRE_TIMEOUT",
    message: string,
    failure: AcquireFailure,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.host = failure.host;
    this.attempts = failure.attempts;
    this.reason = failure.reason;
    this.causes = failure.causes;
  }
}

/**
 * The connection was lost between `COMMIT` and its answer: the transaction may have taken effect or not. Never retry it blindly; look whether
 * it did, or make it safe to repeat. The error of the connection is the `cause`.
 */
export class CommitOutcomeUnknownError extends PoolError {
  override readonly name = "CommitOutcomeUnknownError";

  constructor(cause: unknown) {
    super(
      "COMMIT_OUTCOME_UNKNOWN",
      "The connection was lost while the transaction was committed: it may have taken effect or not",
      { cause },
    );
  }
}

/** PostgreSQL answered `COMMIT` with `ROLLBACK`, which it does without an error when a statement of the transaction had failed. */
export class TransactionRolledBackError extends PoolError {
  override readonly name = "TransactionRolledBackError";

  constructor(command: string) {
    super(
      "TRANSACTION_ROLLED_BACK",
      `COMMIT was answered with ${command}: a statement of the transaction had failed, and nothing was changed`,
    );
  }
}

/** The stable code of any error: SQLSTATE, Node's or our own `code`, else the error's name. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string" && error.code !== "") return error.code;
  return error.name;
}

/** Whatever was thrown, as an error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

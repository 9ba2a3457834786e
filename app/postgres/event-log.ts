import { errorCode } from "./errors.ts";
import { scrub } from "./scrub.ts";

/**
 * Where the pool reports: a pino logger fits, named `db-auth` by the service.
 *
 * | level | `code` | when |
 * |---|---|---|
 * | info | `RETRYING` | an attempt to establish a connection failed and is repeated |
 * | warn | `CONNECTION_LOST` | an idle connection was lost |
 * | warn | `TRANSACTION_LEFT_OPEN` | a connection came back in a transaction, which was rolled back |
 * | warn | `CONNECTION_BUSY` | a connection came back at work, and was discarded |
 * | error | `CONNECT_FAILED` | a caller got no connection: the last error cannot pass by itself, or the budget is spent |
 * | error | `ACQUIRE_TIMEOUT` | a caller got no connection within its overall limit |
 */
export interface EventLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: EventLog = { info() {}, warn() {}, error() {} };

/** As whom, and where, the pool connects: part of every event. */
export interface Identity {
  readonly host: string;
  readonly user: string;
  readonly region: string;
}

/** Reports events with the pool's identity, and nothing of a token. */
export class Reporter {
  readonly #log: EventLog;
  readonly #identity: Identity;

  constructor(log: EventLog, { host, user, region }: Identity) {
    this.#log = log;
    this.#identity = { host, user, region };
  }

  report(level: keyof EventLog, code: string, error: unknown, message: string, more: object = {}): void {
    const detail = scrub(error instanceof Error ? error.message : String(error));
    try {
      this.#log[level]({ code, ...this.#identity, ...more, errorCode: errorCode(error), error: detail }, message);
    } catch {
      // A logger that fails must not cost a connection, or a caller its answer.
    }
  }
}

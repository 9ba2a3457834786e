/**
 * Where the pool reports: a pino logger fits, named `db-auth` by the service. A retried attempt is one event at level info with code
 * `RETRYING`; an idle connection that was lost is one at level warn with code `CONNECTION_LOST`; giving up is one at level error with the
 * error's code.
 */
export interface EventLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: EventLog = { info() {}, warn() {}, error() {} };

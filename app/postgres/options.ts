import type { Clock } from "./clock.ts";
import { PoolError } from "./errors.ts";
import type { EventLog } from "./event-log.ts";

/** Mints IAM tokens: a `Signer` of `@aws-sdk/rds-signer`, or something that stands for it. */
export interface TokenSigner {
  getAuthToken(): Promise<string>;
}

/** What the pool connects to, as whom, and its limits. Discrete fields only: a connection string would replace the TLS settings. */
export interface RdsIamPoolOptions {
  /** The proxy's own endpoint: dialled, signed for, and verified in TLS. */
  readonly host: string;
  /** 5432 by default. */
  readonly port?: number;
  /** The database user; its letter case must match the database's. */
  readonly user: string;
  readonly database: string;
  readonly region: string;
  /** Most physical connections; 10 by default. */
  readonly max?: number;
  /** Budget for retrying the establishment of a connection, in milliseconds, from its first failure; 60,000 by default. */
  readonly connectRetryMs?: number;
  /** Overall limit for obtaining a connection, queue and retries included, in milliseconds; 90,000 by default. */
  readonly acquireMs?: number;
  /** Longest life of a physical connection, in seconds; each lives for 60 to 100 % of it; 1,500 by default. */
  readonly lifetimeSeconds?: number;
  /** Limit of one mint, in milliseconds; 10,000 by default. */
  readonly mintMs?: number;
  /** Limit from the first packet to the end of the TLS handshake, in milliseconds; 5,000 by default. */
  readonly reachMs?: number;
  /** Limit of one attempt after the mint, in milliseconds; 35,000 by default: above a borrow time-out of 30 s. */
  readonly attemptMs?: number;
  /**
   * Limit of the answer to a statement, in milliseconds; none by default. It ends the wait, not the statement: whoever lent the connection
   * must discard it. RDS Proxy ignores requests to cancel.
   */
  readonly queryMs?: number;
  /** Certificate authorities (PEM) instead of Node's own: RDS Proxy needs none. Verification itself cannot be switched off. */
  readonly ca?: string;
  readonly applicationName?: string;
  /** The default signs with the AWS SDK's credential provider chain. One signer serves the whole pool. */
  readonly signer?: TokenSigner;
  readonly log?: EventLog;
  readonly clock?: Clock;
  /** Source of jitter: numbers in [0, 1). */
  readonly random?: () => number;
}

/** node-postgres would obey these, and each breaks the promise of a verified connection without a password. */
const REFUSED: Readonly<Record<string, string>> = {
  password: "the pool authenticates with IAM tokens only",
  connectionString: "give host, port, user and database as fields of their own",
  ssl: "TLS is always on and verified; a private certificate authority goes into 'ca'",
  options: "RDS Proxy does not accept it; use ALTER ROLE … SET in a migration",
};

const POSITIVE = [
  "max",
  "connectRetryMs",
  "acquireMs",
  "lifetimeSeconds",
  "mintMs",
  "reachMs",
  "attemptMs",
  "queryMs",
] as const;

/** Throws one `POOL_CONFIGURATION` error that names every mistake; no value of a refused option is printed. */
export function checkOptions(options: RdsIamPoolOptions): void {
  const mistakes: string[] = [];
  for (const [name, why] of Object.entries(REFUSED)) {
    if (name in options) mistakes.push(`'${name}' is refused: ${why}`);
  }
  for (const name of ["host", "user", "database", "region"] as const) {
    if (typeof options[name] !== "string" || options[name] === "") mistakes.push(`'${name}' is missing`);
  }
  for (const name of POSITIVE) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      mistakes.push(`'${name}' is ${String(value)}: it must be a number above 0`);
    }
  }
  if (mistakes.length > 0)
    throw new PoolError("POOL_CONFIGURATION", `The pool was not created: ${mistakes.join("; ")}`);
}

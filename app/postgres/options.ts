import type pg from "pg";
import type { Clock } from "./clock.ts";
import type { EventLog } from "./event-log.ts";
import type { TokenSigner } from "./token.ts";

/**
 * What the pool connects to, as whom, and its limits. What node-postgres has an option for keeps that option's name and meaning; discrete
 * fields only, since a connection string would replace the TLS settings. Times that end in `Millis` are milliseconds.
 */
export interface RdsIamPoolOptions {
  /** The proxy's own endpoint: dialled, signed for, and verified in TLS. */
  readonly host: string;
  /** 5432 by default, the only one that RDS Proxy has. 1 to 65,535. */
  readonly port?: number;
  /** The database user; its letter case must match the database's. */
  readonly user: string;
  /** Name of the database on the instance behind the proxy. */
  readonly database: string;
  /** AWS region of the proxy, such as `eu-west-2`. */
  readonly region: string;

  /** Most physical connections; 10 by default. 1 to 10,000. */
  readonly max?: number;
  /** Most establishments at once; 5 by default, or `max` where that is less. After a failure it is one, until one succeeds. */
  readonly maxEstablishing?: number;
  /** Uses after which a physical connection is replaced; without limit by default. */
  readonly maxUses?: number;
  /** Longest life of a physical connection, in seconds; each lives for 60 to 100 % of it. 1,500 by default, at most 86,400: the proxy ends it then. */
  readonly maxLifetimeSeconds?: number;
  /** Idleness after which a connection is closed; 300,000 by default. Keep it under the proxy's idle client time-out (1,800 s unless set). */
  readonly idleTimeoutMillis?: number;
  /** Idleness after which a connection is asked whether it lives before it is lent; 30,000 by default. */
  readonly idleCheckMillis?: number;
  /** Whether idle connections let the process end; false by default. */
  readonly allowExitOnIdle?: boolean;

  /** Overall limit for obtaining a connection: queue, mints, attempts and pauses together; 90,000 by default. */
  readonly connectionTimeoutMillis?: number;
  /** Budget for retrying the establishment of a connection, from the first failure that a caller saw; 60,000 by default, 0 for no retry. */
  readonly connectRetryMillis?: number;
  /** Limit of one mint; 10,000 by default. */
  readonly mintTimeoutMillis?: number;
  /** Limit from the first packet to the end of the TLS handshake; 5,000 by default. */
  readonly reachTimeoutMillis?: number;
  /** Limit of one attempt after the mint; 35,000 by default: above a borrow time-out of 30 s, whose own error says more. */
  readonly attemptTimeoutMillis?: number;
  /**
   * How long the server may be silent while a statement runs; 300,000 by default. Then the connection is closed and its statements fail with
   * `QUERY_TIMEOUT`: it is for a server that is gone without a word. RDS Proxy ignores requests to cancel; to end a slow statement, give
   * the role a `statement_timeout`.
   */
  readonly silenceTimeoutMillis?: number;
  /** Limit of one statement, as in node-postgres: it ends the wait, not the statement. None by default. */
  readonly query_timeout?: number;
  /** How long `end()` waits for work that runs before it closes its connections; 10,000 by default. */
  readonly endTimeoutMillis?: number;

  /** Certificate authorities (PEM) instead of Node's own: RDS Proxy needs none. Verification itself cannot be switched off. */
  readonly ca?: string;
  /** Shown in `pg_stat_activity`. */
  readonly application_name?: string;
  /** Parsers of result columns, as in node-postgres. */
  readonly types?: pg.CustomTypesConfig;
  /** Awaited on each new connection before it is lent; when it fails, so does the attempt. */
  readonly onConnect?: (client: pg.ClientBase) => void | Promise<void>;
  /** Asked about each new connection before it is lent, as in node-postgres. */
  readonly verify?: (client: pg.PoolClient, done: (error?: Error) => void) => void;

  /** The default signs with the AWS SDK's credential provider chain. One signer serves the whole pool. */
  readonly signer?: TokenSigner;
  /** Where the pool reports what an operator should read; nowhere by default. */
  readonly log?: EventLog;
  /** The pool's name in metrics; `<user>@<host>/<database>` by default. */
  readonly name?: string;
  /** Time for retries, idleness and measurements; the system's by default. */
  readonly clock?: Clock;
  /** Source of jitter: numbers in [0, 1). */
  readonly random?: () => number;
}

/** The same with every limit known. */
export interface Limits {
  readonly port: number;
  readonly max: number;
  readonly maxEstablishing: number;
  readonly maxLifetimeSeconds: number;
  readonly idleTimeoutMillis: number;
  readonly idleCheckMillis: number;
  readonly connectionTimeoutMillis: number;
  readonly connectRetryMillis: number;
  readonly mintTimeoutMillis: number;
  readonly reachTimeoutMillis: number;
  readonly attemptTimeoutMillis: number;
  readonly silenceTimeoutMillis: number;
  readonly endTimeoutMillis: number;
}

const DEFAULTS: Omit<Limits, "maxEstablishing"> = {
  port: 5_432,
  max: 10,
  maxLifetimeSeconds: 1_500,
  idleTimeoutMillis: 300_000,
  idleCheckMillis: 30_000,
  connectionTimeoutMillis: 90_000,
  connectRetryMillis: 60_000,
  mintTimeoutMillis: 10_000,
  reachTimeoutMillis: 5_000,
  attemptTimeoutMillis: 35_000,
  silenceTimeoutMillis: 300_000,
  endTimeoutMillis: 10_000,
};
/** With a handshake of some 25 ms, five at once are as many new connections a second as AWS advises for a whole proxy. */
const MAX_ESTABLISHING = 5;

/** Fills in the defaults. An option that is present but undefined has its default. */
export function limitsOf(options: RdsIamPoolOptions): Limits {
  const given = Object.entries(DEFAULTS).map(([name, value]) => [
    name,
    options[name as keyof typeof DEFAULTS] ?? value,
  ]);
  const limits = Object.fromEntries(given) as typeof DEFAULTS;
  return { ...limits, maxEstablishing: options.maxEstablishing ?? Math.min(MAX_ESTABLISHING, limits.max) };
}

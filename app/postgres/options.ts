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
  /** Port of the proxy; 5432 by default. RDS Proxy has no other. 1 to 65535. */
  readonly port?: number;
  /** The database user; its letter case must match the database's. */
  readonly user: string;
  /** Name of the database on the instance behind the proxy. */
  readonly database: string;
  /** AWS region of the proxy, such as `eu-west-2`. */
  readonly region: string;

  /** Most physical connections; 10 by default. 1 to 10,000. */
  readonly max?: number;
  /** Most establishments at once, and never more than `max`; 5 by default. After a failure it is one at a time, until one succeeds. */
  readonly maxEstablishing?: number;
  /** Uses after which a physical connection is replaced; no limit by default. */
  readonly maxUses?: number;
  /** Longest life of a physical connection, in seconds; 1,500 by default. Each lives for 60 to 100 % of it. The proxy ends any after 86,400. */
  readonly maxLifetimeSeconds?: number;
  /** Idleness after which a connection is closed; 300,000 by default. Keep it below the proxy's idle client time-out, 1,800 s unless set. */
  readonly idleTimeoutMillis?: number;
  /** Idleness after which a connection is asked whether it lives before it is lent; 30,000 by default. */
  readonly idleCheckMillis?: number;
  /** Whether the process may end while connections are idle; false by default. */
  readonly allowExitOnIdle?: boolean;

  /** Overall limit for obtaining a connection: queue, mints, attempts and pauses together; 90,000 by default. */
  readonly connectionTimeoutMillis?: number;
  /** Budget for retrying the establishment of a connection, from the first failure while a caller waits; 60,000 by default. With 0 nothing is retried. */
  readonly connectRetryMillis?: number;
  /** Limit of one mint; 10,000 by default. */
  readonly mintTimeoutMillis?: number;
  /** Limit from the first packet to the end of the TLS handshake; 5,000 by default. */
  readonly reachTimeoutMillis?: number;
  /**
   * Limit of one attempt after the mint; 35,000 by default. Keep it above the proxy's borrow time-out, whose own error says more: the default
   * fits one of 30 s, and a proxy has 120 s unless set.
   */
  readonly attemptTimeoutMillis?: number;
  /**
   * How long the server may be silent while a statement runs; 300,000 by default. Then the connection is closed, and its statements fail with
   * `QUERY_TIMEOUT`. It is for a server that is gone without a word, and no concern of idle connections. To end a slow statement give the role
   * a `statement_timeout`: RDS Proxy ignores requests to cancel.
   */
  readonly silenceTimeoutMillis?: number;
  /** Limit of one statement; none by default. As in node-postgres it ends the wait, not the statement. */
  readonly query_timeout?: number;
  /** How long `end()` waits for work that runs before it closes its connections; 10,000 by default. */
  readonly endTimeoutMillis?: number;

  /** Certificate authorities in PEM; Node's own by default. RDS Proxy needs no others. Verification itself cannot be switched off. */
  readonly ca?: string;
  /** Name of the session in `pg_stat_activity`; none by default. */
  readonly application_name?: string;
  /** Parsers of result columns; node-postgres' own by default. */
  readonly types?: pg.CustomTypesConfig;
  /** Awaited on each new connection before it is lent; none by default. When it fails, so does the attempt. */
  readonly onConnect?: (client: pg.ClientBase) => void | Promise<void>;
  /** Asked about each new connection before it is lent, as in node-postgres; none by default. */
  readonly verify?: (client: pg.PoolClient, done: (error?: Error) => void) => void;

  /** Makes the tokens of the whole pool; one on the AWS SDK's credential provider chain by default. */
  readonly signer?: TokenSigner;
  /** Logger that is told what an operator should read; none by default. */
  readonly log?: EventLog;
  /** The pool's name in metrics; `<user>@<host>/<database>` by default. */
  readonly name?: string;
  /** Time for retries, idleness and measurements; the system's by default. */
  readonly clock?: Clock;
  /** Source of jitter, numbers in [0, 1); `Math.random` by default. */
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

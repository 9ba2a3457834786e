import { setTimeout as delay } from "node:timers/promises";
import type { DeclaredProxy } from "../declared.ts";
import type { Authority } from "./authority.ts";
import { type DatabaseAddress, type DatabaseConnection, DatabaseLoginFailed, logIn } from "./database-login.ts";
import { DatabaseRefusal, ProxyRefusal } from "./errors.ts";
import type { MetricsRecorder } from "./metrics.ts";
import { Slots } from "./slots.ts";
import { onClosed } from "./sockets.ts";

/** Pause between two attempts to reach a database that does not answer. */
const RETRY_MS = 200;
/** Pause between two looks at a target that is not available. */
const PROBE_MS = 1_000;
/** Limit of one login. */
const LOGIN_MS = 10_000;
/** What is left to a login when the borrow time-out has all but passed, or is declared as 0. */
const LAST_LOGIN_MS = 1_000;
/** Database that must exist for a proxy to work ("Limitations for RDS Proxy with RDS for PostgreSQL", Amazon RDS User Guide). */
const PROBED_DATABASE = "postgres";

/** SQLSTATEs of a wrong password, and of any other authentication that failed. */
const INVALID_PASSWORD = "28P01";
const INVALID_AUTHORIZATION = "28000";
/**
 * SQLSTATEs after which the same login may succeed a moment later: shutting down, crashed, starting up, and no
 * connection left in the database because others than the proxy hold them.
 */
const PASSING_STATES: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "53300"]);

/** Health of the target, in the words of DescribeDBProxyTargets ("TargetHealth", Amazon RDS API Reference). */
export interface TargetHealth {
  readonly state: "REGISTERING" | "AVAILABLE" | "UNAVAILABLE";
  readonly reason?: "UNREACHABLE" | "CONNECTION_FAILED" | "AUTH_FAILURE" | "PENDING_PROXY_CAPACITY";
}

/** Who wants a database connection, and with what startup parameters. */
export interface Borrower {
  readonly user: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What a target is made of. */
export interface TargetOptions {
  readonly declared: DeclaredProxy;
  readonly authority: Authority;
  readonly database: DatabaseAddress;
  readonly metrics: MetricsRecorder;
  /** Database connections that the proxy may hold at once. */
  readonly capacity: number;
}

/** The database behind the proxy: its health, and the connections that the proxy may have to it. */
export class Target {
  readonly #options: TargetOptions;
  readonly #slots: Slots;
  readonly #closed = new AbortController();
  #health: TargetHealth = { state: "REGISTERING", reason: "PENDING_PROXY_CAPACITY" };
  #probing: Promise<void> | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#slots = new Slots(options.capacity);
    this.#probe();
  }

  /** Health as last seen; the security groups are asked anew. */
  health(): TargetHealth {
    return this.#options.authority.proxyMayReachDatabase()
      ? this.#health
      : { state: "UNAVAILABLE", reason: "UNREACHABLE" };
  }

  /**
   * A connection of its own for the borrower, once there is room and the database answers, within the declared borrow
   * time-out. The place it takes is free again when its socket has closed.
   *
   * @throws ProxyRefusal BORROW_TIMED_OUT, NO_CREDENTIALS, WRONG_PASSWORD
   * @throws DatabaseRefusal when PostgreSQL refuses for any other reason
   * @throws the signal's reason
   */
  async borrow(borrower: Borrower, signal: AbortSignal): Promise<DatabaseConnection> {
    const { metrics, capacity } = this.#options;
    const limitMs = this.#options.declared.borrowTimeoutSeconds * 1000;
    const asked = performance.now();
    const release = await this.#slots.take(limitMs, signal);
    if (!release) throw this.#timedOut(`all ${capacity} database connections that the proxy may open are in use`);
    try {
      const connection = await this.#connectBefore(asked + limitMs, borrower, signal);
      metrics.borrowed(performance.now() - asked);
      this.#track(connection, release);
      return connection;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Stops looking after the target. Connections that were borrowed belong to their borrowers. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#probing;
  }

  /** Tries until the deadline of `performance.now()`; what cannot pass by itself is thrown at once. */
  async #connectBefore(deadline: number, borrower: Borrower, signal: AbortSignal): Promise<DatabaseConnection> {
    for (;;) {
      signal.throwIfAborted();
      const connection = await this.#attempt(borrower, deadline - performance.now(), signal);
      if (connection) return connection;
      const left = deadline - performance.now();
      if (left <= 0) {
        const { state, reason } = this.health();
        throw this.#timedOut(`the target is ${state} (${reason ?? "no reason given"})`);
      }
      await delay(Math.min(RETRY_MS, left), undefined, { signal }).catch(() => {});
    }
  }

  /** One attempt: undefined when the database is out of reach for now. */
  async #attempt(borrower: Borrower, leftMs: number, signal: AbortSignal): Promise<DatabaseConnection | undefined> {
    const { authority, database, declared, metrics } = this.#options;
    if (!authority.proxyMayReachDatabase()) return undefined;
    const login = await authority.databaseLogin();
    if (login?.username !== borrower.user) throw noCredentials(borrower.user, login?.username, declared);
    metrics.count("DatabaseConnectionRequests");
    if (database.tls) metrics.count("DatabaseConnectionRequestsWithTLS");
    const timeoutMs = Math.min(LOGIN_MS, Math.max(leftMs, LAST_LOGIN_MS));
    try {
      const connection = await logIn(database, login, borrower.parameters, timeoutMs, signal);
      metrics.count("DatabaseConnectionsSetupSucceeded");
      this.#health = { state: "AVAILABLE" };
      return connection;
    } catch (error) {
      signal.throwIfAborted();
      metrics.count("DatabaseConnectionsSetupFailed");
      if (!(error instanceof DatabaseLoginFailed)) throw error;
      this.#observe(error);
      if (!error.refusal || PASSING_STATES.has(error.refusal.sqlState)) return undefined;
      throw this.#refusal(error, login.versionId, borrower);
    }
  }

  #refusal(error: DatabaseLoginFailed, versionId: string, { user }: Borrower): Error {
    if (!error.refusal) return error;
    if (error.refusal.sqlState !== INVALID_PASSWORD) return new DatabaseRefusal(error.refusal, { cause: error });
    return new ProxyRefusal(
      "WRONG_PASSWORD",
      user,
      `The database did not take the password in version ${versionId} of ${this.#options.declared.secretArn}. While a rotation runs this passes.`,
      { cause: error },
    );
  }

  #timedOut(why: string): ProxyRefusal {
    const { name, borrowTimeoutSeconds } = this.#options.declared;
    return new ProxyRefusal(
      "BORROW_TIMED_OUT",
      "",
      `No database connection within the ${borrowTimeoutSeconds} s that ${name} declares as its borrow time-out: ${why}.`,
    );
  }

  /** Notes what a failed login says about the target, and looks again until it is well. */
  #observe({ refusal }: DatabaseLoginFailed): void {
    if (!refusal || PASSING_STATES.has(refusal.sqlState)) {
      this.#health = { state: "UNAVAILABLE", reason: "CONNECTION_FAILED" };
    } else if (refusal.sqlState === INVALID_PASSWORD || refusal.sqlState === INVALID_AUTHORIZATION) {
      this.#health = { state: "UNAVAILABLE", reason: "AUTH_FAILURE" };
    } else return;
    this.#probe();
  }

  #track({ socket, tls }: DatabaseConnection, release: () => void): void {
    const lower = this.#options.metrics.hold(
      "DatabaseConnections",
      "DatabaseConnectionsCurrentlyBorrowed",
      ...(tls ? (["DatabaseConnectionsWithTLS"] as const) : []),
    );
    socket.on("error", () => {});
    onClosed(socket, () => {
      lower();
      release();
    });
  }

  /** Looks at the target, now and again, until it is available. One look at a time. */
  #probe(): void {
    if (this.#probing || this.#closed.signal.aborted) return;
    this.#probing = this.#probeUntilAvailable()
      .catch(() => {})
      .finally(() => {
        this.#probing = undefined;
      });
  }

  async #probeUntilAvailable(): Promise<void> {
    const { signal } = this.#closed;
    for (;;) {
      this.#health = await this.#look(signal);
      if (this.#health.state === "AVAILABLE") return;
      await delay(PROBE_MS, undefined, { signal });
    }
  }

  async #look(signal: AbortSignal): Promise<TargetHealth> {
    const { authority, database } = this.#options;
    if (!authority.proxyMayReachDatabase()) return { state: "UNAVAILABLE", reason: "UNREACHABLE" };
    try {
      const login = await authority.databaseLogin();
      if (!login) return { state: "UNAVAILABLE", reason: "AUTH_FAILURE" };
      const { socket } = await logIn(database, login, new Map([["database", PROBED_DATABASE]]), LOGIN_MS, signal);
      socket.on("error", () => {}).destroy();
      return { state: "AVAILABLE" };
    } catch (error) {
      const state = error instanceof DatabaseLoginFailed ? error.refusal?.sqlState : undefined;
      const denied = state === INVALID_PASSWORD || state === INVALID_AUTHORIZATION;
      return { state: "UNAVAILABLE", reason: denied ? "AUTH_FAILURE" : "CONNECTION_FAILED" };
    }
  }
}

/** The refusal for a user that the proxy's secret does not name, or a secret that the proxy's role may not read. */
export function noCredentials(user: string, known: string | undefined, declared: DeclaredProxy): ProxyRefusal {
  const why =
    known === undefined
      ? `The proxy's role ${declared.roleArn} may not read ${declared.secretArn}, or nothing is in it.`
      : `The secret ${declared.secretArn} holds the credentials of ${JSON.stringify(known)}, and the client named ${JSON.stringify(user.slice(0, 100))}.`;
  return new ProxyRefusal("NO_CREDENTIALS", user, why);
}

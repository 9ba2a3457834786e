import { setTimeout as delay } from "node:timers/promises";
import type { DeclaredProxy } from "../declared.ts";
import type { Authority } from "./authority.ts";
import { credentialsFor } from "./credentials.ts";
import { type DatabaseAddress, type DatabaseConnection, DatabaseLoginFailed } from "./database-login.ts";
import { DatabaseRoute } from "./database-route.ts";
import { DatabaseRefusal, ProxyRefusal } from "./errors.ts";
import type { MetricsRecorder } from "./metrics.ts";
import { Slots } from "./slots.ts";
import { onClosed } from "./sockets.ts";
import { HealthMonitor, INVALID_PASSWORD, mayPass, type TargetHealth } from "./target-health.ts";

/** Pause between two attempts to reach a database that does not answer. */
const RETRY_MS = 200;
/** Limit of one login. */
const LOGIN_MS = 10_000;
/** What is left to a login when the borrow time-out has all but passed, or is declared as 0. */
const LAST_LOGIN_MS = 1_000;

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
  readonly #monitor: HealthMonitor;
  readonly #route: DatabaseRoute;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#slots = new Slots(options.capacity);
    this.#route = new DatabaseRoute(options.database);
    this.#monitor = new HealthMonitor(options.authority, this.#route);
  }

  health(): TargetHealth {
    return this.#monitor.health();
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

  /** Stops looking after the target and cuts every connection to it, borrowed or not. */
  async close(): Promise<void> {
    this.#route.drop();
    await this.#monitor.close();
  }

  /** Breaks every connection to the database, lent or being made. */
  drop(): void {
    this.#route.drop();
  }

  /**
   * Breaks every connection and lets none be made until `mend` is called.
   *
   * @returns process ids of the backends behind the connections
   */
  cut(): number[] {
    return this.#route.cut();
  }

  /** Lets connections be made again, and settles once the target has been looked at. */
  async mend(): Promise<void> {
    this.#route.mend();
    await this.#monitor.lookNow();
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
    const { authority, declared, metrics } = this.#options;
    if (!authority.proxyMayReachDatabase()) return undefined;
    // Asked anew, though authentication has just asked: the wait for a place may have outlasted a rotation.
    const login = await credentialsFor(borrower.user, declared, authority);
    metrics.count("DatabaseConnectionRequests");
    if (this.#route.usesTls) metrics.count("DatabaseConnectionRequestsWithTLS");
    const timeoutMs = Math.min(LOGIN_MS, Math.max(leftMs, LAST_LOGIN_MS));
    const look = this.#monitor.beginLook();
    try {
      const connection = await this.#route.logIn(login, borrower.parameters, timeoutMs, signal);
      metrics.count("DatabaseConnectionsSetupSucceeded");
      this.#monitor.succeeded(look);
      return connection;
    } catch (error) {
      metrics.count("DatabaseConnectionsSetupFailed");
      signal.throwIfAborted();
      if (!(error instanceof DatabaseLoginFailed)) throw error;
      this.#monitor.failed(look, error);
      if (mayPass(error)) return undefined;
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

  #track({ socket, tls }: DatabaseConnection, release: () => void): void {
    const lower = this.#options.metrics.hold(
      "DatabaseConnections",
      "DatabaseConnectionsCurrentlyBorrowed",
      ...(tls ? (["DatabaseConnectionsWithTLS"] as const) : []),
    );
    onClosed(socket, () => {
      lower();
      release();
    });
  }
}

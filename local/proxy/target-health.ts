import { setTimeout as delay } from "node:timers/promises";
import type { Authority } from "./authority.ts";
import { DatabaseLoginFailed } from "./database-login.ts";
import type { DatabaseRoute } from "./database-route.ts";

/** Pause between two looks at a target that is not available. */
const PROBE_MS = 1_000;
/** Limit of one look. */
const LOOK_MS = 10_000;
/** Database that must exist for a proxy to work ("Limitations for RDS Proxy with RDS for PostgreSQL", Amazon RDS User Guide). */
const PROBED_DATABASE = "postgres";

/** SQLSTATE of a wrong password. */
export const INVALID_PASSWORD = "28P01";
/** SQLSTATEs of any authentication that failed. */
const DENIALS: ReadonlySet<string> = new Set([INVALID_PASSWORD, "28000"]);
/**
 * SQLSTATEs after which the same login may succeed a moment later: shutting down, crashed, starting up, and no
 * connection left in the database because others than the proxy hold them.
 */
const PASSING: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "53300"]);

/** Health of the target, in the words of DescribeDBProxyTargets ("TargetHealth", Amazon RDS API Reference). */
export interface TargetHealth {
  readonly state: "REGISTERING" | "AVAILABLE" | "UNAVAILABLE";
  readonly reason?: "UNREACHABLE" | "CONNECTION_FAILED" | "AUTH_FAILURE" | "PENDING_PROXY_CAPACITY";
}

/** Whether a login that failed so may succeed when it is tried again. */
export const mayPass = ({ refusal }: DatabaseLoginFailed): boolean => !refusal || PASSING.has(refusal.sqlState);

const unavailable = (sqlState: string | undefined): TargetHealth => ({
  state: "UNAVAILABLE",
  reason: sqlState && DENIALS.has(sqlState) ? "AUTH_FAILURE" : "CONNECTION_FAILED",
});

/**
 * Keeps the target's health: from what borrowing brings to light, and from looks of its own, a login each, from the start
 * until the target is available and again whenever it is not. Its own logins are in no metric.
 */
export class HealthMonitor {
  readonly #authority: Authority;
  readonly #route: DatabaseRoute;
  readonly #closed = new AbortController();
  #health: TargetHealth = { state: "REGISTERING", reason: "PENDING_PROXY_CAPACITY" };
  /** Looks begun so far, and the number of the look behind `#health`: an old look that ends late tells nothing. */
  #looks = 0;
  #lookShown = 0;
  #watching: Promise<void> | undefined;

  constructor(authority: Authority, route: DatabaseRoute) {
    this.#authority = authority;
    this.#route = route;
    this.#watch();
  }

  /** Health as last seen; the security groups and the route are asked anew. */
  health(): TargetHealth {
    if (!this.#authority.proxyMayReachDatabase()) return { state: "UNAVAILABLE", reason: "UNREACHABLE" };
    return this.#route.isCut ? unavailable(undefined) : this.#health;
  }

  /** Looks now, whatever was seen before, and settles when that is done. */
  async lookNow(): Promise<void> {
    const look = this.beginLook();
    this.#show(look, await this.#look());
    if (this.#health.state !== "AVAILABLE") this.#watch();
  }

  /** Announces a login, before it is tried. Its outcome is to be told to `succeeded` or `failed` with this number. */
  beginLook(): number {
    this.#looks += 1;
    return this.#looks;
  }

  succeeded(look: number): void {
    this.#show(look, { state: "AVAILABLE" });
  }

  failed(look: number, error: DatabaseLoginFailed): void {
    const sqlState = error.refusal?.sqlState;
    // A refusal that is about the session, such as a database that does not exist, says nothing against the target.
    if (sqlState && !mayPass(error) && !DENIALS.has(sqlState)) return;
    this.#show(look, unavailable(sqlState));
    this.#watch();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#watching;
  }

  #show(look: number, health: TargetHealth): void {
    if (look < this.#lookShown) return;
    this.#lookShown = look;
    this.#health = health;
  }

  /** Looks, now and again, until the target is available. One look at a time. */
  #watch(): void {
    if (this.#watching || this.#closed.signal.aborted) return;
    this.#watching = this.#lookUntilAvailable()
      .catch(() => {})
      .finally(() => {
        this.#watching = undefined;
      });
  }

  async #lookUntilAvailable(): Promise<void> {
    for (;;) {
      const look = this.beginLook();
      this.#show(look, await this.#look());
      if (this.#health.state === "AVAILABLE") return;
      await delay(PROBE_MS, undefined, { signal: this.#closed.signal });
    }
  }

  async #look(): Promise<TargetHealth> {
    try {
      if (!this.#authority.proxyMayReachDatabase()) return { state: "UNAVAILABLE", reason: "UNREACHABLE" };
      const login = await this.#authority.databaseLogin();
      if (!login) return { state: "UNAVAILABLE", reason: "AUTH_FAILURE" };
      const parameters = new Map([["database", PROBED_DATABASE]]);
      const { socket } = await this.#route.logIn(login, parameters, LOOK_MS, this.#closed.signal);
      socket.destroy();
      return { state: "AVAILABLE" };
    } catch (error) {
      return unavailable(error instanceof DatabaseLoginFailed ? error.refusal?.sqlState : undefined);
    }
  }
}

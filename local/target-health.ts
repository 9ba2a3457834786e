import { EventEmitter } from "node:events";
import http from "node:http";
import type { DeclaredLoadBalancer } from "./declared.ts";

/** State of a target: `unused` when none is registered, `initial` until its first check passes. */
export type TargetState = "unused" | "initial" | "healthy" | "unhealthy";

/**
 * Until the first check passes the target is asked this often (ms), or at the declared interval where that is shorter. Only this first
 * cadence differs from AWS, so that nobody waits at a laptop; one passed check makes a new target healthy there too ("Health checks for
 * Application Load Balancer target groups").
 */
const initialCadenceMs = 100;

/** Checks one target as the declared health check says and keeps its state; emits `state` for each change. */
export class TargetHealth extends EventEmitter<{ state: [TargetState] }> {
  readonly #check: DeclaredLoadBalancer["healthCheck"];
  #state: TargetState = "unused";
  /** Checks in a row whose outcome speaks against the state. */
  #against = 0;
  #port: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #request: http.ClientRequest | undefined;
  #lastFailure = "no check has been made";

  constructor(check: DeclaredLoadBalancer["healthCheck"]) {
    super();
    this.#check = check;
  }

  get state(): TargetState {
    return this.#state;
  }

  /** Port of the registered target. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Why the last check failed. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  /** Registers a target on this port of 127.0.0.1 in place of the one before. */
  register(port: number): void {
    this.stop();
    this.#port = port;
    this.#become("initial");
    this.#ask();
  }

  /** Deregisters the target and asks no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#request?.destroy();
    this.#request = undefined;
    this.#port = undefined;
    this.#become("unused");
  }

  #ask(): void {
    const { path, timeoutSeconds, status } = this.#check;
    const request = http.get({
      host: "127.0.0.1",
      port: this.#port,
      path,
      agent: false,
      headers: { "user-agent": "ELB-HealthChecker/2.0" },
    });
    this.#request = request;
    const late = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutSeconds} s`)),
      timeoutSeconds * 1_000,
    );
    const settle = (failure: string | undefined): void => {
      if (this.#request === request) this.#settle(failure); // else it is settled, or its target is gone
    };
    request.once("response", (response) => {
      response.resume();
      settle(response.statusCode === status ? undefined : `status ${response.statusCode} instead of ${status}`);
    });
    request.on("error", (error) => settle(error.message));
    request.once("close", () => clearTimeout(late));
  }

  #settle(failure: string | undefined): void {
    this.#request = undefined;
    if (failure !== undefined) this.#lastFailure = `${this.#check.path}: ${failure}`;
    const passed = failure === undefined;
    this.#against = passed === (this.#state === "healthy") ? 0 : this.#against + 1;
    const needed =
      this.#state === "initial"
        ? 1
        : this.#state === "healthy"
          ? this.#check.unhealthyThreshold
          : this.#check.healthyThreshold;
    if (this.#against >= needed) this.#become(passed ? "healthy" : "unhealthy");
    const intervalMs = this.#check.intervalSeconds * 1_000;
    const waitMs = this.#state === "initial" ? Math.min(initialCadenceMs, intervalMs) : intervalMs;
    this.#timer = setTimeout(() => this.#ask(), waitMs);
  }

  #become(state: TargetState): void {
    this.#against = 0;
    if (state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }
}

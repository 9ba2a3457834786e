import type { Socket } from "node:net";
import pg from "pg";
import { asError, PoolError } from "./errors.ts";
import { unlessClosed } from "./hooks.ts";
import { isReady } from "./readiness.ts";
import type { TokenSource } from "./token.ts";

/** How a client gets its token, and how long each step of its one connection attempt may take, in milliseconds. */
export interface TokenClientSettings {
  readonly tokens: TokenSource;
  /** From the first packet to the end of the TLS handshake: a security group that does not admit us answers with silence. */
  readonly reachMs: number;
  /** The whole attempt after the mint; outlasts the proxy's borrow time-out, whose own answer is the better one. */
  readonly attemptMs: number;
  /** How long the server may be silent while a statement runs. */
  readonly silenceMs: number;
  /** Awaited on each connection that stands, within the limits of the attempt. */
  readonly onConnect: ((client: pg.ClientBase) => void | Promise<void>) | undefined;
  /** Told of each client that is about to open its socket. */
  readonly opening: (client: pg.Client) => void;
  /** Aborts an attempt that runs. */
  readonly signal: AbortSignal;
}

/** How long the server may take to close its end after our goodbye, in milliseconds. */
const GOODBYE_MS = 1_000;
/** Idleness of a socket after which the kernel begins to ask whether the other end is there, in milliseconds. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** Nothing is lost by it: the pool has listeners of its own, and a query that runs is rejected. */
function survive(): void {}

/**
 * A `pg.Client` class whose connections authenticate with an IAM token. The token is minted before the socket opens, since
 * node-postgres leaks the socket when a `password` function rejects, and does not outlive the connection's establishment.
 */
export function tokenClient(settings: TokenClientSettings): typeof pg.Client {
  return class TokenClient extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super({ ...(config as pg.ClientConfig), ...CONNECTION, keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS });
      // From the first moment: the server may end the connection before its owner had a chance to listen, and says so twice.
      this.on("error", survive);
      forgetEnvironment(this, config as pg.ClientConfig);
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
    override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | undefined {
      const opened = this.#open();
      if (callback === undefined) return opened;
      const answer = callback as (error: Error | null, client?: pg.Client) => void;
      opened
        .then(
          () => answer(null, this),
          (error) => answer(error),
        )
        // A listener of the pool's `connect` has thrown: that is nobody's to catch, as in node-postgres.
        .catch((thrown) =>
          process.nextTick(() => {
            throw thrown;
          }),
        );
    }

    /** Says goodbye, and closes the socket itself when nobody answers. */
    override end(): Promise<void>;
    override end(callback: (error: Error) => void): void;
    override end(callback?: (error: Error) => void): Promise<void> | undefined {
      const { stream } = this.connection;
      const limit = setTimeout(() => stream.destroy(), GOODBYE_MS).unref();
      this.connection.once("end", () => clearTimeout(limit));
      if (callback === undefined) return super.end();
      super.end(callback);
    }

    async #open(): Promise<pg.Client> {
      this.password = await settings.tokens.mint(settings.signal);
      settings.signal.throwIfAborted();
      settings.opening(this);
      const stopWatching = this.#watch();
      try {
        await super.connect();
        this.password = undefined;
        if (settings.onConnect) await unlessClosed(this, settings.onConnect(this));
      } catch (error) {
        // node-postgres leaves it to the server to close the socket after an error.
        this.connection.stream.destroy();
        // So that its end is none that the pool would report.
        super.end(survive);
        throw error;
      } finally {
        stopWatching();
        this.password = undefined;
      }
      this.#watchSilence();
      return this;
    }

    /** Ends the attempt by its limits or by the signal. The socket's error is what node-postgres rejects with. */
    #watch(): () => void {
      const { reachMs, attemptMs, signal } = settings;
      const where = `${this.host}:${this.port}`;
      const fail = (message: string) => this.connection.stream.destroy(new PoolError("CONNECT_TIMEOUT", message));
      const reach = setTimeout(() => {
        fail(`${where} gave no TLS connection within ${reachMs} ms: do the security groups let this host reach it?`);
      }, reachMs);
      const attempt = setTimeout(() => fail(`${where} did not let us in within ${attemptMs} ms`), attemptMs);
      const abort = () => this.connection.stream.destroy(asError(signal.reason));
      signal.addEventListener("abort", abort, { once: true });
      this.connection.once("sslconnect", () => {
        this.connection.stream.once("secureConnect", () => clearTimeout(reach));
      });
      return () => {
        clearTimeout(reach);
        clearTimeout(attempt);
        signal.removeEventListener("abort", abort);
      };
    }

    /**
     * Closes a connection whose server is silent while a statement runs. A socket's own time-out costs nothing for a statement; the kernel's
     * probes take some eleven minutes, and only while nothing is on its way.
     */
    #watchSilence(): void {
      const { silenceMs } = settings;
      const stream = this.connection.stream as Socket;
      stream.setTimeout(silenceMs).on("timeout", () => {
        if (isReady(this)) return;
        const message = `${this.host} was silent for ${silenceMs} ms while a statement ran: the connection is closed, and whether the statement took effect is unknown`;
        stream.destroy(new PoolError("QUERY_TIMEOUT", message));
      });
    }
  };
}

/** Ahead of what node-postgres would read from `PGSSLNEGOTIATION`. */
const CONNECTION = { keepAlive: true, sslnegotiation: "postgres" } as const;

/** What node-postgres takes from `PG…` variables and from `pg.defaults`, and RDS Proxy refuses, or nobody asked for. */
const FORGOTTEN = [
  "password",
  "options",
  "replication",
  "fallback_application_name",
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
] as const;

function forgetEnvironment(client: pg.Client, { application_name }: pg.ClientConfig): void {
  const { connectionParameters } = client as unknown as { connectionParameters: Record<string, unknown> };
  for (const name of FORGOTTEN) connectionParameters[name] = undefined;
  connectionParameters.application_name = application_name;
  Object.assign(client, { password: undefined, replication: undefined });
}

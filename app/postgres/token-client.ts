import pg from "pg";
import { PoolError } from "./errors.ts";

/** How a client gets its token, and how long each step of its one connection attempt may take, in milliseconds. */
export interface TokenClientSettings {
  /** A fresh IAM token. */
  readonly mint: () => Promise<string>;
  readonly mintMs: number;
  /** From the first packet to the end of the TLS handshake: a security group that does not admit us answers with silence. */
  readonly reachMs: number;
  /** The whole attempt after the mint; outlasts the proxy's borrow time-out, whose own answer is the better one. */
  readonly attemptMs: number;
  /** Aborts an attempt that runs. */
  readonly signal: AbortSignal;
}

/** Nothing is lost by it: the pool has listeners of its own, and a query that runs is rejected. */
function survive(): void {}

/**
 * A `pg.Client` class whose connections authenticate with an IAM token. The token is minted before the socket opens, since
 * node-postgres leaks the socket when a `password` function rejects, and does not outlive the connection's establishment.
 */
export function tokenClient(settings: TokenClientSettings): typeof pg.Client {
  return class TokenClient extends pg.Client {
    override connect(): Promise<pg.Client>;
    override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
    override connect(callback?: (error: never, client: pg.Client) => void): Promise<pg.Client> | undefined {
      const opened = this.#open();
      if (callback === undefined) return opened;
      const answer = callback as (error: Error | null, client?: pg.Client) => void;
      opened.then(
        () => answer(null, this),
        (error) => answer(error),
      );
    }

    async #open(): Promise<pg.Client> {
      // From the first moment: the server may end the connection before its owner had a chance to listen.
      this.on("error", survive);
      this.password = await mintWithin(settings);
      const stopWatching = this.#watch();
      try {
        return await super.connect();
      } catch (error) {
        // node-postgres leaves it to the server to close the socket after an error.
        this.connection.stream.destroy();
        throw error;
      } finally {
        stopWatching();
        this.password = undefined;
      }
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
  };
}

/** The token, or an error: the mint's own, unchanged, `MINT_TIMEOUT`, or the signal's reason. */
async function mintWithin({ mint, mintMs, signal }: TokenClientSettings): Promise<string> {
  signal.throwIfAborted();
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    limit.reject(
      new PoolError("MINT_TIMEOUT", `No token within ${mintMs} ms: does the source of the AWS credentials answer?`),
    );
  }, mintMs);
  const abort = () => limit.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([mint(), limit.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

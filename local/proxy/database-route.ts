import type { Socket } from "node:net";
import type { DatabaseLogin } from "./authority.ts";
import { type DatabaseAddress, type DatabaseConnection, DatabaseLoginFailed, logIn } from "./database-login.ts";
import { onClosed } from "./sockets.ts";

/** The way from the proxy to the database, which can be cut. */
export class DatabaseRoute {
  readonly #database: DatabaseAddress;
  readonly #connections = new Map<Socket, DatabaseConnection>();
  readonly #attempts = new Set<AbortController>();
  #cut = false;

  constructor(database: DatabaseAddress) {
    this.#database = database;
  }

  get usesTls(): boolean {
    return this.#database.tls !== undefined;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  /**
   * Logs in, as {@link logIn} does, unless the route is cut or is cut meanwhile.
   *
   * @throws DatabaseLoginFailed
   */
  async logIn(
    login: DatabaseLogin,
    parameters: ReadonlyMap<string, string>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<DatabaseConnection> {
    if (this.#cut) throw outOfReach();
    const attempt = new AbortController();
    const abort = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#attempts.add(attempt);
    try {
      const connection = await logIn(this.#database, login, parameters, timeoutMs, attempt.signal);
      this.#follow(connection);
      if (attempt.signal.aborted) {
        connection.socket.destroy();
        throw outOfReach(attempt.signal.reason);
      }
      return connection;
    } finally {
      this.#attempts.delete(attempt);
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Breaks every connection and every attempt at one.
   *
   * @returns the process ids of the backends that served the connections
   */
  drop(): number[] {
    for (const attempt of this.#attempts) attempt.abort(new Error("The connection to the database was cut."));
    const processIds = [...this.#connections.values()].map(({ processId }) => processId);
    for (const socket of this.#connections.keys()) socket.destroy();
    return processIds;
  }

  /** Breaks what stands, and lets no connection be made until `mend` is called. */
  cut(): number[] {
    this.#cut = true;
    return this.drop();
  }

  mend(): void {
    this.#cut = false;
  }

  #follow(connection: DatabaseConnection): void {
    const { socket } = connection;
    socket.on("error", () => {});
    this.#connections.set(socket, connection);
    onClosed(socket, () => this.#connections.delete(socket));
  }
}

const outOfReach = (cause: unknown = new Error("No route leads to the database.")): DatabaseLoginFailed =>
  new DatabaseLoginFailed(undefined, { cause });

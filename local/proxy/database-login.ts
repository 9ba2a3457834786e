import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import pg from "pg";
import type { DatabaseLogin } from "./authority.ts";
import {
  type DatabaseErrorFrame,
  type Frame,
  HEADER_BYTES,
  MessageType,
  readDatabaseError,
  splitFrames,
  startupMessage,
} from "./messages.ts";

/** Where the real PostgreSQL listens. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  /** Connects by TLS and verifies the server against this CA under this name. Default: clear text. */
  readonly tls?: { readonly ca: string; readonly servername: string } | undefined;
}

/** A PostgreSQL session that is logged in and ready, and belongs to whoever holds it. */
export interface DatabaseConnection {
  /** Paused, and nobody listens to its data. */
  readonly socket: Socket;
  /** What PostgreSQL said after AuthenticationOk, byte for byte: ParameterStatus, BackendKeyData, ReadyForQuery. */
  readonly greeting: Buffer;
  /** Of the backend, by BackendKeyData. */
  readonly processId: number;
  readonly tls: boolean;
}

/** PostgreSQL did not let the proxy in. */
export class DatabaseLoginFailed extends Error {
  override readonly name = "DatabaseLoginFailed";
  readonly code = "DATABASE_LOGIN_FAILED";
  /** PostgreSQL's ErrorResponse; undefined when it was not reached or broke off. */
  readonly refusal: DatabaseErrorFrame | undefined;

  constructor(refusal: DatabaseErrorFrame | undefined, options: ErrorOptions) {
    super(refusal?.message ?? "The database could not be reached or broke the connection off.", options);
    this.refusal = refusal;
  }
}

/** pg's connection with a startup message of our own: pg's would always ask for UTF8, whatever the client asked for. */
class LoginConnection extends pg.Connection {
  readonly #startup: Buffer;

  constructor(config: pg.ConnectionConfig, startup: Buffer) {
    super(config);
    this.#startup = startup;
  }

  /** Called by pg once the connection, and TLS on it, stands. */
  startup(): void {
    this.stream.write(this.#startup);
  }
}

/** Collects what PostgreSQL sends, and takes the socket away from pg at the very message that ends the login. */
class LoginRecord {
  readonly frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);

  follow(connection: pg.Connection): void {
    const { stream } = connection;
    stream.on("data", (chunk: Buffer) => {
      const { frames, rest } = splitFrames(Buffer.concat([this.#rest, chunk]));
      this.frames.push(...frames);
      this.#rest = rest;
      if (!frames.some(({ type }) => type === MessageType.readyForQuery)) return;
      stream.pause();
      stream.removeAllListeners("data");
    });
  }

  /** Everything but the authentication itself, with whatever came behind ReadyForQuery in the same chunk. */
  greeting(): Buffer {
    const kept = this.frames.filter(({ type }) => type !== MessageType.authentication);
    return Buffer.concat([...kept.map(({ bytes }) => bytes), this.#rest]);
  }

  /** The first number in BackendKeyData; 0, which no process has, for a server that sends none. */
  processId(): number {
    return this.frames.find(({ type }) => type === MessageType.backendKeyData)?.bytes.readInt32BE(HEADER_BYTES) ?? 0;
  }

  refusal(): DatabaseErrorFrame | undefined {
    const frame = this.frames.find(({ type }) => type === MessageType.error);
    return frame && readDatabaseError(frame);
  }
}

/**
 * Logs in to PostgreSQL with what the secret holds, by whatever method the server asks for (pg does the SCRAM), and
 * hands over the bare socket.
 *
 * @param parameters the client's startup parameters; its `user` is replaced by the secret's
 * @param timeoutMs limit of the whole login
 * @param signal ends the attempt
 * @throws DatabaseLoginFailed
 */
export async function logIn(
  database: DatabaseAddress,
  login: DatabaseLogin,
  parameters: ReadonlyMap<string, string>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DatabaseConnection> {
  const ssl = database.tls ? { ...database.tls, rejectUnauthorized: true } : false;
  const startup = startupMessage(new Map([...parameters, ["user", login.username]]));
  const connection = new LoginConnection({ ssl }, startup);
  const config = {
    host: database.host,
    port: database.port,
    user: login.username,
    // As a function: pg would replace an empty text by PGPASSWORD.
    password: () => login.password,
    connectionTimeoutMillis: timeoutMs,
    ssl,
    connection,
  };
  const client = new pg.Client(config);
  // pg repeats the end of the socket as an error even when the socket is no longer its own.
  client.on("error", () => {});
  const record = new LoginRecord();
  connection.once(database.tls ? "sslconnect" : "connect", () => record.follow(connection));
  const abandon = () => connection.stream.destroy();
  signal.addEventListener("abort", abandon, { once: true });
  try {
    if (signal.aborted) throw signal.reason;
    await client.connect();
  } catch (cause) {
    connection.stream.destroy();
    throw new DatabaseLoginFailed(record.refusal(), { cause });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
  const socket = connection.stream;
  if (!(socket instanceof Socket)) throw new TypeError("pg connected through something that is not a socket.");
  const tls = socket instanceof TLSSocket;
  return { socket, greeting: record.greeting(), processId: record.processId(), tls };
}

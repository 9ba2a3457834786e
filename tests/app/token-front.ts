import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import pg from "pg";
import { type CertificateAuthority, createAuthority } from "../../local/certificates.ts";
import type { TestDatabase } from "./test-database.ts";

/** Text of a FATAL error to refuse a log-in with; undefined lets it in. */
export type Refusal = string | undefined;

export interface TokenFrontOptions {
  /** The name in the certificate; `localhost`, which the tests dial, by default. */
  readonly certificateName?: string;
  /** Where PostgreSQL is reached; its own port by default. */
  readonly databasePort?: number;
}

/**
 * What stands in for RDS Proxy where only the client is under test: TLS, any token accepted, and PostgreSQL behind it. It remembers every
 * token, and a test decides on each log-in.
 */
export class TokenFront {
  /** The token of each log-in, in order. */
  readonly tokens: string[] = [];
  /** The parameters with which each client introduced itself, in order; PostgreSQL is told the application's name, and no other. */
  readonly startups: Readonly<Record<string, string>>[] = [];
  /** TCP connections so far. */
  accepted = 0;
  /** Decides the next log-ins. */
  refuse: (token: string) => Refusal = () => undefined;
  /** Accepts connections and never says a word, as behind a security group. */
  silent = false;
  readonly caPem: string;
  readonly #server: Server;
  readonly #database: TestDatabase;
  readonly #secureContext: SecureContext;
  readonly #sockets = new Set<Socket>();
  readonly #relays = new Set<{ readonly client: TLSSocket; readonly upstream: Socket }>();

  private constructor(server: Server, database: TestDatabase, secureContext: SecureContext, caPem: string) {
    this.#server = server;
    this.#database = database;
    this.#secureContext = secureContext;
    this.caPem = caPem;
    server.on("connection", (socket) => this.#accept(socket));
  }

  static async listen(database: TestDatabase, options: TokenFrontOptions = {}): Promise<TokenFront> {
    const authority: CertificateAuthority = await createAuthority();
    const secureContext = createSecureContext(await authority.issue([options.certificateName ?? "localhost"]));
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { databasePort = database.port } = options;
    return new TokenFront(server, { ...database, port: databasePort }, secureContext, authority.caPem);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The front does not listen");
    return address.port;
  }

  /** Sockets of clients that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Stops relaying on every connection that stands, without ending one: what a lost route looks like. */
  freeze(): void {
    for (const { client, upstream } of this.#relays) {
      client.unpipe(upstream);
      upstream.unpipe(client);
    }
  }

  /** Closes every connection that stands, at once: each client is told by a FIN, which it may not have read yet. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The same, with the goodbye of TLS before. */
  sayGoodbye(): void {
    for (const { client } of this.#relays) client.end();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const { upstream } of this.#relays) upstream.destroy();
    this.hangUp();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.accepted += 1;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    // Read, or the end of the connection would not be noticed.
    if (this.silent) socket.resume();
    else this.#logIn(socket).catch(() => socket.destroy());
  }

  async #logIn(socket: Socket): Promise<void> {
    await once(socket, "data"); // SSLRequest
    socket.write("S");
    const client = new TLSSocket(socket, { isServer: true, secureContext: this.#secureContext });
    client.on("error", () => socket.destroy());
    const [startup] = (await once(client, "data")) as [Buffer]; // StartupMessage
    const parameters = readParameters(startup);
    this.startups.push(parameters);
    client.write(frame("R", int32(3))); // AuthenticationCleartextPassword
    const [answer] = (await once(client, "data")) as [Buffer];
    const token = answer.subarray(5, -1).toString();
    this.tokens.push(token);
    const refusal = this.refuse(token);
    if (refusal === undefined) await this.#relay(client, parameters.application_name);
    else client.end(fatal(refusal));
  }

  async #relay(client: TLSSocket, application_name?: string): Promise<void> {
    const { host, port, user, password, name } = this.#database;
    const login = new pg.Client({ host, port, user, password, database: name, application_name });
    login.on("error", () => {});
    await login.connect();
    const upstream = login.connection.stream as Socket;
    // From here on the bytes belong to the client; node-postgres was only needed to log in.
    upstream.removeAllListeners("data");
    const relay = { client, upstream };
    this.#relays.add(relay);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      this.#relays.delete(relay);
      client.end();
    });
    client.write(Buffer.concat([frame("R", int32(0)), frame("Z", Buffer.from("I"))]));
    client.pipe(upstream);
    upstream.pipe(client);
  }
}

/** Names and values, each ended by a zero byte, after the length and the version of the protocol. */
function readParameters(startup: Buffer): Record<string, string> {
  const texts = startup.subarray(8, -2).toString().split("\0");
  return Object.fromEntries(texts.flatMap((name, n) => (n % 2 === 0 ? [[name, texts[n + 1] ?? ""]] : [])));
}

function frame(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** ErrorResponse of severity FATAL, with the SQLSTATE of a failed authorization. */
function fatal(message: string): Buffer {
  return frame("E", Buffer.from(`SFATAL\0VFATAL\0C28000\0M${message}\0\0`));
}

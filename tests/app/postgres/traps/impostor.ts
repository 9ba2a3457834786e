import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { createAuthority } from "../../../../local/certificates.ts";

/** AuthenticationOk, and ReadyForQuery in no transaction. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
/** AuthenticationCleartextPassword. */
const ASK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

export interface ImpostorOptions {
  /** Whether it has a certificate for `localhost`; otherwise it answers that it speaks no TLS. */
  readonly tls: boolean;
  /** Whether it asks for a password, in clear text; otherwise it trusts anyone. */
  readonly asks: boolean;
}

/** A server that is not the proxy: it lets everyone in, and remembers what it was told. */
export class Impostor {
  /** Passwords, as they came. */
  readonly told: string[] = [];
  /** Those that were let in. */
  welcomed = 0;
  readonly caPem: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, caPem: string) {
    this.#server = server;
    this.caPem = caPem;
  }

  static async listen({ tls, asks }: ImpostorOptions): Promise<Impostor> {
    const authority = await createAuthority();
    const secureContext = createSecureContext(await authority.issue(["localhost"]));
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const impostor = new Impostor(server, authority.caPem);
    server.on("connection", (socket) => {
      impostor.#sockets.add(socket.on("error", () => {}));
      impostor.#receive(socket, asks, tls ? secureContext : undefined).catch(() => socket.destroy());
    });
    return impostor;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The impostor does not listen");
    return address.port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #receive(socket: Socket, asks: boolean, secureContext: ReturnType<typeof createSecureContext> | undefined) {
    let client = socket;
    const [first] = (await once(socket, "data")) as [Buffer];
    // An SSLRequest is 8 bytes; a StartupMessage, from whoever wants no TLS, is longer.
    if (first.length === 8) {
      socket.write(secureContext ? "S" : "N");
      if (secureContext) client = new TLSSocket(socket, { isServer: true, secureContext }).on("error", () => {});
      await once(client, "data");
    }
    if (asks) {
      client.write(ASK);
      const [answer] = (await once(client, "data")) as [Buffer];
      this.told.push(answer.subarray(5, -1).toString());
    }
    this.welcomed += 1;
    client.write(WELCOME);
  }
}

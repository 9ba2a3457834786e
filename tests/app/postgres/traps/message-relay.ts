import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach } from "mocha";
import type { PoolFixture } from "../pool-fixture.ts";

/** A message of PostgreSQL's protocol ("Message Formats", PostgreSQL documentation): its type, and what comes after the length. */
export interface Message {
  readonly from: "client" | "server";
  /** A letter; empty for the StartupMessage, which has none. */
  readonly type: string;
  readonly body: Buffer;
}

/** `cut` ends the connection in place of the message; a promise holds it, and all that comes behind it, until it resolves. */
export type Fate = "pass" | "cut" | Promise<"pass" | "cut">;

/** Between a front and PostgreSQL: passes whole messages on, or not, as a test says. */
export class MessageRelay {
  /** Decides on each message. */
  decide: (message: Message) => Fate = () => "pass";
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on("connection", (client) => this.#relay(client, connect(target, "127.0.0.1")));
  }

  /** @param target port on 127.0.0.1 */
  static async listen(target: number): Promise<MessageRelay> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new MessageRelay(server, target);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The relay does not listen");
    return address.port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    void this.#pass("client", client, server);
    void this.#pass("server", server, client);
  }

  async #pass(from: Message["from"], source: Socket, target: Socket): Promise<void> {
    try {
      for await (const bytes of messages(source, from === "client")) {
        const [type, body] = bytes.typed ? [String.fromCharCode(bytes.all[0] ?? 0), 5] : ["", 4];
        // Nothing that came with it may pass either.
        if ((await this.decide({ from, type, body: bytes.all.subarray(body) })) === "cut") return void target.destroy();
        target.write(bytes.all);
      }
    } catch {
      target.destroy();
    }
  }
}

/** Splits what a socket says into whole messages. */
async function* messages(source: Socket, startsUntyped: boolean): AsyncGenerator<{ all: Buffer; typed: boolean }> {
  let buffered = Buffer.alloc(0);
  let typed = !startsUntyped;
  for await (const chunk of source) {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const head = typed ? 1 : 0;
      if (buffered.length < head + 4) break;
      const length = head + buffered.readInt32BE(head);
      if (buffered.length < length) break;
      yield { all: buffered.subarray(0, length), typed };
      buffered = buffered.subarray(length);
      typed = true;
    }
  }
}

/** Where a pool connects to reach PostgreSQL through a relay. */
export interface RelayedFront {
  readonly relay: MessageRelay;
  readonly port: number;
  readonly ca: string;
}

/** Makes fronts with a relay behind them; both are closed after each test. */
export function relayedFronts(fixture: PoolFixture): () => Promise<RelayedFront> {
  const relays: MessageRelay[] = [];
  afterEach(() => {
    for (const relay of relays.splice(0)) relay.close();
  });
  return async () => {
    const relay = await MessageRelay.listen(fixture.database.port);
    relays.push(relay);
    const { port, caPem: ca } = await fixture.listen({ databasePort: relay.port });
    return { relay, port, ca };
  };
}

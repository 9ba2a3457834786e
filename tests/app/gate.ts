import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A port before another: silent until it is opened, and again whenever it is shut, as a route that is lost. */
export class Gate {
  /** Connections so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: Socket[] = [];
  readonly #pairs: (readonly [Socket, Socket])[] = [];
  #open = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** @param target port on 127.0.0.1 */
  static async listen(target: number): Promise<Gate> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Gate(server, target);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The gate does not listen");
    return address.port;
  }

  open(): void {
    this.#open = true;
    for (const socket of this.#waiting.splice(0)) this.#relay(socket);
  }

  /** Holds new connections, and says nothing more on those that stand. */
  shut(): void {
    this.#open = false;
    for (const [socket, upstream] of this.#pairs.splice(0)) {
      socket.unpipe(upstream);
      upstream.unpipe(socket);
    }
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.accepted += 1;
    this.#track(socket);
    if (this.#open) this.#relay(socket);
    else this.#waiting.push(socket);
  }

  #relay(socket: Socket): void {
    const upstream = connect(this.#target, "127.0.0.1");
    this.#track(upstream);
    this.#pairs.push([socket, upstream]);
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

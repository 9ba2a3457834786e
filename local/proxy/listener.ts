import { once as event } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { once, type Undo } from "./fault-points.ts";

/** How long to wait for a port that someone else has taken in the meantime, and the pause between two tries. Milliseconds. */
const REOPEN_MS = 10_000;
const REOPEN_PAUSE_MS = 50;

/** A port of the loopback address that can be closed for a while, so that connections to it are refused. */
export class Listener {
  readonly #onConnection: (socket: Socket) => void;
  /** Everyone who wants the port closed. */
  readonly #closedBy = new Set<symbol>();
  #server: Server | undefined;
  #port = 0;

  constructor(onConnection: (socket: Socket) => void) {
    this.#onConnection = onConnection;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Opens the port for the first time.
   *
   * @param port 0 for a free one
   * @throws Error with code EADDRINUSE and the like
   */
  async open(port: number): Promise<void> {
    const server = createServer({ noDelay: true }, this.#onConnection);
    server.listen(port, "127.0.0.1");
    await event(server, "listening");
    // Out of file descriptors, say: that connection is lost, the others are not.
    server.on("error", () => {});
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /**
   * Closes the port; connections that stand are left alone.
   *
   * @returns opens the same port again unless someone else wants it closed, within ten seconds; rejects with code EADDRINUSE
   *   when another process keeps the port
   */
  block(): Undo {
    const reason = Symbol("closed");
    this.#closedBy.add(reason);
    this.#shut();
    return once(async () => {
      this.#closedBy.delete(reason);
      await this.#reopen();
    });
  }

  /** Closes the port for good. */
  close(): void {
    this.#closedBy.add(Symbol("closed for good"));
    this.#shut();
  }

  #shut(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  async #reopen(): Promise<void> {
    const end = performance.now() + REOPEN_MS;
    while (this.#closedBy.size === 0 && !this.#server) {
      try {
        await this.open(this.#port);
        // Whoever wanted it closed in that moment found nothing to close.
        if (this.#closedBy.size > 0) this.#shut();
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || performance.now() > end) throw error;
        await delay(REOPEN_PAUSE_MS);
      }
    }
  }
}

import type { Socket } from "node:net";
import { once, type Undo } from "./fault-points.ts";
import { Lane, type Traffic } from "./lane.ts";

/**
 * What a lane takes before it tells its sender to wait, in bytes: about what a TCP window holds, so that a delay slows the answer
 * down and hardly the rate.
 */
const WINDOW_BYTES = 256 * 1024;

/**
 * The network between the clients and the proxy. It acts beneath the sessions, where a socket hands bytes over and takes them, so
 * that whatever reads and writes the socket sees a slow or a silent peer, and nothing of how that came about.
 */
export class Wire {
  readonly #traffic = { held: false, delayMs: 0 };
  readonly #lanes = new Set<Lane>();

  /** Carries what passes through a socket from now on. */
  carry(socket: Socket): void {
    const [inbound, outbound, closing] = [new Lane(this.#traffic), new Lane(this.#traffic), new Lane(this.#traffic)];
    const all = [inbound, outbound, closing];
    for (const lane of all) this.#lanes.add(lane);
    socket.once("close", () => {
      for (const lane of all) this.#lanes.delete(lane);
    });
    carryInbound(socket, inbound, this.#traffic);
    carryOutbound(socket, outbound);
    carryClose(socket, closing);
  }

  /** Lets nothing pass until it is undone. */
  hold(): Undo {
    return this.#change({ held: true }, { held: false });
  }

  /** Delays what passes, in each direction, until it is undone: what is under way arrives at once then. */
  delay(ms: number): Undo {
    return this.#change({ delayMs: ms }, { delayMs: 0 });
  }

  /** Ends every hold and delay. */
  release(): void {
    this.#change({ held: false, delayMs: 0 }, {});
  }

  #change(change: Partial<Traffic>, back: Partial<Traffic>): Undo {
    Object.assign(this.#traffic, change);
    for (const lane of this.#lanes) lane.proceed();
    return once(() => {
      Object.assign(this.#traffic, back);
      for (const lane of this.#lanes) lane.proceed();
    });
  }
}

/** Stands where the socket hands over what it has received: `push`, the hook of every Readable ("API for stream implementers"). */
function carryInbound(socket: Socket, lane: Lane, traffic: Traffic): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (lane.isOpen) return push(chunk, encoding);
    lane.enter(chunk?.length ?? 0, (next) => {
      if (!socket.destroyed) push(chunk, encoding);
      next();
    });
    // False stops the socket from reading; it goes on reading once what waits has passed.
    return !traffic.held && lane.bytes < WINDOW_BYTES;
  };
}

type Settle = (error?: Error | null) => void;

/** Stands where the socket is to send and to end: the hooks of every Writable. */
function carryOutbound(socket: Socket, lane: Lane): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const final = socket._final.bind(socket);
  /** Tells the sender at once that it may go on while the window has room, else when its bytes have gone. */
  const send = (bytes: number, settle: Settle, now: (done: Settle) => void): void => {
    if (lane.isOpen) {
      now(settle);
      return;
    }
    const early = lane.bytes + bytes <= WINDOW_BYTES;
    lane.enter(bytes, (next) =>
      now((error) => {
        if (!early) settle(error);
        else if (error) socket.destroy(error);
        next();
      }),
    );
    // Never before the call returns: a stream would take that for a write that needed no wait.
    if (early) process.nextTick(settle);
  };
  socket._write = (chunk: Buffer, encoding, settle) =>
    send(chunk.length, settle, (done) => write(chunk, encoding, done));
  if (writev) {
    socket._writev = (chunks: { chunk: Buffer; encoding: BufferEncoding }[], settle) => {
      const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
      send(bytes, settle, (done) => writev(chunks, done));
    };
  }
  socket._final = (settle) => {
    if (lane.isOpen) {
      final(settle);
      return;
    }
    lane.enter(0, (next) =>
      final((error) => {
        settle(error);
        next();
      }),
    );
  };
}

/** Stands where the socket is closed, which is news that travels like any other, though a peer that reads nothing cannot hold it up. */
function carryClose(socket: Socket, lane: Lane): void {
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, settle) => {
    if (lane.isOpen) destroy(error, settle);
    else lane.enter(0, () => destroy(error, settle));
  };
}

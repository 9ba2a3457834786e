import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, it } from "mocha";
import { readContext } from "../../../local/proxy/fault-switches.ts";
import { Wire } from "../../../local/proxy/wire.ts";
import { eventually } from "../eventually.ts";
import { DECLARED, sharedCertificates } from "./fixture.ts";

/** Both ends of a connection, of which the near one is carried. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

for (const kind of ["clear text", "TLS"] as const) {
  describe(`The wire under ${kind}`, () => {
    let wire: Wire;
    let server: Server;
    let open: Socket[];
    beforeEach(async () => {
      wire = new Wire();
      open = [];
      server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    afterEach(() => {
      wire.release();
      for (const socket of open) socket.destroy();
      server.close();
    });

    async function pair(): Promise<Pair> {
      const { port } = server.address() as AddressInfo;
      const accepted = once(server, "connection") as Promise<[Socket]>;
      const bare = createConnection(port, "127.0.0.1");
      const [raw] = await accepted;
      wire.carry(raw);
      const made = kind === "TLS" ? await secure(raw, bare) : { near: raw, far: bare };
      open.push(made.near, made.far);
      for (const socket of open) socket.on("error", () => {});
      return made;
    }

    async function secure(raw: Socket, bare: Socket): Promise<Pair> {
      const { ca, server: certificate } = await sharedCertificates();
      const near = new TLSSocket(raw, { isServer: true, secureContext: readContext(certificate) });
      wire.carry(near);
      const far = connectTls({ socket: bare, ca: ca.caPem, servername: DECLARED.endpoint });
      await Promise.all([once(near, "secure"), once(far, "secureConnect")]);
      return { near, far };
    }

    /** Everything that a socket receives. */
    function hear(socket: Socket): { readonly bytes: Buffer } {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      return {
        get bytes() {
          return Buffer.concat(chunks);
        },
      };
    }

    it("holds back in both directions and lets everything go in order, once", async () => {
      const { near, far } = await pair();
      const [atNear, atFar] = [hear(near), hear(far)];
      const undo = wire.hold();
      for (let n = 0; n < 50; n += 1) {
        near.write(`n${n};`);
        far.write(`f${n};`);
      }
      await delay(50);
      assert.equal(atNear.bytes.length + atFar.bytes.length, 0);
      await undo();
      const series = (letter: string) => Array.from({ length: 50 }, (_, n) => `${letter}${n};`).join("");
      await eventually("all has arrived", 2_000, () => atNear.bytes.length === 190 && atFar.bytes.length === 190);
      assert.equal(atNear.bytes.toString(), series("f"));
      assert.equal(atFar.bytes.toString(), series("n"));
    });

    it("loses no byte of much traffic while faults come and go", async () => {
      const { near, far } = await pair();
      const sent = randomBytes(3_000_000);
      const atFar = hear(far);
      const atNear = hear(near);
      const write = async (socket: Socket) => {
        for (let at = 0; at < sent.length; at += 50_000) {
          if (!socket.write(sent.subarray(at, at + 50_000))) await once(socket, "drain");
        }
      };
      const writing = Promise.all([write(near), write(far)]);
      for (let round = 0; round < 5; round += 1) {
        const hold = wire.hold();
        await delay(10);
        const slow = wire.delay(5);
        await hold();
        await delay(10);
        await slow();
      }
      await writing;
      await eventually("all has arrived", 5_000, () => atFar.bytes.length + atNear.bytes.length >= 2 * sent.length);
      assert.ok(atFar.bytes.equals(sent) && atNear.bytes.equals(sent));
    });

    it("takes no more than a TCP window holds, and tells a sender of more to wait", async () => {
      const { near, far } = await pair();
      const atFar = hear(far);
      const undo = wire.hold();
      for (let n = 0; n < 10; n += 1) near.write(randomBytes(100_000));
      await eventually("the first is taken", 2_000, () => near.writableLength === 900_000);
      await delay(20);
      assert.equal(near.writableLength, 900_000);
      await undo();
      await eventually("all has arrived", 2_000, () => atFar.bytes.length === 1_000_000);
      assert.equal(near.writableLength, 0);
    });

    it("delays each direction by as much, and what follows no more than what went before", async () => {
      const { near, far } = await pair();
      const [atNear, atFar] = [hear(near), hear(far)];
      const undo = wire.delay(300);
      const asked = performance.now();
      for (let n = 0; n < 5; n += 1) {
        near.write("n");
        far.write("f");
        await delay(5);
      }
      assert.equal(atNear.bytes.length + atFar.bytes.length, 0);
      await eventually("all has arrived", 2_000, () => atNear.bytes.length === 5 && atFar.bytes.length === 5);
      const tookMs = performance.now() - asked;
      // One after the other they would take five times as long.
      assert.ok(tookMs >= 299 && tookMs < 1_200, `${tookMs} ms`);
      await undo();
    });

    it("carries the end of a stream behind what was said before it", async () => {
      const { near, far } = await pair();
      const atFar = hear(far);
      const undo = wire.hold();
      const ended = once(far, "end");
      near.end("the last word");
      far.end("mine");
      await delay(50);
      assert.equal(near.readableEnded, false);
      assert.equal(atFar.bytes.length, 0);
      near.resume();
      await undo();
      await ended;
      assert.equal(atFar.bytes.toString(), "the last word");
      await eventually("both are closed", 2_000, () => near.closed && far.closed);
    });

    it("keeps a destroyed socket's peer unaware until the hold ends", async () => {
      const { near, far } = await pair();
      far.resume();
      const undo = wire.hold();
      near.destroy();
      await delay(50);
      assert.deepEqual([near.closed, far.closed], [false, false]);
      await undo();
      await eventually("both are closed", 2_000, () => near.closed && far.closed);
    });

    it("closes a socket whose peer reads nothing, in spite of what waits behind it", async () => {
      const { near } = await pair();
      wire.delay(5);
      // More than the buffers of both ends take.
      for (let n = 0; n < 200; n += 1) near.write(randomBytes(100_000));
      await delay(50);
      near.destroy();
      await eventually("it is closed", 2_000, () => near.closed);
    });
  });
}

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { afterEach, before, beforeEach, describe, it } from "mocha";
import { readDatabaseError, splitFrames, startupMessage } from "../../../local/proxy/messages.ts";
import { eventually } from "../eventually.ts";
import { DECLARED, type Stage, startStage, USER } from "./fixture.ts";

const integers = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, index * 4);
  return buffer;
};
const SSL_REQUEST = integers(8, 80_877_103);
const GSS_REQUEST = integers(8, 80_877_104);
const CANCEL_REQUEST = integers(16, 80_877_102, 1, 2);
const GOOD_STARTUP = startupMessage([
  ["user", USER],
  ["database", "postgres"],
]);

/** Everything that comes before the end of the connection. */
const readToEnd = async (socket: Socket): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks);
};
const errorIn = (bytes: Buffer) => {
  const [frame] = splitFrames(bytes).frames;
  if (!frame) return undefined;
  const { sqlState, message } = readDatabaseError(frame);
  return { sqlState, message };
};

// No database is behind these proxies: whatever is refused here is refused before one is asked for.
describe("The start of a connection to the local proxy", () => {
  let stage: Stage;
  let closedPort: number;

  before(async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    assert.ok(address && typeof address === "object");
    closedPort = address.port;
    probe.close();
  });

  const start = (changes: Parameters<typeof startStage>[2] = {}) =>
    startStage({ host: "127.0.0.1", port: closedPort }, "password", changes);

  beforeEach(async () => {
    stage = await start();
  });

  afterEach(async () => {
    await stage.proxy.close();
  });

  const restart = async (changes: Parameters<typeof startStage>[2]) => {
    await stage.proxy.close();
    stage = await start(changes);
  };
  /** Sends bytes in clear text and returns the error that they earn. */
  const provoke = async (...parts: Buffer[]) => {
    const socket = await stage.dial();
    for (const part of parts) socket.write(part);
    return errorIn(await readToEnd(socket));
  };
  const dialTls = async () => {
    const raw = await stage.dial();
    raw.write(SSL_REQUEST);
    const [answer] = (await once(raw, "data")) as [Buffer];
    assert.equal(answer.toString(), "S");
    const socket = connectTls({ socket: raw, ca: stage.caPem, servername: DECLARED.endpoint });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  };
  const provokeInTls = async (...parts: Buffer[]) => {
    const socket = await dialTls();
    for (const part of parts) socket.write(part);
    return errorIn(await readToEnd(socket));
  };
  const startupWith = (changes: Record<string, string>) =>
    startupMessage(Object.entries({ user: USER, database: "postgres", ...changes }));

  it("refuses clear text when TLS is declared as required", async () => {
    assert.deepEqual(await provoke(GOOD_STARTUP), {
      sqlState: "28000",
      message: "This RDS Proxy requires TLS connections.",
    });
    assert.deepEqual(
      stage.refusals.map(({ code }) => code),
      ["TLS_REQUIRED"],
    );
    assert.equal(stage.proxy.metrics().ClientConnectionsSetupFailedAuth, 1);
  });

  it("refuses IAM authentication in clear text when TLS is not declared as required", async () => {
    await restart({ declared: { requireTls: false } });
    assert.deepEqual(await provoke(GOOD_STARTUP), {
      sqlState: "28000",
      message: "IAM authentication is allowed only with SSL connections.",
    });
  });

  it("answers a request for GSS encryption with N and goes on", async () => {
    const socket = await stage.dial();
    socket.write(GSS_REQUEST);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "N");
    socket.write(SSL_REQUEST);
    const [next] = (await once(socket, "data")) as [Buffer];
    assert.equal(next.toString(), "S");
    socket.destroy();
  });

  it("closes the connection of a CancelRequest without a word, in clear text and in TLS", async () => {
    const socket = await stage.dial();
    socket.write(CANCEL_REQUEST);
    assert.equal((await readToEnd(socket)).length, 0);
    const secure = await dialTls();
    secure.write(CANCEL_REQUEST);
    assert.equal((await readToEnd(secure)).length, 0);
    assert.equal(stage.refusals.length, 0);
  });

  for (const [version, code] of [
    ["2.0", 131_072],
    ["3.1", 196_609],
    ["3.2", 196_610],
    ["4.0", 262_144],
    ["a second request for TLS", 80_877_103],
  ] as const) {
    it(`refuses ${version} in place of protocol version 3.0`, async () => {
      const packet = Buffer.from(GOOD_STARTUP);
      packet.writeUInt32BE(code, 4);
      assert.deepEqual(await provokeInTls(packet), {
        sqlState: "0A000",
        message: "RDS Proxy supports only version 3.0 of the PostgreSQL messaging protocol.",
      });
    });
  }

  it("refuses a startup message without a user, or with an empty one", async () => {
    const message = "A user name is missing from the connection startup packet.";
    assert.deepEqual(await provokeInTls(startupMessage([["database", "postgres"]])), { sqlState: "28000", message });
    assert.deepEqual(await provokeInTls(startupWith({ user: "" })), { sqlState: "28000", message });
  });

  for (const option of [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "options",
    "replication",
    "_pq_.command_tag",
    "work_mem",
  ]) {
    it(`refuses the startup parameter ${option}`, async () => {
      assert.deepEqual(await provokeInTls(startupWith({ [option]: "1" })), {
        sqlState: "0A000",
        message: `Feature not supported: RDS Proxy currently doesn't support the option ${option}.`,
      });
    });
  }

  it("asks for the token, in clear text inside TLS, when every parameter is one that RDS Proxy takes", async () => {
    const socket = await dialTls();
    const accepted = [
      "application_name",
      "client_encoding",
      "DateStyle",
      "TimeZone",
      "extra_float_digits",
      "search_path",
    ];
    socket.write(startupWith(Object.fromEntries(accepted.map((name) => [name, "x"]))));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.deepEqual([...answer], [0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
    socket.destroy();
    assert.equal(stage.refusals.length, 0);
  });

  for (const [what, bytes] of [
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
    ["a TLS handshake without a request for it", Buffer.from("16030101fc0100", "hex")],
    ["noise", Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167 + 89) % 251))],
    ["a length of zero", integers(0, 196_608)],
    ["a length that does not hold the header", integers(7, 196_608)],
    ["a length of two gigabytes", integers(0x7fff_ffff, 196_608)],
    ["a negative length", integers(0xffff_ffff, 196_608)],
    ["a length one over the limit", integers(10_001, 196_608)],
  ] as const) {
    it(`refuses ${what} at once and serves the next client`, async () => {
      assert.deepEqual(await provoke(bytes), { sqlState: "08P01", message: "invalid length of startup packet" });
      assert.deepEqual(
        stage.refusals.map(({ code }) => code),
        ["PROTOCOL_VIOLATION"],
      );
      const next = await dialTls();
      next.destroy();
    });
  }

  for (const [what, body] of [
    ["no terminator", Buffer.from("user\0me\0")],
    ["a name without a value", Buffer.from("user\0me\0database\0\0")],
    ["bytes behind the terminator", Buffer.from("user\0me\0\0x")],
    ["no body", Buffer.alloc(0)],
  ] as const) {
    it(`refuses a startup message with ${what}`, async () => {
      const packet = Buffer.concat([integers(body.length + 8, 196_608), body]);
      assert.deepEqual(await provokeInTls(packet), {
        sqlState: "08P01",
        message: "invalid startup packet layout: expected terminator as last byte",
      });
    });
  }

  it("refuses clear text that is slipped in behind a request for TLS", async () => {
    const socket = await stage.dial();
    socket.write(Buffer.concat([SSL_REQUEST, GOOD_STARTUP]));
    assert.deepEqual(errorIn(await readToEnd(socket)), {
      sqlState: "08P01",
      message: "received unencrypted data after SSL request",
    });
  });

  it("closes a connection whose TLS handshake is garbage, and says so in the events", async () => {
    const socket = await stage.dial();
    socket.write(SSL_REQUEST);
    await once(socket, "data");
    socket.write(Buffer.alloc(500, 0x41));
    await readToEnd(socket);
    await eventually("the refusal is reported", 2_000, () => stage.refusals.length === 1);
    assert.equal(stage.refusals[0]?.code, "TLS_HANDSHAKE_FAILED");
    assert.equal(stage.proxy.metrics().ClientConnections, 0);
  });

  for (const [what, parts] of [
    ["within the length", [Buffer.from([0, 0])]],
    ["within the startup message", [GOOD_STARTUP.subarray(0, 12)]],
    ["before its first byte", []],
  ] as const) {
    it(`forgets a client that leaves ${what}`, async () => {
      const socket = await dialTls();
      for (const part of parts) socket.write(part);
      socket.end();
      await readToEnd(socket);
      await eventually(
        "the connection is counted as closed",
        2_000,
        () => stage.proxy.metrics().ClientConnections === 0,
      );
      assert.equal(stage.refusals.length, 0);
    });
  }

  for (const [what, bytes, message] of [
    [
      "another message than a password",
      Buffer.from("51000000097365006c00", "hex"),
      "expected password response, got message type 81",
    ],
    ["a password of a gigabyte", Buffer.from([0x70, 0x40, 0, 0, 0]), "invalid password packet size"],
    ["a password message without a body", Buffer.from([0x70, 0, 0, 0, 4]), "invalid password packet size"],
    ["a password without its end", Buffer.from([0x70, 0, 0, 0, 5, 0x61]), "invalid password packet size"],
    [
      "a password with more behind its end",
      Buffer.from([0x70, 0, 0, 0, 8, 0x61, 0, 0x62, 0]),
      "invalid password packet size",
    ],
  ] as const) {
    it(`refuses ${what} when it asked for the token`, async () => {
      const socket = await dialTls();
      socket.write(GOOD_STARTUP);
      await once(socket, "data");
      socket.write(bytes);
      assert.deepEqual(errorIn(await readToEnd(socket)), { sqlState: "08P01", message });
    });
  }

  describe("by a client that takes its time", () => {
    beforeEach(() => restart({ startupTimeoutMs: 150 }));

    for (const [what, dial] of [
      ["sends nothing", () => stage.dial()],
      ["never finishes its length", async () => (await stage.dial()).write("\0")],
      ["never finishes its TLS handshake", async () => (await stage.dial()).write(SSL_REQUEST)],
      ["never sends its token", async () => (await dialTls()).write(GOOD_STARTUP)],
    ] as const) {
      it(`ends when the client ${what}`, async () => {
        await dial();
        await eventually("the client is cut off", 3_000, () => stage.proxy.metrics().ClientConnectionsClosed === 1);
        await eventually("the refusal is reported", 2_000, () => stage.refusals.length > 0);
        assert.deepEqual(
          stage.refusals.map(({ code }) => code),
          ["STARTUP_TIMED_OUT"],
        );
        assert.equal(stage.proxy.metrics().ClientConnections, 0);
      });
    }

    it("ends when the client sends one byte now and then", async () => {
      const socket = await dialTls();
      const closed = once(socket, "close");
      let sent = 0;
      const drip = setInterval(() => {
        socket.write(GOOD_STARTUP.subarray(sent, sent + 1));
        sent += 1;
      }, 40);
      await closed;
      clearInterval(drip);
      assert.ok(sent < GOOD_STARTUP.length);
      await eventually("the refusal is reported", 2_000, () => stage.refusals.length > 0);
      assert.deepEqual(
        stage.refusals.map(({ code }) => code),
        ["STARTUP_TIMED_OUT"],
      );
    });
  });

  describe("where the security groups do not let the client through", () => {
    beforeEach(() => {
      stage.authority.clientReaches = false;
    });

    it("is silence, which the client's own time-out ends", async () => {
      const client = stage.client({ connectionTimeoutMillis: 300 });
      await assert.rejects(client.connect(), /timeout expired/);
      assert.deepEqual(
        stage.refusals.map(({ code, text: said }) => [code, said]),
        [["CLIENT_UNREACHABLE", undefined]],
      );
      assert.equal(stage.proxy.metrics().ClientConnectionsReceived, 0);
    });

    it("ends without a word when the proxy closes", async () => {
      const socket = await stage.dial();
      const received = text(socket).catch(() => "");
      socket.write(SSL_REQUEST);
      await eventually("the connection is accepted", 2_000, () => stage.refusals.length === 1);
      await stage.proxy.close();
      assert.equal(await received, "");
      assert.ok(socket.destroyed);
    });
  });
});

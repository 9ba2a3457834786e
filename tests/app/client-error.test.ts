import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "mocha";
import { apiFixture } from "./api-fixture.ts";

describe("What is no HTTP request", () => {
  const api = apiFixture();
  let port: number;

  before(async () => {
    port = Number(new URL(await api.server.listen({ host: "127.0.0.1", port: 0 })).port);
  });
  after(() => api.server.close());

  for (const [what, bytes, status, code] of [
    ["noise", "\u0016\u0003\u0001 hello\r\n\r\n", "400 Bad Request", "MALFORMED_HTTP"],
    [
      "too many headers",
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      "431 Request Header Fields Too Large",
      "HEADERS_TOO_LARGE",
    ],
  ] as const) {
    it(`gets a JSON error with a request id, and its connection is closed: ${what}`, async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      socket.write(bytes);
      const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
      assert.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), head);
      const { error } = JSON.parse(body) as { error: { code: string; requestId: string } };
      assert.equal(error.code, code);
      assert.ok(head.includes(`x-request-id: ${error.requestId}\r\n`));
    });
  }

  it("does not stop the server, nor does a client that resets its connection", async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET /livez HT");
    socket.resetAndDestroy();
    await once(socket, "close");
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  });
});

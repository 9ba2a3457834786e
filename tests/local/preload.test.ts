import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { describe, it } from "mocha";
import { createAuthority } from "../../local/certificates.ts";
import { containers, server } from "./container-fixture.ts";

describe("A container's network", () => {
  const { start, image } = containers();

  it("publishes its port on a free loopback port, so that two run side by side", async () => {
    const { container: one, lines } = await start(server, { containerPort: 8080 });
    const { container: two } = await start(server, { containerPort: 8080 });
    const ports = await Promise.all([one.port, two.port]);
    assert.notEqual(ports[0], ports[1]);
    assert.ok(!ports.includes(8080));
    for (const port of ports) assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello");
    const bound = lines.find((line) => line.record?.bound)?.record?.bound as AddressInfo;
    assert.deepEqual([bound.address, bound.port], ["127.0.0.1", ports[0]]);
  });

  it("keeps every other port to loopback too, however listen is called", async () => {
    const { container, lines } = await start(
      `
      import http from "node:http";
      const calls = [[9090], [9091, "0.0.0.0"], ["9092", "0.0.0.0", 10], [{ port: 9093 }], [0], [], [undefined, "0.0.0.0"]];
      let open = calls.length;
      for (const call of calls) {
        const server = http.createServer();
        server.listen(...call, () => {
          console.log(JSON.stringify(server.address()));
          if (--open === 0) process.exit(0);
        });
      }`,
      { containerPort: 8080 },
    );
    await container.exited;
    const addresses = lines.map((line) => line.record?.address);
    assert.deepEqual(addresses, Array(7).fill("127.0.0.1"), JSON.stringify(lines));
    await assert.rejects(container.port, { code: "EXITED" });
  });

  it("dials the address that stands behind a name, and no other", async () => {
    const behind = http.createServer((request, response) => response.end(request.headers.host)).listen(0, "127.0.0.1");
    await once(behind, "listening");
    try {
      const { container, lines } = await start(
        `
        import net from "node:net";
        import http from "node:http";
        const ask = (port) => new Promise((resolve) => {
          const request = http.get({ host: "Proxy.Example", port }, (response) => response.on("data", (text) => resolve(String(text))));
          request.on("error", (error) => resolve(error.code));
        });
        const raw = (...to) => new Promise((resolve) => {
          const socket = new net.Socket();
          socket.once("error", (error) => resolve(error.code));
          socket.connect(...to, () => { resolve(socket.remotePort); socket.destroy(); });
        });
        const first = await ask(5432);
        const other = await ask(5433);
        const sockets = [await raw(5432, "proxy.example"), await raw({ port: 5432, host: "proxy.example" }), await raw("/no/such.sock")];
        console.log(JSON.stringify({ first, other, sockets, variable: process.env.LOCAL_CONTAINER_NETWORK ?? null }));`,
        {
          hosts: [
            {
              host: "proxy.example",
              port: 5432,
              address: "127.0.0.1",
              listenPort: (behind.address() as AddressInfo).port,
            },
          ],
        },
      );
      await container.exited;
      const port = (behind.address() as AddressInfo).port;
      const record = lines[0]?.record;
      assert.equal(record?.first, "Proxy.Example:5432");
      assert.ok(["ENOTFOUND", "EAI_AGAIN"].includes(String(record?.other)), String(record?.other));
      assert.deepEqual(record?.sockets, [port, port, "ENOENT"]);
      assert.equal(record?.variable, null);
    } finally {
      behind.close();
    }
  });

  it("verifies TLS for the name that was dialled, by the given authority alone", async () => {
    const authority = await createAuthority();
    const behind = tls.createServer(await authority.issue(["proxy.example"])).listen(0, "127.0.0.1");
    await once(behind, "listening");
    try {
      const listenPort = (behind.address() as AddressInfo).port;
      const hosts = ["proxy.example", "other.example"].map((host) => ({
        host,
        port: 5432,
        address: "127.0.0.1",
        listenPort,
      }));
      const main = `
        import tls from "node:tls";
        const dial = (host) => new Promise((resolve) => {
          const socket = tls.connect({ host, port: 5432 }, () => { resolve(socket.authorized); socket.end(); });
          socket.once("error", (error) => resolve(error.code));
        });
        console.log(JSON.stringify([await dial("proxy.example"), await dial("other.example")]));`;
      const caFile = join(await image("", { "ca.pem": authority.caPem }), "ca.pem");
      const trusting = await start(main, { hosts, caFile });
      const doubting = await start(main, { hosts });
      await Promise.all([trusting.container.exited, doubting.container.exited]);
      assert.equal(trusting.lines[0]?.text, '[true,"ERR_TLS_CERT_ALTNAME_INVALID"]');
      assert.equal(doubting.lines[0]?.text, '["UNABLE_TO_VERIFY_LEAF_SIGNATURE","UNABLE_TO_VERIFY_LEAF_SIGNATURE"]');
    } finally {
      behind.close();
    }
  });

  it("says so when nothing listens within the limit", async () => {
    const { container } = await start("setInterval(() => {}, 1000);", { containerPort: 8080, listenTimeoutMs: 50 });
    await assert.rejects(container.port, {
      code: "NOT_LISTENING",
      message: /nothing listened on port 8080 within 50 ms/,
    });
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, it } from "mocha";
import { balancers, declared } from "./balancer-fixture.ts";

describe("The local load balancer", () => {
  const { start } = balancers();

  it("forwards method, path, host, headers and body, and the answer as it is", async () => {
    const seen: { method?: string; url?: string; headers?: http.IncomingHttpHeaders; body?: string } = {};
    const { balancer, target } = await start(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      Object.assign(seen, { method: request.method, url: request.url, headers: request.headers });
      seen.body = Buffer.concat(chunks).toString();
      response.writeHead(
        201,
        "Made",
        [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["x-kept", "yes"],
        ].flat(),
      );
      response.end("made");
    });
    const answer = await fetch(`${balancer.url}/projects?limit=3`, {
      method: "POST",
      body: '{"name":"ü"}',
      headers: { "content-type": "application/json", "x-own": "1" },
    });
    assert.deepEqual([answer.status, answer.statusText, await answer.text()], [201, "Made", "made"]);
    assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(answer.headers.get("x-kept"), "yes");
    assert.deepEqual([seen.method, seen.url, seen.body], ["POST", "/projects?limit=3", '{"name":"ü"}']);
    assert.equal(seen.headers?.host, new URL(balancer.url).host);
    assert.equal(seen.headers?.["x-own"], "1");
    assert.notEqual(target.port, Number(new URL(balancer.url).port));
  });

  it("says who asked, by which protocol and port, and gives each request a trace id", async () => {
    const seen: http.IncomingHttpHeaders[] = [];
    const { balancer } = await start((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    await fetch(balancer.url);
    await fetch(balancer.url, { headers: { "x-forwarded-for": "203.0.113.7", "x-amzn-trace-id": "Root=1-abc-def" } });
    assert.equal(seen[0]?.["x-forwarded-for"], "127.0.0.1");
    assert.equal(seen[0]?.["x-forwarded-proto"], "http");
    assert.equal(seen[0]?.["x-forwarded-port"], new URL(balancer.url).port);
    assert.match(String(seen[0]?.["x-amzn-trace-id"]), /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    assert.equal(seen[1]?.["x-forwarded-for"], "203.0.113.7, 127.0.0.1");
    assert.match(String(seen[1]?.["x-amzn-trace-id"]), /^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-abc-def$/);
  });

  it("keeps its connections to the target", async () => {
    const { balancer, target } = await start();
    const ports = new Set<number | undefined>();
    target.answer = (request, response) => {
      ports.add(request.socket.remotePort);
      response.end("hello");
    };
    for (let request = 0; request < 5; request++) await (await fetch(balancer.url)).text();
    assert.equal(ports.size, 1);
  });

  it("streams a body as it comes, and lets the sender wait for the reader", async () => {
    const chunk = Buffer.alloc(64 * 1024, 1);
    let written = 0;
    const { balancer } = await start((_, response) => {
      const write = (): void => {
        while (written < 1_000) {
          written++;
          if (!response.write(chunk)) return void response.once("drain", write);
        }
        response.end();
      };
      write();
    });
    const [answer] = (await once(http.get(balancer.url), "response")) as [http.IncomingMessage];
    // Nobody reads: buffers on the way fill up, long before 64 MB, and the sender stands.
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(written < 900, `${written} chunks were taken without a reader`);
    let read = 0;
    for await (const part of answer) read += (part as Buffer).length;
    assert.equal(read, 1_000 * chunk.length);
  });

  it("answers 504 when the target is silent for the declared idle time-out", async () => {
    const { balancer, target } = await start(() => {}, { idleTimeoutSeconds: 0.2 });
    const before = performance.now();
    const answer = await fetch(`${balancer.url}/slow`);
    const tookMs = performance.now() - before;
    assert.deepEqual([answer.status, answer.headers.get("server")], [504, "awselb/2.0"]);
    assert.match(await answer.text(), /504 Gateway Time-out/);
    assert.ok(tookMs >= 190, `${tookMs} ms`);
    target.answer = (_, response) => response.end("back");
    assert.equal(await (await fetch(balancer.url)).text(), "back");
  });

  it("lets a target take longer than the idle time-out as long as it sends something", async () => {
    const { balancer } = await start(
      (_, response) => {
        let sent = 0;
        const timer = setInterval(() => {
          response.write("x");
          if (++sent < 6) return;
          clearInterval(timer);
          response.end();
        }, 100);
      },
      { idleTimeoutSeconds: 0.3 },
    );
    assert.equal(await (await fetch(balancer.url)).text(), "xxxxxx");
  });

  it("breaks an answer whose target falls silent in the middle, since its status is sent", async () => {
    const { balancer } = await start((_, response) => void response.write("x"), { idleTimeoutSeconds: 0.2 });
    const answer = await fetch(balancer.url);
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text());
  });

  it("answers 408 when it is the client that is silent", async () => {
    const { balancer } = await start((request) => void request.resume(), { idleTimeoutSeconds: 0.2 });
    const request = http.request(balancer.url, { method: "POST", headers: { "content-length": "10" } });
    request.on("error", () => {});
    request.write("half");
    const [answer] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(answer.statusCode, 408);
    answer.resume();
    request.destroy();
  });

  it("answers 502 when the target breaks the connection, also in the middle of an upload", async () => {
    const { balancer } = await start((request) => void request.socket.destroy());
    assert.equal((await fetch(balancer.url)).status, 502);
    const request = http.request(balancer.url, { method: "POST", headers: { "content-length": "10" } });
    request.on("error", () => {});
    request.write("half");
    const [answer] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(answer.statusCode, 502);
    request.destroy();
  });

  it("answers 502 when the target refuses connections, until the health check has noticed, then 503", async () => {
    const { balancer, target } = await start(undefined, {
      healthCheck: { ...declared.healthCheck, intervalSeconds: 0.3 },
    });
    await target.close();
    assert.equal((await fetch(balancer.url)).status, 502);
    await balancer.reaches("unhealthy", 5_000);
    assert.equal((await fetch(balancer.url)).status, 503);
  });

  it("takes a client's request back when the client goes away", async () => {
    const gone = Promise.withResolvers<void>();
    const { balancer } = await start((_, response) => {
      response.once("close", () => gone.resolve());
      request.destroy();
    });
    const request = http.get(balancer.url).on("error", () => {});
    await gone.promise;
  });
});

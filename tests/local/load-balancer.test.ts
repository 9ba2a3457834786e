import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import type { DeclaredLoadBalancer } from "../../local/declared.ts";
import { type LoadBalancer, startLoadBalancer } from "../../local/load-balancer.ts";

const declared: DeclaredLoadBalancer = {
  idleTimeoutSeconds: 10,
  healthCheck: {
    path: "/livez",
    intervalSeconds: 0.02,
    timeoutSeconds: 0.5,
    healthyThreshold: 3,
    unhealthyThreshold: 2,
    status: 200,
  },
};

/** A target whose health and answers a test decides. */
interface Target {
  readonly port: number;
  readonly server: http.Server;
  /** Status of each health check to come; the last one stays. */
  health: number[];
  checks: number;
  answer: http.RequestListener;
  close(): Promise<void>;
}

async function startTarget(answer: http.RequestListener = (_, response) => response.end("hello")): Promise<Target> {
  const server = http.createServer((request, response) => {
    if (request.url !== "/livez") return target.answer(request, response);
    target.checks++;
    response.writeHead((target.health.length > 1 ? target.health.shift() : target.health[0]) ?? 200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const target: Target = {
    port: (server.address() as AddressInfo).port,
    server,
    health: [200],
    checks: 0,
    answer,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return target;
}

describe("The local load balancer", () => {
  const open: { close(): Promise<void> }[] = [];

  async function start(
    answer?: http.RequestListener,
    changes: Partial<DeclaredLoadBalancer> = {},
  ): Promise<{ target: Target; balancer: LoadBalancer }> {
    const target = await startTarget(answer);
    const balancer = await startLoadBalancer({ declared: { ...declared, ...changes }, targetPort: target.port });
    open.push(balancer, target);
    await balancer.healthy(5_000);
    return { target, balancer };
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map((part) => part.close()));
  });

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

  it("answers 503 while no target is registered or its first check has not passed", async () => {
    const target = await startTarget();
    const balancer = await startLoadBalancer({ declared });
    open.push(balancer, target);
    assert.equal(balancer.state, "unused");
    assert.equal((await fetch(balancer.url)).status, 503);
    target.health = [500];
    balancer.register(target.port);
    assert.equal(balancer.state, "initial");
    assert.equal((await fetch(balancer.url)).status, 503);
    target.health = [200];
    await balancer.healthy(5_000);
    assert.equal((await fetch(balancer.url)).status, 200);
  });

  it("takes one passed check for a new target, then the declared thresholds both ways", async () => {
    const target = await startTarget();
    const balancer = await startLoadBalancer({ declared });
    open.push(balancer, target);
    target.health = [503, 200, 500, 200, 500, 500, 200, 200, 500, 200, 200, 200];
    const states: string[] = [];
    for (const state of ["healthy", "unhealthy", "healthy"] as const) {
      if (states.length === 0) balancer.register(target.port);
      await balancer.reaches(state, 5_000);
      states.push(`${state} after ${target.checks}`);
    }
    assert.deepEqual(states, ["healthy after 2", "unhealthy after 6", "healthy after 12"]);
  });

  it("says why a target never became healthy", async () => {
    const target = await startTarget();
    target.health = [404];
    const balancer = await startLoadBalancer({ declared, targetPort: target.port });
    open.push(balancer, target);
    await assert.rejects(balancer.healthy(200), {
      code: "TARGET_NOT_HEALTHY",
      message:
        "the target was not healthy within 200 ms but initial; last failed check: /livez: status 404 instead of 200",
    });
  });

  it("fails a check that is not answered within its time-out", async () => {
    const silent = net.createServer((socket) => socket.on("error", () => {}).resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const balancer = await startLoadBalancer({
      declared: { ...declared, healthCheck: { ...declared.healthCheck, timeoutSeconds: 0.05 } },
      targetPort: (silent.address() as AddressInfo).port,
    });
    open.push(balancer);
    await assert.rejects(balancer.healthy(300), { message: /\/livez: no answer within 0\.05 s/ });
    await balancer.close();
    silent.close();
    await once(silent, "close");
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

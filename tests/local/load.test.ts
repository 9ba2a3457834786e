import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { failureGroups, type Outcome } from "../../local/load/outcome.ts";
import { type Load, type LoadOptions, startLoad } from "../../local/load.ts";
import { eventually } from "./eventually.ts";

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: { readonly id?: string; readonly name?: string; readonly to?: string };
}

type Answer = (call: Call, request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A service that keeps what it was sent, with a rule that may answer otherwise. */
async function startService(special: Answer): Promise<{ url: string; calls: Call[]; close(): Promise<void> }> {
  const calls: Call[] = [];
  const server = http.createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const call = { method: request.method ?? "", url: request.url ?? "", body: text === "" ? {} : JSON.parse(text) };
    calls.push(call);
    special(call, request, response);
    if (response.writableEnded || response.destroyed || response.headersSent || held.has(response)) return;
    const known = new Set(calls.filter(({ url }) => url === "/projects").map(({ body }) => body.id));
    const [, projects, id] = call.url.split(/[/?]/);
    const isNew = call.method === "POST" && !call.url.endsWith("/transfer");
    const exists = projects === "projects" && (id === undefined || id.startsWith("limit=") || known.has(id));
    response.writeHead(exists ? (isNew ? 201 : 200) : 404).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Answers that a test holds back. */
const held = new WeakSet<http.ServerResponse>();
const hold: Answer = (_call, _request, response) => void held.add(response);
const asUsual: Answer = () => {};

describe("The load generator", () => {
  const services: { close(): Promise<void> }[] = [];
  const loads: Load[] = [];

  async function start(
    special: Answer,
    options: Partial<LoadOptions> = {},
  ): Promise<{ load: Load; calls: readonly Call[] }> {
    const service = await startService(special);
    services.push(service);
    const load = startLoad({ url: service.url, ...options });
    loads.push(load);
    return { load, calls: service.calls };
  }

  afterEach(async () => {
    await Promise.all(loads.splice(0).map((load) => load.stop(1)));
    await Promise.all(services.splice(0).map((service) => service.close()));
  });

  it("sends exactly the rate times the time, and every request succeeds against a service that keeps what it acknowledges", async () => {
    const { load, calls } = await start(asUsual, { rate: 400, seconds: 0.5 });
    await load.done;
    assert.equal(load.outcomes.length, 200);
    assert.equal(calls.length, 200);
    assert.deepEqual(failureGroups(load.outcomes), []);
    assert.equal(load.inFlight, 0);
    assert.ok(load.outcomes.every(({ latencyMs }) => latencyMs > 0));
  });

  it("mixes reads, lists and writes, each write with an id of its own, and knows the acknowledged ones", async () => {
    const { load, calls } = await start(asUsual, { rate: 600, seconds: 0.4 });
    await load.done;
    const kinds = new Set(load.outcomes.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), ["add member", "create", "list", "read", "rename", "transfer"]);
    const created = calls
      .filter(({ method, url }) => method === "POST" && /^\/projects(\/[^/]+\/members)?$/.test(url))
      .map(({ body }) => body.id);
    assert.ok(created.length >= 60, `${created.length}`);
    assert.equal(new Set(created).size, created.length);
    assert.deepEqual([...load.acknowledgedIds].sort(), created.sort());
    const writes = calls.filter(({ method, body }) => method === "POST" && body.id !== undefined);
    assert.equal(new Set(writes.map(({ body }) => body.id)).size, writes.length);
  });

  it("does not take a write as acknowledged that was not answered with 201", async () => {
    const { load } = await start((_call, _request, response) => void response.writeHead(200).end("{}"), {
      rate: 200,
      seconds: 0.1,
    });
    await load.done;
    assert.deepEqual(load.acknowledgedIds, []);
    assert.deepEqual(failureGroups(load.outcomes), [{ failure: "200", count: 20, example: "{}" }]);
  });

  it("does not wait for answers: a service that is silent gets the next request all the same", async () => {
    const { load, calls } = await start(hold, { rate: 300 });
    await eventually("sixty requests arrive", 5_000, () => calls.length >= 60);
    assert.deepEqual(load.outcomes, []);
    assert.ok(load.inFlight >= 60);
    await load.stop(10);
    assert.deepEqual(
      failureGroups(load.outcomes).map(({ failure, example }) => [failure, example]),
      [["CLIENT_STOPPED", "not answered within 10 ms after the load was stopped"]],
    );
  });

  it("sends no more than its limit at once, and counts each further request as failed", async () => {
    const { load, calls } = await start(hold, { rate: 200, seconds: 0.3, maxInFlight: 25 });
    await eventually("the last request is refused", 5_000, () => load.outcomes.length === 35);
    await eventually("the accepted requests arrive", 5_000, () => calls.length === 25);
    assert.equal(load.inFlight, 25);
    assert.deepEqual(failureGroups(load.outcomes), [
      { failure: "GENERATOR_SATURATED", count: 35, example: "25 requests were on their way" },
    ]);
  });

  it("sends a burst at once, beside the steady rate", async () => {
    const { load, calls } = await start(hold, { rate: 0.01 });
    load.burst(40);
    assert.equal(load.inFlight, 40);
    await eventually("the burst arrives", 5_000, () => calls.length === 40);
    await load.stop(1);
    assert.equal(load.outcomes.length, 40);
    load.burst(40);
    assert.equal(load.inFlight, 0);
  });

  it("gives a request up after its time-out, also in the middle of an answer", async () => {
    const stuck: Answer = (call, _request, response) => {
      if (call.url === "/projects") response.writeHead(201).write("{");
    };
    const { load } = await start(stuck, { rate: 100, seconds: 0.1, timeoutMs: 100 });
    await load.done;
    assert.deepEqual(failureGroups(load.outcomes), [
      { failure: "201 CLIENT_TIMEOUT", count: 10, example: "no whole answer within 100 ms" },
    ]);
    assert.deepEqual(load.acknowledgedIds, []);
  });

  it("tells failures apart by status and code, with what the first one said", async () => {
    let call = 0;
    const failing: Answer = (_call, _request, response) => {
      const which = call++ % 4;
      if (which === 0) response.destroy();
      else if (which === 1) response.writeHead(503).end("<h1>503</h1>");
      else
        response
          .writeHead(500)
          .end(JSON.stringify({ error: { code: "DATABASE_UNAVAILABLE", message: `no ${which}` } }));
    };
    const { load } = await start(failing, { rate: 100, seconds: 0.2 });
    await load.done;
    const groups = failureGroups(load.outcomes);
    assert.deepEqual(
      groups.map(({ failure, count }) => [failure, count]),
      [
        ["500 DATABASE_UNAVAILABLE", 10],
        ["503", 5],
        ["ECONNRESET", 5],
      ],
    );
    assert.match(groups[0]?.example ?? "", /^\{"error":\{"code":"DATABASE_UNAVAILABLE","message":"no [23]"/);
    assert.equal(groups[1]?.example, "<h1>503</h1>");
  });

  it("counts an answer that breaks off as failed, whatever its status", async () => {
    const breaking: Answer = (_call, _request, response) => {
      response.writeHead(201, { "content-length": "10" }).write("{");
      setImmediate(() => response.destroy());
    };
    const { load } = await start(breaking, { rate: 100, seconds: 0.1 });
    await load.done;
    assert.deepEqual(
      failureGroups(load.outcomes).map(({ failure, count }) => [failure, count]),
      [["201 ECONNRESET", 10]],
    );
  });

  it("says so when nobody listens, and keeps going", async () => {
    const load = startLoad({ url: "http://127.0.0.1:1", rate: 100, seconds: 0.1 });
    await load.done;
    const [group] = failureGroups(load.outcomes);
    assert.deepEqual([group?.failure, group?.count], ["ECONNREFUSED", 10]);
  });

  it("refuses a rate that is not above zero", () => {
    for (const rate of [0, -1, Number.NaN]) {
      assert.throws(() => startLoad({ url: "http://127.0.0.1:1", rate }), {
        name: "RangeError",
        message: `rate is ${rate}; a number above 0 is needed`,
      });
    }
  });

  it("does not take a success for a failure when it groups", () => {
    const outcome: Outcome = { kind: "read", startedAt: 0, latencyMs: 1, succeeded: true, status: 200 };
    assert.deepEqual(failureGroups([outcome]), []);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createServer } from "../../app/server.ts";
import { eventually } from "../local/eventually.ts";
import { apiFixture, assertProblem } from "./api-fixture.ts";

describe("The server", () => {
  const api = apiFixture({ requestDeadlineSeconds: 1 });

  it("answers an unknown route with a JSON error", async () => {
    assertProblem(await api.ask("GET", "/nope?x=1"), 404, "ROUTE_NOT_FOUND", /^There is no GET \/nope$/);
    assertProblem(await api.ask("PUT", "/projects", {}), 404, "ROUTE_NOT_FOUND", /^There is no PUT \/projects$/);
  });

  it("answers a path that cannot be decoded, or that is too long, with a JSON error of its own", async () => {
    assertProblem(await api.ask("GET", "/projects/%ZZ"), 400, "BAD_REQUEST", /^The request cannot be understood$/);
    const long = await api.ask("GET", `/projects/${"x".repeat(101)}`);
    assertProblem(long, 414, "BAD_REQUEST", /^The request cannot be understood$/);
  });

  it("answers a length that is not the body's, and a parameter given twice", async () => {
    const headers = { "content-type": "application/json", "content-length": "5" };
    const payload = '{"name":"x"}';
    const wrong = await api.server.inject({ method: "POST", url: "/projects", headers, payload });
    assertProblem(wrong, 400, "BAD_REQUEST", /^The request cannot be understood$/);
    assertProblem(await api.ask("GET", "/projects?limit=1&limit=2"), 400, "VALIDATION", /^querystring limit: /);
  });

  const bodies: readonly [string, string, string | undefined, number, string, RegExp][] = [
    ["malformed JSON", '{"name": ', "application/json", 400, "MALFORMED_JSON", /^The body is not valid JSON$/],
    ["an empty body", "", "application/json", 400, "MALFORMED_JSON", /^The body is empty: send JSON$/],
    ["a prototype in JSON", '{"__proto__": {"a": 1}}', "application/json", 400, "MALFORMED_JSON", /not valid JSON/],
    ["a form", "name=x", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE", /application\/json/],
    ["text", "x", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE", /application\/json/],
    ["too much", JSON.stringify({ name: "x".repeat(70_000) }), "application/json", 413, "PAYLOAD_TOO_LARGE", /larger/],
  ];
  for (const [what, payload, type, status, code, message] of bodies) {
    it(`refuses ${what} with a JSON error`, async () => {
      const headers = type === undefined ? {} : { "content-type": type };
      assertProblem(
        await api.server.inject({ method: "POST", url: "/projects", headers, payload }),
        status,
        code,
        message,
      );
    });
  }

  it("gives each request an id, and keeps a sane one of the caller's", async () => {
    const first = await api.ask("GET", "/livez");
    const second = await api.ask("GET", "/livez");
    assert.match(String(first.headers["x-request-id"]), /^[0-9a-f-]{36}$/);
    assert.notEqual(first.headers["x-request-id"], second.headers["x-request-id"]);
    const given = { "x-request-id": "Root=1-67891233-abcdef012345678912345678".replace("=", ":") };
    const kept = await api.server.inject({ url: "/nope", headers: given });
    assertProblem(kept, 404, "ROUTE_NOT_FOUND", /nope/);
    assert.equal(kept.headers["x-request-id"], given["x-request-id"]);
    for (const odd of ["a b", 'x"y', "x".repeat(129), ""]) {
      const replaced = await api.server.inject({ url: "/livez", headers: { "x-request-id": odd } });
      assert.match(String(replaced.headers["x-request-id"]), /^[0-9a-f-]{36}$/);
    }
  });

  it("writes one line for each request, with its id, and none for a check of its health", async () => {
    const answer = await api.server.inject({ url: "/projects?limit=1", headers: { "x-request-id": "mine-1" } });
    assert.equal(answer.statusCode, 200);
    await api.server.inject({ url: "/livez", headers: { "x-request-id": "mine-2" } });
    const lines = api.log.lines().filter(({ requestId }) => String(requestId).startsWith("mine-"));
    assert.equal(lines.length, 1);
    const { method, url, status, ms, msg } = lines[0] ?? assert.fail();
    assert.deepEqual(
      { method, url, status, msg },
      { method: "GET", url: "/projects?limit=1", status: 200, msg: "request" },
    );
    assert.equal(typeof ms, "number");
  });

  it("gives a request up at its deadline", async () => {
    const { id } = await api.createProject();
    const blocker = await api.pool.connect();
    await blocker.query("BEGIN");
    await blocker.query("SELECT 1 FROM projects WHERE id = $1 FOR UPDATE", [id]);
    const started = performance.now();
    const answer = await api.ask("PATCH", `/projects/${id}`, { name: "late" });
    assertProblem(answer, 503, "REQUEST_DEADLINE", /given up; it may have taken effect$/);
    assert.ok(performance.now() - started >= 900);
    await blocker.query("ROLLBACK");
    blocker.release();
    await eventually("the connection comes back", 3_000, () => api.pool.idleCount === api.pool.totalCount);
  });

  it("has the limits of its configuration", () => {
    const configuration = { requestDeadlineSeconds: 100, keepAliveSeconds: 130 };
    const server = createServer({ pool: api.pool, logger: api.log.logger, configuration, secrets: [] });
    assert.equal(server.server.keepAliveTimeout, 130_000);
    assert.equal(server.server.requestTimeout, 100_000);
    assert.equal(server.initialConfig.bodyLimit, 65_536);
  });

  it("tells a client nothing of an error that nobody foresaw, and the log everything", async () => {
    const { pool, log } = api;
    const configuration = { requestDeadlineSeconds: 1, keepAliveSeconds: 1 };
    const server = createServer({ pool, logger: log.logger, configuration, secrets: [] });
    server.get("/broken", () => {
      throw new TypeError("internals: the table members");
    });
    const answer = await server.inject({ url: "/broken", headers: { "x-request-id": "broken-1" } });
    assertProblem(answer, 500, "INTERNAL", /^Something went wrong on our side$/);
    assert.ok(!answer.body.includes("internals"));
    const [line, ...others] = log
      .lines()
      .filter(({ level, requestId }) => level === "error" && requestId === "broken-1");
    assert.deepEqual(others, []);
    assert.match(JSON.stringify(line), /internals: the table members/);
    await server.close();
  });
});

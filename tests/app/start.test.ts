import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, createServer } from "node:net";
import { afterEach, before, describe, it } from "mocha";
import pg from "pg";
import { createMigration } from "../../app/migrate.ts";
import { createService, type Service } from "../../app/start.ts";
import { eventually, isClosed } from "../local/eventually.ts";
import { type CapturedLog, captureLog } from "./captured-log.ts";
import { developmentConfiguration } from "./development.ts";
import { Gate } from "./gate.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

describe("The service", () => {
  let database: TestDatabase;
  let log: CapturedLog;
  const closing: (() => Promise<void>)[] = [];

  before(async () => {
    database = await createTestDatabase();
    log = captureLog();
    const migration = createMigration(developmentConfiguration(database), log.logger);
    await migration.run();
    await migration.stop();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  function create(settings: Parameters<typeof developmentConfiguration>[1] = {}, port = database.port): Service {
    const service = createService(developmentConfiguration(database, settings, { port }), log.logger);
    // A second stop is refused; the first one is what the tests are about.
    closing.push(() => service.stop().catch(() => {}));
    return service;
  }

  it("listens only after its first successful query", async () => {
    const gate = await Gate.listen(database.port);
    closing.push(() => gate.close());
    const port = await freePort();
    const starting = create({ port }, gate.port).start();
    await eventually("the database is asked", 3_000, () => gate.accepted === 1);
    assert.equal(await isClosed(port), true);
    gate.open();
    assert.equal(await starting, `http://127.0.0.1:${port}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: "close" } });
    assert.equal(answer.status, 200);
  });

  it("does not listen when the database refuses", async () => {
    const port = await freePort();
    const service = create({ port }, 1);
    await assert.rejects(service.start(), { code: "ECONNREFUSED" });
    assert.equal(await isClosed(port), true);
  });

  it("that is stopped while it waits for the database never listens", async () => {
    const gate = await Gate.listen(database.port);
    const port = await freePort();
    const service = create({ port }, gate.port);
    const starting = assert.rejects(service.start());
    await eventually("the database is asked", 3_000, () => gate.accepted === 1);
    const stopping = service.stop();
    await gate.close();
    await Promise.all([starting, stopping]);
    assert.equal(await isClosed(port), true);
  });

  it("that is stopped finishes what runs, on a connection that is kept alive, and refuses what is new", async () => {
    const service = create({ keepAliveSeconds: 60 });
    const { port, hostname } = new URL(await service.start());
    const agent = new Agent({ keepAlive: true });
    closing.push(async () => agent.destroy());
    const blocked = await block(database);
    // One that never asks for anything, and one whose first request comes while the service stops.
    const [silent, late] = [connect(Number(port), hostname), connect(Number(port), hostname)];
    await Promise.all([once(silent, "connect"), once(late, "connect")]);
    // The server accepts in order: once this request waits, both are its own.
    const answer = ask(agent, Number(port), "/projects");
    await blocked.someoneWaits();
    const stopping = service.stop();
    await eventually("the port is closed", 3_000, () => isClosed(Number(port)));
    late.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    const [text] = (await once(late, "data")) as [Buffer];
    assert.match(text.toString(), /^HTTP\/1\.1 200 OK/);
    assert.match(text.toString(), /^connection: close\r$/m);
    await blocked.end();
    const { statusCode, headers } = await answer;
    const finished = performance.now();
    assert.equal(statusCode, 200);
    assert.equal(headers.connection, "close");
    await stopping;
    // Not at the end of the keep-alive time-out.
    assert.ok(performance.now() - finished < 3_000);
    const sessions = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND usename = $2";
    assert.deepEqual(await database.query(sessions, [database.name, database.user]), []);
    assert.equal(silent.closed || (await once(silent, "close")).length > 0, true);
  });
});

/** Holds the table of projects until it is ended. */
async function block(database: TestDatabase) {
  const { host, port, user, password, name } = database;
  const client = new pg.Client({ host, port, user, password, database: name });
  await client.connect();
  await client.query("BEGIN; LOCK TABLE projects IN ACCESS EXCLUSIVE MODE");
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'";
  return {
    someoneWaits: () =>
      eventually("a request waits for the table", 3_000, async () => {
        return (await database.query(waiting, [name])).length > 0;
      }),
    end: () => client.end(),
  };
}

async function ask(agent: Agent, port: number, path: string): Promise<IncomingMessage> {
  const request = get({ agent, port, path, host: "127.0.0.1" });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen");
  server.close();
  await once(server, "close");
  return address.port;
}

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { after, before } from "mocha";
import type pg from "pg";
import type { ServiceConfiguration } from "../../app/config.ts";
import { createMigration } from "../../app/migrate.ts";
import { createPool, secretsOf } from "../../app/pool.ts";
import { createServer } from "../../app/server.ts";
import { type CapturedLog, captureLog } from "./captured-log.ts";
import { developmentConfiguration } from "./development.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE" | "PUT";

export interface Created {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

/** The API on a migrated database, asked without a socket. */
export interface ApiFixture {
  readonly database: TestDatabase;
  readonly pool: pg.Pool;
  readonly log: CapturedLog;
  readonly server: FastifyInstance;
  ask(method: Method, url: string, payload?: object): Promise<LightMyRequestResponse>;
  createProject(name?: string): Promise<Created>;
  createMember(projectId: string, role?: "owner" | "member"): Promise<Created>;
}

/** Registers the hooks in the suite that calls it. */
export function apiFixture(settings: Partial<Omit<ServiceConfiguration, "database">> = {}): ApiFixture {
  let database: TestDatabase;
  let pool: pg.Pool;
  let server: FastifyInstance;
  const log = captureLog();

  before(async () => {
    database = await createTestDatabase();
    const configuration = developmentConfiguration(database, settings);
    const migration = createMigration(configuration, log.logger);
    await migration.run();
    await migration.stop();
    pool = createPool(configuration, log.logger);
    server = createServer({ pool, logger: log.logger, configuration, secrets: secretsOf(configuration) });
  });
  after(async () => {
    await server.close();
    await pool.end();
  });

  async function create(url: string, payload: object): Promise<Created> {
    const response = await fixture.ask("POST", url, payload);
    assert.equal(response.statusCode, 201, response.body);
    return response.json<Created>();
  }

  const fixture: ApiFixture = {
    get database() {
      return database;
    },
    get pool() {
      return pool;
    },
    get server() {
      return server;
    },
    log,
    ask: (method, url, payload) => server.inject({ method, url, ...(payload === undefined ? {} : { payload }) }),
    createProject: (name = `project ${randomUUID()}`) => create("/projects", { name }),
    createMember: (projectId, role = "member") =>
      create(`/projects/${projectId}/members`, { name: `member ${randomUUID()}`, role }),
  };
  return fixture;
}

/** Asserts one error answer: its status, its code, its message, and that nothing else is in it. */
export function assertProblem(response: LightMyRequestResponse, status: number, code: string, message: RegExp): void {
  assert.equal(response.statusCode, status, response.body);
  assert.match(String(response.headers["content-type"]), /^application\/json/);
  const body = response.json<{ error: { code: string; message: string; requestId: string } }>();
  assert.deepEqual(Object.keys(body), ["error"]);
  assert.deepEqual(Object.keys(body.error), ["code", "message", "requestId"]);
  assert.equal(body.error.code, code);
  assert.match(body.error.message, message);
  assert.equal(body.error.requestId, response.headers["x-request-id"]);
}

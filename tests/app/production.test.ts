import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { eventually } from "../local/eventually.ts";
import {
  type CredentialsEndpoint,
  ENDPOINT_SECRETS,
  startCredentialsEndpoint,
} from "./postgres/credentials-endpoint.ts";
import { type Application, applications } from "./process-fixture.ts";
import { createTestDatabase, type TestDatabase } from "./test-database.ts";
import { TokenFront } from "./token-front.ts";

const WRONG_PASSWORD = "The password that was provided for the role app_master is wrong.";

describe("The application in production", () => {
  const start = applications();
  let database: TestDatabase;
  let front: TokenFront;
  let folder: string;
  const endpoints: CredentialsEndpoint[] = [];

  before(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), "production-"));
  });
  beforeEach(async () => {
    front = await TokenFront.listen(database);
    await writeFile(join(folder, "ca.pem"), front.caPem);
  });
  afterEach(async () => {
    await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
    await front.close();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function credentials(): Promise<CredentialsEndpoint> {
    const endpoint = await startCredentialsEndpoint();
    endpoints.push(endpoint);
    return endpoint;
  }

  function run(word: string, endpoint: CredentialsEndpoint, more: Record<string, string> = {}): Application {
    return start([word], {
      ENV: "production",
      AWS_REGION: "eu-west-2",
      DB_HOST: "localhost",
      DB_PORT: String(front.port),
      POSTGRES_DB: database.name,
      POSTGRES_USER: database.user,
      PORT: "0",
      REQUEST_DEADLINE_SECONDS: "10",
      KEEP_ALIVE_SECONDS: "60",
      DRAIN_SECONDS: "5",
      MIGRATION_DEADLINE_SECONDS: "10",
      DB_POOL_SIZE: "40",
      DB_CONNECT_RETRY_SECONDS: "5",
      DB_ACQUIRE_SECONDS: "8",
      DB_CONNECTION_LIFETIME_SECONDS: "60",
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
      ...endpoint.environment,
      ...more,
    });
  }

  function assertNoSecret(application: Application): void {
    const written = application.stdout() + application.stderr();
    for (const secret of ENDPOINT_SECRETS) assert.ok(!written.includes(secret), secret);
    assert.doesNotMatch(written, /X-Amz-(?:Signature|Credential|Security-Token)=(?!\[scrubbed\])/i);
    for (const token of front.tokens) assert.ok(!written.includes(token.slice(-64)));
  }

  it("migrates as soon as a fresh grant is known, with tokens of its own", async () => {
    front.refuse = () =>
      front.tokens.length <= 2
        ? "The IAM authentication failed for the role app_master. Check the IAM token for this role and try again."
        : undefined;
    const migration = run("migrate", await credentials());
    assert.equal(await migration.exited, 0);
    assert.equal(((await migration.logged("Migrated")).migrations as string[]).length, 2);
    const events = migration.lines().filter(({ logger }) => logger === "db-auth");
    assert.deepEqual(
      events.map(({ level, code, reason }) => [level, code, reason]),
      [1, 2].map(() => ["info", "RETRYING", "GRANT_NOT_YET_KNOWN"]),
    );
    assert.equal(front.tokens.length, 3);
    assertNoSecret(migration);
  });

  it("waits out a rotation window, fetches its credentials once, and stops at SIGTERM", async () => {
    front.refuse = () => (front.tokens.length <= 1 ? WRONG_PASSWORD : undefined);
    const endpoint = await credentials();
    const service = run("serve", endpoint);
    const { port } = new URL(await service.address());
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => fetch(`http://127.0.0.1:${port}/projects`).then((answer) => answer.status)),
    );
    assert.deepEqual([...new Set(answers)], [200]);
    assert.equal(endpoint.fetches(), 1);
    await eventually("each connection has shown its token", 2_000, () => front.tokens.length === front.accepted);
    assert.equal(new Set(front.tokens.map((token) => new URL(`https://${token}`).host)).size, 1);
    const codes = service
      .lines()
      .filter(({ logger }) => logger === "db-auth")
      .map(({ code }) => code);
    assert.deepEqual(codes, ["RETRYING"]);
    service.terminate();
    assert.equal(await service.exited, 0);
    assert.equal(service.stderr(), "");
    assertNoSecret(service);
  });

  it("does not start when no token can be minted, and opens no socket for it", async () => {
    // No source of credentials is left: asking one that refuses takes the SDK three more seconds.
    const service = run("serve", await credentials(), { AWS_CONTAINER_CREDENTIALS_FULL_URI: "" });
    assert.equal(await service.exited, 1);
    assert.equal(front.accepted, 0);
    const errors = service.lines().filter(({ logger, level }) => logger === "db-auth" && level === "error");
    assert.deepEqual(
      errors.map(({ code, host, user, region, reason }) => [code, host, user, region, reason]),
      [["CONNECT_FAILED", "localhost", "app_master", "eu-west-2", "MINT_FAILED"]],
    );
    const { code, err } = await service.logged("The service did not start");
    assert.equal(code, "CONNECT_FAILED");
    assert.match(JSON.stringify(err), /CredentialsProviderError/);
    assertNoSecret(service);
  });

  it("does not start on a server that it cannot verify, and sends it no token", async () => {
    const stranger = await TokenFront.listen(database);
    const service = run("serve", await credentials(), { DB_PORT: String(stranger.port) });
    assert.equal(await service.exited, 1);
    assert.deepEqual(stranger.tokens, []);
    const { code, err } = await service.logged("The service did not start");
    assert.equal(code, "CONNECT_FAILED");
    assert.match(JSON.stringify(err), /CERT|UNABLE_TO_VERIFY/);
    await stranger.close();
  });

  it("exits with 0 at once when SIGTERM comes in the middle of a rotation window", async () => {
    front.refuse = () => WRONG_PASSWORD;
    const service = run("serve", await credentials());
    await service.logged("Connecting again");
    const asked = performance.now();
    service.terminate();
    assert.equal(await service.exited, 0);
    assert.ok(performance.now() - asked < 3_000);
    assert.ok(service.lines().every(({ level }) => level === "info"));
  });
});

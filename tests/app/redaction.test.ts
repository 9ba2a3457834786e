import assert from "node:assert/strict";
import { inspect } from "node:util";
import { Signer } from "@aws-sdk/rds-signer";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, it } from "mocha";
import type pg from "pg";
import { readConfiguration } from "../../app/config.ts";
import { createPool, secretsOf } from "../../app/pool.ts";
import { createServer } from "../../app/server.ts";
import { type CapturedLog, captureLog } from "./captured-log.ts";
import { developmentConfiguration } from "./development.ts";
import { CREDENTIALS, fakeClock, IDENTITY, poolFixture, WRONG_PASSWORD } from "./postgres/pool-fixture.ts";

/** A session token as AWS's, with what has to be encoded in a URL. */
const SESSION_TOKEN = "FwoGZXIvYXdzEJr//////////session+token==";

describe("A secret", () => {
  const fixture = poolFixture();
  const servers: FastifyInstance[] = [];

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  function serve(pool: pg.Pool, log: CapturedLog = fixture.log, secrets: readonly string[] = []): FastifyInstance {
    const configuration = { requestDeadlineSeconds: 5, keepAliveSeconds: 5 };
    const server = createServer({ pool, logger: log.logger, configuration, secrets });
    servers.push(server);
    return server;
  }

  function signer(port = fixture.front.port): Signer {
    const { host, user, region } = IDENTITY;
    const credentials = { ...CREDENTIALS, sessionToken: SESSION_TOKEN };
    return new Signer({ hostname: host, port, username: user, region, credentials });
  }

  /** Everything that must not be seen: the keys, and of each token that was sent the parts that authenticate, encoded or not. */
  function secrets(tokens: readonly string[]): readonly string[] {
    const parts = tokens.flatMap((token) =>
      ["Signature", "Credential", "Security-Token"].map(
        (name) => new RegExp(`X-Amz-${name}=([^&]+)`).exec(token)?.[1] ?? assert.fail(`no ${name} in the token`),
      ),
    );
    return [...parts, ...parts.map(decodeURIComponent), CREDENTIALS.secretAccessKey, SESSION_TOKEN];
  }

  function assertAbsent(what: string, text: string, forbidden: readonly string[]): void {
    for (const secret of forbidden) assert.ok(!text.includes(secret), `${what} shows ${secret.slice(0, 6)}…`);
  }

  /** Fails in one way, by the pool itself, over HTTP and in a readiness check; nothing that is written may show a secret. */
  async function provoke(options: Parameters<typeof fixture.createPool>[0], expected: RegExp): Promise<void> {
    const pool = fixture.createPool({ clock: fakeClock(), connectRetryMillis: 300, signer: signer(), ...options });
    let thrown: unknown;
    await assert.rejects(pool.query("SELECT 1"), (error) => {
      thrown = error;
      return expected.test(String(error));
    });
    const server = serve(pool);
    const answers = await Promise.all([server.inject("/projects"), server.inject("/readyz")]);
    for (const { statusCode, body } of answers) {
      assert.equal(statusCode, 503);
      assert.ok(!expected.test(body), "The answer shows the driver's text");
    }
    assert.match(fixture.log.text(), expected);
    const written = [
      fixture.log.text(),
      inspect(thrown, { depth: 9, showHidden: true }),
      ...answers.map((a) => a.body),
    ];
    assertAbsent("Something written", written.join("\n"), secrets(fixture.front.tokens));
  }

  const IAM_FAILURE =
    "The IAM authentication failed for the role app_master. Check the IAM token for this role and try again.";
  for (const [what, text] of [
    ["the wrong password of a rotation", WRONG_PASSWORD],
    ["a failed IAM authentication", IAM_FAILURE],
    ["a final refusal", "Feature not supported: RDS Proxy currently doesn't support the option x."],
  ] as const) {
    it(`is in nothing that is written after ${what}, budget exhausted`, async () => {
      fixture.front.refuse = () => text;
      await provoke({}, new RegExp(text.slice(0, 30)));
      assert.ok(fixture.front.tokens.length >= 3);
    });
  }

  it("is in nothing that is written when the server is not the one it says", async () => {
    const stranger = await fixture.listen();
    await provoke({ port: stranger.port, signer: signer(stranger.port) }, /certificate|self-signed/);
    assert.deepEqual(stranger.tokens, []);
  });

  it("is in nothing that is written when the database is down", async () => {
    await provoke({ port: 1, signer: signer(1) }, /ECONNREFUSED/);
  });

  it("is in nothing that is written when the server is silent", async () => {
    fixture.front.silent = true;
    await provoke({ reachTimeoutMillis: 20, connectRetryMillis: 1 }, /gave no TLS connection within 20 ms/);
  });

  it("is in no log and no answer although a server sends the token back, or a mint fails with it", async () => {
    fixture.front.refuse = (token) => `The password that was provided for the role ${token} is wrong.`;
    const pool = fixture.createPool({ clock: fakeClock(), connectRetryMillis: 300, signer: signer() });
    const token = await signer().getAuthToken();
    const failing = { getAuthToken: () => Promise.reject(new Error(`cannot sign https://${token}`)) };
    const minting = fixture.createPool({ signer: failing });
    const answers = await Promise.all([serve(pool).inject("/projects"), serve(minting).inject("/readyz")]);
    assert.ok(fixture.front.tokens.length >= 1);
    assert.match(fixture.log.text(), /is wrong/);
    assert.match(fixture.log.text(), /cannot sign/);
    const written = [fixture.log.text(), ...answers.map(({ body }) => body)].join("\n");
    assertAbsent("A log or an answer", written, secrets([...fixture.front.tokens, token]));
    assert.match(written, /X-Amz-Signature=\[scrubbed\]/);
  });

  it("that a client sends is neither logged nor sent back", async () => {
    const token = await signer().getAuthToken();
    const [, query = ""] = token.split("?");
    const answer = await serve(fixture.createPool()).inject(`/projects?${query}`);
    assert.equal(answer.statusCode, 400);
    const parts = secrets([token]);
    assertAbsent("The answer", answer.body, parts);
    assertAbsent("The log", fixture.log.text(), parts);
    assert.match(fixture.log.text(), /\/projects\?/);
  });

  it("of a developer is in nothing that is written when the password is wrong, or the client guesses it", async () => {
    const password = "pass-w0rd/of mine";
    const configuration = developmentConfiguration({ ...fixture.database, password });
    const log = captureLog(secretsOf(configuration));
    const pool = createPool(configuration, log.logger);
    const server = serve(pool, log, secretsOf(configuration));
    let thrown: unknown;
    await assert.rejects(pool.query("SELECT 1"), (error) => {
      thrown = error;
      return true;
    });
    const encoded = encodeURIComponent(password);
    const answers = [await server.inject("/projects"), await server.inject(`/${encoded}?q=${encoded}`)];
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [503, 404],
    );
    const written = [log.text(), inspect(thrown, { depth: 9 }), ...answers.map(({ body }) => body)].join("\n");
    assert.match(written, /28P01/);
    assert.match(written, /There is no GET \/\[scrubbed\]/);
    assertAbsent("Something written", written, [password, encoded]);
    await pool.end();
  });

  it("in the environment of production is refused without being shown", () => {
    for (const name of ["POSTGRES_PASSWORD", "PGPASSWORD"]) {
      assert.throws(
        () => readConfiguration({ ENV: "production", [name]: "hunter2" }),
        (error) => {
          const written = inspect(error, { depth: 9, showHidden: true });
          assert.match(written, new RegExp(`${name} is set`));
          assertAbsent("The error", written, ["hunter2"]);
          return true;
        },
      );
    }
  });
});

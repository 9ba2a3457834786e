import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { CREDENTIALS, IDENTITY, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import type { SeenSpan } from "./traced-work.ts";

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What a process did that was traced from its start. */
interface Work {
  readonly spans: readonly SeenSpan[];
  readonly tokens: readonly string[];
}

describe("Spans of OpenTelemetry's instrumentation of pg, for a pool", () => {
  const fixture = poolFixture();
  let work: Promise<Work> | undefined;

  /** One process serves every test: what it does is independent of what they look at. */
  async function trace(): Promise<Work> {
    const { front, database } = fixture;
    front.refuse = () => (front.startups.at(-1)?.database === "refused" ? WRONG_PASSWORD : undefined);
    const child = fork(beside("traced-work.ts"), {
      execArgv: ["--import", beside("register-tracing.ts")],
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    const pool = { ...IDENTITY, port: front.port, ca: front.caPem, database: database.name };
    child.stdin?.end(JSON.stringify({ pool, credentials: CREDENTIALS }));
    const exited = once(child, "exit");
    const told = once(child, "message", { signal: AbortSignal.timeout(15_000) });
    const [spans] = (await Promise.race([told, exited.then(() => assert.fail("It ended without a word"))])) as [
      SeenSpan[],
    ];
    await exited;
    return { spans, tokens: front.tokens };
  }

  /** Every span in the trace of the root span of that name, each with its parent, in the order in which they ended. */
  async function traceOf(root: string): Promise<readonly string[]> {
    work ??= trace();
    const { spans } = await work;
    const { trace: id } = spans.find(({ name, parent }) => name === root && parent === undefined) ?? assert.fail();
    const nameOf = (span: string | undefined) => spans.find((other) => other.id === span)?.name;
    return spans
      .filter((span) => span.trace === id && span.parent !== undefined)
      .map(({ name, parent }) => `${name.replace(/ app_\d+$/, "")} < ${nameOf(parent)}`);
  }

  it("show a statement under its caller, and the connection that was made for it", async () => {
    assert.deepEqual(await traceOf("first"), [
      "pg.connect < pg-pool.connect",
      "pg-pool.connect < first",
      "pg.query:SELECT < first",
    ]);
  });

  it("show no connection where one was idle", async () => {
    assert.deepEqual(await traceOf("idle"), ["pg-pool.connect < idle", "pg.query:SELECT < idle"]);
  });

  it("show every statement of a transaction under its caller", async () => {
    assert.deepEqual(await traceOf("transaction"), [
      "pg-pool.connect < transaction",
      "pg.query:BEGIN < transaction",
      "pg.query:SELECT < transaction",
      "pg.query:COMMIT < transaction",
    ]);
  });

  it("show what a callback does under the caller", async () => {
    assert.deepEqual(await traceOf("callback"), [
      "pg-pool.connect < callback",
      "pg.query:SELECT < callback",
      "in callback < callback",
    ]);
  });

  it("show a statement that waited under its caller, and not under who gave the connection back", async () => {
    assert.deepEqual(await traceOf("releaser"), []);
    assert.deepEqual(await traceOf("queued"), ["pg-pool.connect < queued", "pg.query:SELECT < queued"]);
  });

  it("show each of several connections under the caller that it is made for", async () => {
    for (const caller of ["one of two", "two of two"]) {
      assert.deepEqual(await traceOf(caller), ["pg.connect < pg-pool.connect", `pg-pool.connect < ${caller}`]);
    }
  });

  it("show a connection that failed as an error, and no statement", async () => {
    assert.deepEqual(await traceOf("refused"), ["pg.connect < pg-pool.connect", "pg-pool.connect < refused"]);
    const failed = (await work)?.spans.filter(({ said }) => said.status.code === 2);
    assert.deepEqual(
      failed?.map(({ name, said }) => [name, said.status.message]),
      [
        ["pg.connect", WRONG_PASSWORD],
        ["pg-pool.connect", WRONG_PASSWORD],
      ],
    );
  });

  it("hold no part of a token", async () => {
    await traceOf("first");
    const { spans, tokens } = (await work) ?? assert.fail();
    const text = decodeURIComponent(JSON.stringify(spans));
    assert.equal(tokens.length, 4);
    for (const token of tokens) {
      const { searchParams } = new URL(`https://${token}`);
      for (const part of ["Signature", "Credential", "Security-Token"]) {
        const value = searchParams.get(`X-Amz-${part}`) ?? assert.fail(`The token has no ${part}`);
        assert.equal(text.includes(value), false, part);
      }
    }
    assert.equal(text.includes("X-Amz"), false);
    assert.ok(text.includes("SELECT 1"));
  });
});

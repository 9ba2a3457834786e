import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import type pg from "pg";
import type { Kind } from "../drop-in/both-pools.ts";
import { poolProcesses } from "../drop-in/pool-process.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";
import { plainPools } from "./plain-pools.ts";

/** The part of the front's tokens that authenticates, of the last or of all. */
function signatures(tokens: readonly string[]): readonly string[] {
  return tokens.map((token) => /X-Amz-Signature=([0-9a-f]{64})/.exec(token)?.[1] ?? assert.fail("It is no token"));
}

describe("Traps in keeping a secret", () => {
  const fixture = poolFixture();
  const plainPool = plainPools(fixture);

  describe("The token of a connection that stands", () => {
    const start = poolProcesses();
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "heap-"));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    /** Whether the token's signature is in the heap of a process that holds one connection, and in its environment. */
    async function reachable(kind: Kind): Promise<{ readonly heap: boolean; readonly environment: boolean }> {
      const file = join(folder, `${kind}.heapsnapshot`);
      // V8 cuts long strings short in a snapshot, and a token may be one.
      const process = start(kind, { snapshot: file }, fixture, { node: ["--heap-snapshot-string-limit=100000"] });
      const environment = await process.line();
      assert.equal(await process.exited, 0, process.stderr());
      const [signature] = signatures(fixture.front.tokens.splice(0));
      assert.ok(signature && environment);
      return { heap: (await readFile(file)).includes(signature), environment: environment.includes(signature) };
    }

    it("is in the heap of a process with pg.Pool, where a search finds it", async () => {
      assert.deepEqual(await reachable("pg.Pool"), { heap: true, environment: false });
    });

    it("is nowhere in the heap of a process with RdsIamPool", async () => {
      assert.deepEqual(await reachable("RdsIamPool"), { heap: false, environment: false });
    });
  });

  describe("The token", () => {
    /** Everything that a pool shows to whoever looks: itself, its client, their events, an error. */
    async function show(pool: pg.Pool): Promise<string> {
      const shown: unknown[] = [];
      for (const name of ["connect", "acquire", "release", "remove", "error"] as const) {
        pool.on(name, (...args: unknown[]) => shown.push(args));
      }
      const client = await pool.connect();
      shown.push(await client.query("SELECT 1/0").catch((error: unknown) => error));
      const full = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true };
      const text =
        inspect([pool, client, shown], full) + JSON.stringify([pool.options, client.connection.listenerCount]);
      client.release(true);
      return text + JSON.stringify(process.env);
    }

    it("is shown by the client of a pg.Pool to whoever inspects it with what is hidden", async () => {
      const text = await show(plainPool());
      const [signature] = signatures(fixture.front.tokens);
      assert.ok(signature && text.includes(signature));
    });

    it("is shown by nothing of RdsIamPool", async () => {
      const text = await show(fixture.createPool());
      const [signature] = signatures(fixture.front.tokens);
      assert.ok(signature && !text.includes(signature));
      assert.doesNotMatch(text, /X-Amz-/);
    });

    it("is in no error of an establishment that failed, and in no line of the log", async () => {
      fixture.front.refuse = () => WRONG_PASSWORD;
      const pool = fixture.createPool({ clock: fakeClock(), connectRetryMillis: 500 });
      await assert.rejects(pool.query("SELECT 1"), (error) => {
        const text = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + fixture.log.text();
        assert.ok(fixture.front.tokens.length > 1);
        for (const signature of signatures(fixture.front.tokens)) assert.ok(!text.includes(signature));
        return true;
      });
    });
  });
});

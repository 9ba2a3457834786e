import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import pg from "pg";
import { createAuthority } from "../../../local/certificates.ts";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";
import { type Reaper, startReaper } from "../../../local/reaper.ts";
import { eventually, isClosed, isGone } from "../eventually.ts";

describe("the restart of PostgreSQL", function () {
  this.timeout(30_000);
  let reaper: Reaper;
  let witness: Reaper;
  let processes: ChildProcess[];
  let tls: { readonly key: string; readonly cert: string };

  before(async () => {
    tls = await (await createAuthority()).issue(["database.example"]);
    reaper = startReaper({ log: () => {} });
    witness = {
      ...reaper,
      watchProcess: (child, options) => {
        processes.push(child);
        reaper.watchProcess(child, options);
      },
    };
  });
  beforeEach(() => {
    processes = [];
  });
  after(() => reaper.close());

  function start(): Promise<Postgres> {
    return startPostgres({
      majorVersion: 17,
      maxConnections: 23,
      forceSsl: true,
      master: { user: "app", password: "first" },
      database: "app",
      tls,
      reaper: witness,
      log: () => {},
    });
  }

  async function connected(postgres: Postgres): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: postgres.directUrl });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async function ask<Row extends pg.QueryResultRow>(postgres: Postgres, text: string): Promise<Row | undefined> {
    const client = await connected(postgres);
    try {
      return (await client.query<Row>(text)).rows.at(0);
    } finally {
      await client.end();
    }
  }

  async function hasEnded(postgres: Postgres): Promise<boolean> {
    return await Promise.race([postgres.exited.then(() => true), new Promise<false>((r) => setImmediate(r, false))]);
  }

  describe("while all goes well", () => {
    let postgres: Postgres;
    before(async () => {
      postgres = await start();
    });
    after(() => postgres?.stop());

    it("cuts clients off with 57P01 and gives the port, the data, the settings and the passwords to a new process", async () => {
      await postgres.setPassword("app", "second");
      await ask(postgres, "create table kept as select 7 as n");
      const settings = `select n, current_setting('max_connections') c, current_setting('ssl') s, current_setting('port') p,
        current_setting('data_directory') d, current_setting('fsync') f from kept`;
      const first = postgres.pid;
      const before = await ask<Record<string, string | number>>(postgres, settings);
      const client = await connected(postgres);
      const told = new Promise<string | undefined>((resolve) => {
        client.on("error", ({ code }: Error & { code?: string }) => code && resolve(code));
      });
      await postgres.restart();
      assert.equal(await told, "57P01");
      assert.deepEqual(await ask(postgres, settings), {
        n: 7,
        c: "23",
        s: "on",
        p: String(postgres.port),
        d: before?.d,
        f: "off",
      });
      assert.equal(before?.p, String(postgres.port));
      assert.notEqual(postgres.pid, first);
      assert.equal(await isGone(first), true);
      assert.equal(await hasEnded(postgres), false);
      const master = { host: "127.0.0.1", port: postgres.port, user: "app", database: "app" };
      const ssl = { rejectUnauthorized: false };
      await assert.rejects(new pg.Client({ ...master, password: "first", ssl }).connect(), { code: "28P01" });
      await assert.rejects(new pg.Client({ ...master, password: "second" }).connect(), { code: "28000" });
      const login = new pg.Client({ ...master, password: "second", ssl });
      await login.connect();
      await login.end();
    });

    it("has the reaper watch the new process in place of the old", async () => {
      const old = postgres.pid;
      await postgres.restart();
      assert.deepEqual(
        processes.map(({ pid }) => pid),
        [postgres.pid],
      );
      assert.notEqual(postgres.pid, old);
      assert.equal(await isGone(postgres.pid), false);
    });

    it("keeps the server away for as long as is asked", async () => {
      const began = performance.now();
      let settled = false;
      const restarted = postgres.restart({ downMs: 400 }).finally(() => {
        settled = true;
      });
      await eventually("the port is closed", 5_000, () => isClosed(postgres.port));
      await assert.rejects(ask(postgres, "select 1"), { code: "ECONNREFUSED" });
      assert.equal(settled, false);
      assert.equal(await hasEnded(postgres), false);
      await restarted;
      assert.ok(performance.now() - began >= 400);
      assert.deepEqual(await ask(postgres, "select 1 as one"), { one: 1 });
    });

    it("happens twice, one after the other, when it is asked for twice at once", async () => {
      await Promise.all([postgres.restart(), postgres.restart()]);
      assert.equal(new Set(processes.map(({ pid }) => pid)).size, 2);
      assert.equal(processes.length, 2);
      assert.deepEqual(
        processes.map(({ exitCode }) => exitCode),
        [0, null],
      );
      assert.deepEqual(await ask(postgres, "select 1 as one"), { one: 1 });
    });

    it("waits for its port when another has taken it meanwhile", async () => {
      const restarted = postgres.restart({ downMs: 300 });
      await eventually("the port is closed", 5_000, () => isClosed(postgres.port));
      const squatter = createServer().listen(postgres.port, "127.0.0.1");
      await once(squatter, "listening");
      await eventually("two attempts", 10_000, () => processes.length >= 2);
      squatter.close();
      await restarted;
      assert.deepEqual(await ask(postgres, "select 1 as one"), { one: 1 });
      assert.equal(await hasEnded(postgres), false);
    });

    for (const downMs of [-1, 600_001, Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`refuses to keep it away for ${downMs} ms, and leaves it running`, async () => {
        await assert.rejects(postgres.restart({ downMs }), {
          code: "INVALID_OPTION",
          message: `downMs is ${downMs}: milliseconds from 0 to 600000 are needed.`,
        });
        assert.equal(processes.length, 0);
        assert.deepEqual(await ask(postgres, "select 1 as one"), { one: 1 });
      });
    }

    it("does not hide that the restarted server ends by itself, after which there is none", async () => {
      process.kill(postgres.pid, "SIGKILL");
      const { expected, signal } = await postgres.exited;
      assert.deepEqual({ expected, signal }, { expected: false, signal: "SIGKILL" });
      await assert.rejects(postgres.restart(), {
        code: "RESTART_FAILED",
        message: "PostgreSQL cannot be restarted: it has ended.",
      });
    });
  });

  it("is called off by a stop, which leaves neither process nor file", async () => {
    const postgres = await start();
    const folder = await ask<{ d: string }>(postgres, "select current_setting('data_directory') d");
    const [first, second] = [postgres.restart({ downMs: 600_000 }), postgres.restart()].map((restart) =>
      assert.rejects(restart, {
        code: "RESTART_FAILED",
        message: "PostgreSQL cannot be restarted: it is stopped.",
      }),
    );
    await eventually("the port is closed", 5_000, () => isClosed(postgres.port));
    await Promise.all([postgres.stop(), postgres.stop(), first, second]);
    assert.equal((await postgres.exited).expected, true);
    assert.equal(existsSync(dirname(dirname(folder?.d ?? ""))), false);
    assert.equal(await isGone(postgres.pid), true);
    await assert.rejects(postgres.restart(), { code: "RESTART_FAILED", message: /it is stopped/ });
  });

  it("says why the server does not start again, and that it has ended then", async () => {
    const postgres = await start();
    try {
      const folder = await ask<{ d: string }>(postgres, "select current_setting('data_directory') d");
      await appendFile(join(folder?.d ?? "", "postgresql.auto.conf"), "no_such_setting = 1\n");
      await assert.rejects(postgres.restart(), {
        code: "RESTART_FAILED",
        message: /did not start again on port \d+\.\n.*unrecognized configuration parameter "no_such_setting"/s,
      });
      const { expected, code, lastLines } = await postgres.exited;
      assert.equal(expected, false);
      assert.equal(code, 1);
      assert.match(lastLines.join("\n"), /no_such_setting/);
    } finally {
      await postgres.stop();
    }
    assert.equal(await isClosed(postgres.port), true);
  });
});

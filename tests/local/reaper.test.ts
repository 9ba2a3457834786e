import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type Reaper, startReaper } from "../../local/reaper.ts";
import { eventually, isClosed, isGone, processState } from "./eventually.ts";

describe("The reaper", () => {
  let folder: string;
  let reaper: Reaper;
  let messages: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "test reaper-"));
    messages = [];
    reaper = startReaper({ log: (message) => messages.push(message), graceMs: 500 });
  });
  afterEach(async () => {
    await reaper.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A process in a session of its own that has begun to do what the script says. */
  async function started(script: string): Promise<ChildProcessByStdio<null, Readable, null>> {
    const child = spawn("/bin/sh", ["-c", `${script.replace("READY", "echo ready")}`], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    return child;
  }

  it("removes what is registered, and leaves what was forgotten", async () => {
    const kept = join(folder, "kept with a  space");
    const removed = join(folder, "removed with a  space");
    for (const path of [kept, removed]) {
      await mkdir(path);
      await writeFile(join(path, "file"), "");
      reaper.watchDirectory(path);
    }
    reaper.forgetDirectory(kept);
    await reaper.close();
    assert.equal(existsSync(removed), false);
    assert.equal(existsSync(join(kept, "file")), true);
    assert.ok(await isGone(reaper.pid));
    assert.deepEqual(messages, []);
  });

  it("asks a process to end before it forces it, and forces one that will not", async () => {
    const willing = await started('trap "exit 7" INT; READY; while :; do sleep 0.05; done');
    const stubborn = await started('trap "" TERM; READY; while :; do sleep 0.05; done');
    const ends = [willing, stubborn].map((child) => once(child, "exit"));
    reaper.watchProcess(willing, { signal: "SIGINT" });
    reaper.watchProcess(stubborn);
    await reaper.close();
    assert.deepEqual(await Promise.all(ends), [
      [7, null],
      [null, "SIGKILL"],
    ]);
  });

  it("ends a whole process group where that was registered", async () => {
    const leader = await started("sleep 600 & echo $!; wait");
    reaper.watchProcess(leader, { group: true });
    const end = once(leader, "exit");
    // Its last member holds the pipe until it is gone.
    const closed = once(leader, "close");
    await reaper.close();
    assert.deepEqual(await end, [null, "SIGTERM"]);
    await closed;
  });

  it("leaves alone what has the id of a process that has ended", async () => {
    const leader = await started("sleep 600 & READY; wait");
    reaper.watchProcess(leader, { group: true });
    const group = leader.pid ?? 0;
    const end = once(leader, "exit");
    leader.kill("SIGKILL");
    await end;
    // The rest of its group still has the id and holds the pipe, which would be closed had the reaper not been told.
    let closed = false;
    leader.once("close", () => {
      closed = true;
    });
    await reaper.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    const over = once(leader, "close");
    process.kill(-group, "SIGKILL");
    await over;
  });

  it("is out of reach of the signals that end this process", async () => {
    const path = join(folder, "removed");
    await mkdir(path);
    reaper.watchDirectory(path);
    // It waits for its first line: by then it has armed itself.
    await eventually("the reaper waits", 2_000, async () => (await processState(reaper.pid)).startsWith("S"));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(reaper.pid, signal);
    await reaper.close();
    assert.equal(existsSync(path), false);
    assert.deepEqual(messages, []);
  });

  it("says so when it ends early, and does no harm", async () => {
    process.kill(reaper.pid, "SIGKILL");
    await eventually("the message", 2_000, () => messages.length > 0);
    assert.equal(messages.length, 1);
    reaper.watchDirectory(folder);
    await reaper.close();
    assert.equal(existsSync(folder), true);
  });

  for (const path of ["relative/path", "/", "/tmp/..", "/tmp/a\nb"]) {
    it(`refuses to remove ${JSON.stringify(path)}`, () => {
      assert.throws(() => reaper.watchDirectory(path), RangeError);
    });
  }
});

describe("A process that runs PostgreSQL", function () {
  this.timeout(30_000);

  interface Report {
    readonly reaper: number;
    readonly postgres: number;
    readonly other: number;
    readonly port: number;
    readonly data: string;
  }

  async function owner(): Promise<{ child: ChildProcessByStdio<Writable, Readable, null>; report: Report }> {
    const child = spawn(process.execPath, [fileURLToPath(new URL("postgres-owner.ts", import.meta.url))], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: child.stdout }), "line", {
      signal: AbortSignal.timeout(20_000),
    });
    return { child, report: JSON.parse(line) };
  }

  async function nothingIsLeft({ reaper, postgres, other, port, data }: Report): Promise<boolean> {
    const gone = await Promise.all([reaper, postgres, other].map(isGone));
    return gone.every(Boolean) && (await isClosed(port)) && !existsSync(dirname(dirname(data)));
  }

  it("leaves nothing behind when it is killed", async () => {
    const { child, report } = await owner();
    assert.equal(await isGone(report.postgres), false);
    assert.equal(await isClosed(report.port), false);
    assert.ok(existsSync(join(report.data, "postmaster.pid")));
    child.kill("SIGKILL");
    await once(child, "exit");
    await eventually("no process, port or file is left", 10_000, () => nothingIsLeft(report));
  });

  it("leaves nothing behind when it stops in good order, and needs no reaper for that", async () => {
    const { child, report } = await owner();
    child.stdin.write("stop\n");
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    assert.equal(await nothingIsLeft(report), true);
  });
});

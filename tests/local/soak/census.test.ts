import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, it } from "mocha";
import { countProcess, type ProcessCounts } from "../../../local/soak/census.ts";
import { Inspector, InspectorError, inspectorUrl } from "../../../local/soak/inspector.ts";
import { eventually } from "../eventually.ts";

/** A server with a client that it keeps, and a place for whatever is leaked. */
const SCRIPT = `
  const { EventEmitter } = require("node:events");
  const net = require("node:net");
  const controller = new AbortController();
  const emitter = new EventEmitter().setMaxListeners(0);
  // As many as nothing else in the process has.
  for (let times = 0; times < 10; times++) emitter.on("known", () => {});
  // Node makes these sockets, or streams, when they are first asked for.
  const kept = [process.stdout, process.stderr];
  const server = net.createServer((socket) => socket.on("data", () => {})).listen(0, "127.0.0.1", () => { globalThis.isReady = true; });
  const connect = () => new Promise((resolve) => {
    const socket = net.connect(server.address().port, "127.0.0.1", () => resolve(socket));
  });
  globalThis.leaks = {
    garbage: () => { new EventEmitter().on("forgotten", () => {}); new Array(1e6).fill(0.5); },
    listener: () => { emitter.on("known", () => {}); },
    abortListener: () => { controller.signal.addEventListener("abort", () => {}); },
    emitter: () => { kept.push(new EventEmitter().on("kept", () => {})); },
    array: () => { kept.push(new Array(1e6).fill(0.5)); },
    timer: () => { setTimeout(() => {}, 1e6); },
    socket: async () => { kept.push(await connect()); },
    destroyedSocket: async () => { const socket = await connect(); socket.destroy(); kept.push(socket); },
  };
`;

describe("The count of what a process holds", () => {
  let child: ChildProcess;
  let url: string;
  let inspector: Inspector;
  before(async () => {
    child = spawn(process.execPath, ["-e", SCRIPT], {
      env: { NODE_OPTIONS: "--inspect=127.0.0.1:0" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    assert.ok(child.stderr);
    const [text] = (await once(createInterface(child.stderr), "line")) as [string];
    url = inspectorUrl({ stream: "stderr", text }) ?? assert.fail(text);
    inspector = await Inspector.connect(url);
    // The inspector answers before the script has run.
    await eventually(
      "the process is ready",
      10_000,
      async () => (await inspector.evaluate("globalThis.isReady")) === true,
    );
    // What Node makes when it is first asked for, is made.
    await countProcess(inspector);
  });
  after(() => {
    inspector.close();
    child.kill("SIGKILL");
  });

  /** Leaks three of a kind and waits until the counts have risen as expected, and no other; fails with what they did instead. */
  async function rises(leak: string, expected: Partial<ProcessCounts>, but: readonly (keyof ProcessCounts)[] = []) {
    const unwatched: readonly string[] = ["rssMiB", "heapMiB", ...but];
    const earlier = await countProcess(inspector);
    for (let times = 0; times < 3; times++) await inspector.evaluate(`void leaks.${leak}()`);
    let risen = {};
    // What is connected takes a while, and what was closed is let go of later than at once.
    await eventually("the counts have risen as expected", 5_000, async () => {
      const entries = Object.entries(await countProcess(inspector))
        .map(([name, value]) => [name, value - earlier[name as keyof ProcessCounts]] as const)
        .filter(([name, rise]) => rise !== 0 && !unwatched.includes(name));
      risen = Object.fromEntries(entries);
      return isDeepStrictEqual(risen, expected);
    }).catch(() => assert.deepEqual(risen, expected));
  }

  it("does not count garbage", async () => {
    await rises("garbage", {});
  });

  it("sees listeners on an emitter that lives on", async () => {
    await rises("listener", { listeners: 3, mostListeners: 3 });
  });

  it("sees listeners of an abort signal", async () => {
    await rises("abortListener", { abortListeners: 3 });
  });

  it("sees emitters that are kept", async () => {
    await rises("emitter", { emitters: 3, listeners: 3 });
  });

  it("sees timers", async () => {
    await rises("timer", { timers: 3 });
  });

  for (const leak of ["socket", "destroyedSocket"]) {
    it(`sees each ${leak === "socket" ? "open socket" : "closed socket that is kept"}, and not the one that was accepted`, async () => {
      // A socket has listeners of its own, more while it connects.
      await rises(leak, { emitters: 3, sockets: 3 }, ["listeners"]);
    });
  }

  it("sees memory that is kept, to a tenth of a MiB", async () => {
    const earlier = await countProcess(inspector);
    await inspector.evaluate("void leaks.array()");
    const { heapMiB } = await countProcess(inspector);
    const kept = 8e6 / 1_048_576;
    assert.ok(Math.abs(heapMiB - earlier.heapMiB - kept) < 0.1, `${heapMiB - earlier.heapMiB} of ${kept} MiB`);
  });

  it("is repeatable: two looks at a process that does nothing say the same", async () => {
    const { rssMiB: _one, heapMiB: oneHeap, ...one } = await countProcess(inspector);
    const { rssMiB: _other, heapMiB: otherHeap, ...other } = await countProcess(inspector);
    assert.deepEqual(one, other);
    assert.ok(Math.abs(oneHeap - otherHeap) < 0.1, `${oneHeap}, then ${otherHeap}`);
  });

  it("fails with what the process said, or that it has gone", async () => {
    const failure = (pattern: RegExp) => (error: unknown) =>
      error instanceof InspectorError && pattern.test(error.message);
    await assert.rejects(inspector.evaluate("nothing.such"), failure(/nothing is not defined/));
    const other = await Inspector.connect(url);
    other.close();
    await assert.rejects(other.evaluate("1"), failure(/closed/));
    await assert.rejects(Inspector.connect("ws://127.0.0.1:1/none"), failure(/no inspector/));
  });
});

describe("The address of an inspector", () => {
  it("is in the line that Node writes to stderr, and in no other", () => {
    const text = "Debugger listening on ws://127.0.0.1:46639/683e41cc-28ff-4b92-bf84-3c04bd3ba64f";
    assert.equal(inspectorUrl({ stream: "stderr", text }), text.split(" ").at(-1));
    assert.equal(inspectorUrl({ stream: "stdout", text }), undefined);
    assert.equal(inspectorUrl({ stream: "stderr", text: "Debugger attached." }), undefined);
  });
});

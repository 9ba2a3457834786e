import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { CONTENDERS } from "../../bench/pool/contenders.ts";
import { LOADS, type Plan, planOf } from "../../bench/pool/plan.ts";
import { measurePools } from "../../bench/pool/run.ts";
import { LOAD_QUANTITIES, loadMeasure } from "../../bench/pool/samples.ts";
import { benchPool } from "../../bench/pool.ts";
import { runCommandLine } from "../local/command-run.ts";

/** Long enough for an answer of each kind, and for nothing to be judged by. */
const TINY: Plan = {
  rounds: 1,
  loadMs: 30,
  leadMs: 5,
  warmUpMs: 30,
  beforeDropMs: 60,
  afterDropMs: 200,
  mints: 5,
  idleConnections: 3,
  limitMs: undefined,
};

/** What does not depend on a load, and comes about in the shortest run. */
const OTHERS = [
  "mint/first",
  "mint/later",
  "memory/heap",
  "memory/resident",
  "connections/first",
  "recovery/nextSuccess",
  "recovery/fullThroughput",
  "recovery/failed",
  "recovery/unanswered",
];

describe("The benchmark of the pool", function () {
  this.timeout(60_000);

  it("measures everything once a round for each contender, and meets no error that it did not ask for", async () => {
    const messages: string[] = [];
    const log = (message: string) => void messages.push(message);
    const results = await measurePools(TINY, { signal: new AbortController().signal, log });
    const names = Object.keys(CONTENDERS);
    assert.deepEqual(results.contenders, names);
    assert.deepEqual(results.unexpected, []);
    // A connection that is lost while postgres.js asks for its types ends the process of its user.
    assert.deepEqual(
      results.uncaught.filter((message) => !message.startsWith("postgres.js")),
      [],
    );
    assert.equal(results.rounds, 1);
    const measures = [...LOADS.flatMap((load) => LOAD_QUANTITIES.map((q) => loadMeasure(load, q))), ...OTHERS];
    const expected = names.flatMap((name) => measures.map((measure) => `${name}: ${measure}`));
    assert.deepEqual(
      results.samples.map(({ contender, measure }) => `${contender}: ${measure}`).sort(),
      expected.sort(),
    );
    // So short a load may end before it was answered, and before a pool has recovered; nothing else may be missing.
    const missing = results.samples.filter(({ value }) => value === undefined).map(({ measure }) => measure);
    assert.deepEqual(
      missing.filter((measure) => !/^recovery|(?:p50|p99|cpuMicros)$/.test(measure)),
      [],
    );
    for (const name of names) {
      const rates = results.samples.filter((s) => s.contender === name && s.measure.endsWith("perSecond"));
      assert.ok(
        rates.some(({ value = 0 }) => value > 0),
        `${name} answered nothing at all`,
      );
    }
    assert.deepEqual(messages, [
      "bringing PostgreSQL and the proxy up",
      "warming every contender up",
      "round 1 of 1",
      "dropping every connection",
    ]);
  });

  it("is called off by Ctrl-C, and leaves no process, port or file behind", async () => {
    await using command = await runCommandLine("bench/main.ts", "pool", "--quick");
    await command.writes("stderr", /round 1 of 2/);
    command.signal("SIGINT", "group");
    assert.deepEqual(await command.exits(), { code: 130, signal: null });
    assert.equal(command.written.stdout, "");
    await command.leavesNothing();
  });

  it("tells how it is used, and refuses what it does not take", async () => {
    await using help = await runCommandLine("bench/main.ts", "pool", "--help");
    await using misspelt = await runCommandLine("bench/main.ts", "pol");
    assert.deepEqual(await help.exits(), { code: 0, signal: null });
    assert.match(help.written.stdout, /--rounds N[\s\S]*--seconds S[\s\S]*--quick[\s\S]*--assert[\s\S]*--json/);
    assert.deepEqual(await misspelt.exits(), { code: 2, signal: null });
    assert.match(
      misspelt.written.stderr,
      /^error: pol is not a benchmark\n\nUsage: npm run bench -- \[start \| pool\]/,
    );
    const context = { signal: new AbortController().signal, log: () => {} };
    for (const [args, message] of [
      [["--rounds", "1.5"], /^--rounds 1\.5: a whole number is needed/],
      [["--rounds", "0"], /^--rounds 0: a number from 1 to 100 is needed/],
      [["--rounds", ""], /^--rounds : a number from 1 to 100 is needed/],
      [["--seconds", "soon"], /^--seconds soon: a number from 0\.01 to 60 is needed/],
      [["--slow"], /^Unknown option '--slow'/],
      [["fast"], /^Unexpected argument 'fast'/],
    ] as const)
      await assert.rejects(benchPool(args, context), { code: "USAGE", message });
  });

  it("is bounded: no chosen number of rounds, no round that would end after five minutes", () => {
    const none = { rounds: undefined, seconds: undefined };
    assert.equal(planOf({ quick: false, ...none }).limitMs, 290_000);
    assert.equal(planOf({ quick: true, ...none }).limitMs, 36_000);
    const chosen = planOf({ quick: true, rounds: 7, seconds: 2 });
    assert.deepEqual([chosen.limitMs, chosen.rounds, chosen.loadMs], [undefined, 7, 2_000]);
  });
});

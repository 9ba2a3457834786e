import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import type { SoakReport } from "../../local/soak/judgement.ts";
import { SOAK_CONFIG } from "../../local/soak/options.ts";
import { soak } from "../../local/soak/run.ts";
import { soakText } from "../../local/soak/text.ts";
import { runCommandLine } from "./command-run.ts";
import { evaluated } from "./environment-fixture.ts";

/** Short, but as long as a connection may take on a busy machine: each window must see one attempted. */
const SHORT = { stack: "production", rotations: 5, rate: 50, windowMs: 500, faults: false } as const;

describe("A short soak", () => {
  let report: SoakReport;
  before(async function () {
    this.timeout(90_000);
    report = await soak(await evaluated(SOAK_CONFIG), SHORT, { signal: new AbortController().signal, log: () => {} });
  });

  it("passes: five rotations were felt, no request failed, each write was done once, and nothing grew", () => {
    assert.equal(report.verdict, "passed", soakText(report));
    assert.ok(report.felt >= SHORT.rotations, soakText(report));
    assert.equal(report.totals.failed, 0);
    assert.equal(report.totals.missing, 0);
    assert.equal(report.writes.lost, 0);
    assert.equal(report.writes.doubled, 0);
    assert.equal(report.growth.filter(({ grew }) => grew).length, 0);
  });

  it("put the claim to the test: requests, writes, new connections, and counts of everything", () => {
    assert.ok(report.totals.requests > 500, soakText(report));
    assert.ok(report.writes.acknowledged > 200, soakText(report));
    assert.ok(report.totals.connections > SHORT.rotations, soakText(report));
    assert.equal(report.samples.length, 2);
    for (const { values } of report.samples) {
      for (const [name, value] of Object.entries(values)) assert.ok(Number.isFinite(value), `${name}: ${value}`);
      // The real process was looked into: the bundle alone takes so much, and a server and its logger listen.
      assert.ok(values.heapMiB > 10 && values.rssMiB > values.heapMiB, soakText(report));
      assert.ok(values.emitters > 5 && values.listeners > 10, soakText(report));
      assert.equal(values.proxyClients, 0);
      assert.equal(values.backends, 0);
    }
  });
});

describe("npm run soak", () => {
  it("explains itself, and refuses what it does not take before anything is started", async () => {
    await using help = await runCommandLine("local/soak.ts", "--help");
    await using refused = await runCommandLine("local/soak.ts", "--rotations", "3");
    assert.deepEqual(await help.exits(), { code: 0, signal: null });
    assert.match(help.written.stdout, /--faults/);
    assert.deepEqual(await refused.exits(), { code: 2, signal: null });
    assert.deepEqual(refused.written, {
      stdout: "",
      stderr: "error: --rotations 3; allowed: a whole number from 4 to 500\n",
    });
  });

  it("leaves nothing behind when Ctrl-C ends it under load", async function () {
    this.timeout(60_000);
    await using run = await runCommandLine("local/soak.ts", "--rotations", "4");
    await run.writes("stderr", /4 rotations under 50 requests a second/);
    run.signal("SIGINT", "group");
    assert.deepEqual(await run.exits(), { code: 130, signal: null });
    assert.doesNotMatch(run.written.stdout, /Verdict/);
    await run.leavesNothing();
  });
});

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { LIMITS, type Setting } from "./core.ts";
import type { ScriptedClient } from "./scripted-client.ts";
import { Stage } from "./stage.ts";

const SETTING: Setting = {
  max: 2,
  maxEstablishing: 2,
  connectRetryMillis: 2_000,
  maxUses: undefined,
  draw: 0.5,
  hooked: false,
  latencyMs: 0,
};

/** Orders of events that once left something undone; the stage asserts at each rest what must hold, and these say what happened instead. */
describe("Lending, in an order of events that is easily got wrong:", () => {
  let stage: Stage;

  beforeEach(() => {
    stage = new Stage(SETTING);
  });
  afterEach(async () => {
    await stage.finish();
  });

  /** Lets so many callers come and get a connection each. */
  async function lend(count: number): Promise<readonly ScriptedClient[]> {
    for (let n = 0; n < count; n++) stage.connect();
    await stage.rest();
    for (const client of stage.establishing) stage.succeed(client);
    await stage.rest();
    assert.equal(stage.lent, count);
    return stage.roster.at("lent");
  }

  it("two callers in one turn, one connection idle and room for another: another is made", async () => {
    await lend(1);
    stage.release(0, "clean");
    await stage.rest();
    stage.connect();
    stage.connect();
    await stage.rest();
    assert.deepEqual([stage.lent, stage.establishing.length], [1, 1]);
  });

  it("a connection comes back while one is made: it is lent, and nobody waits for the other", async () => {
    await lend(1);
    stage.connect();
    await stage.rest();
    assert.equal(stage.establishing.length, 1);
    stage.release(0, "clean");
    await stage.rest();
    assert.deepEqual([stage.lent, stage.waiting], [1, 0]);
  });

  it("a connection comes back while an older one is asked whether it lives: it is lent", async () => {
    const [silent] = await lend(2);
    assert.ok(silent);
    stage.release(0, "clean");
    silent.latencyMs = Number.POSITIVE_INFINITY;
    await stage.advance(LIMITS.idleCheckMillis);
    stage.connect();
    await stage.rest();
    assert.deepEqual([stage.lent, stage.waiting, stage.roster.at("looked at").length], [1, 1, 1]);
    stage.release(0, "clean");
    await stage.rest();
    assert.deepEqual([stage.lent, stage.waiting], [1, 0]);
  });

  it("a caller's idle connection must be asked, and another came meanwhile: the first is served first", async () => {
    await lend(1);
    stage.release(0, "clean");
    await stage.advance(LIMITS.idleCheckMillis);
    stage.connect();
    stage.connect();
    await stage.rest();
    assert.equal(stage.lent, 1);
    assert.deepEqual(stage.waitingNumbers, [3]);
  });

  it("an idle connection is silent when it is asked: another is made for who waits", async () => {
    const [silent] = await lend(1);
    assert.ok(silent);
    silent.latencyMs = Number.POSITIVE_INFINITY;
    stage.release(0, "clean");
    await stage.advance(LIMITS.idleCheckMillis);
    stage.connect();
    await stage.advance(2_000);
    assert.deepEqual([silent.state, stage.establishing.length, stage.waiting], ["gone", 1, 1]);
  });

  for (const [when, connectsFirst] of [
    ["just before it is taken", false],
    ["just after it was taken", true],
  ] as const) {
    it(`an idle connection dies ${when}: another is made, and its caller has the limit of all`, async () => {
      const [idle] = await lend(1);
      assert.ok(idle);
      stage.release(0, "clean");
      await stage.rest();
      if (connectsFirst) stage.connect();
      stage.kill(idle);
      if (!connectsFirst) stage.connect();
      await stage.rest();
      assert.deepEqual([stage.establishing.length, stage.waiting], [1, 1]);
      await stage.advance(LIMITS.connectionTimeoutMillis);
      assert.equal(stage.waiting, 0);
    });
  }

  it("the first of two callers finds its idle connection dead, and the second a living one: the first is served", async () => {
    const [, newer] = await lend(2);
    assert.ok(newer);
    stage.release(0, "clean");
    stage.release(0, "clean");
    await stage.rest();
    stage.connect();
    stage.connect();
    stage.kill(newer);
    await stage.rest();
    assert.deepEqual([newer.state, stage.lent, stage.establishing.length], ["gone", 1, 1]);
    assert.deepEqual(stage.waitingNumbers, [4]);
  });

  it("a connection that was asked, and that nobody needs then, is fresh again", async () => {
    const [slow] = await lend(2);
    assert.ok(slow);
    stage.release(0, "clean");
    slow.latencyMs = 100;
    await stage.advance(LIMITS.idleCheckMillis);
    stage.connect();
    await stage.rest();
    stage.release(0, "clean");
    await stage.advance(100);
    assert.deepEqual(stage.roster.at("idle"), [slow]);
    stage.connect();
    await stage.rest();
    assert.equal(stage.lent, 2);
  });

  it("a connection is made and nobody takes it: it is asked after long idleness as any other", async () => {
    await lend(1);
    stage.connect();
    await stage.rest();
    const [spare] = stage.establishing;
    assert.ok(spare);
    stage.release(0, "clean");
    await stage.rest();
    stage.succeed(spare);
    await stage.rest();
    assert.deepEqual(stage.roster.at("idle"), [spare]);
    spare.latencyMs = Number.POSITIVE_INFINITY;
    await stage.advance(LIMITS.idleCheckMillis);
    stage.connect();
    await stage.rest();
    assert.deepEqual([stage.roster.at("looked at"), stage.waiting], [[spare], 1]);
  });
});

describe("Lending, with connections that are replaced after two uses,", () => {
  it("makes none when two come back together and only the first is used up", async () => {
    const stage = new Stage({ ...SETTING, maxUses: 2 });
    stage.connect();
    await stage.rest();
    for (const client of stage.establishing) stage.succeed(client);
    await stage.rest();
    stage.release(0, "clean");
    await stage.rest();
    stage.connect();
    stage.connect();
    await stage.rest();
    for (const client of stage.establishing) stage.succeed(client);
    await stage.rest();
    stage.release(0, "at work");
    stage.release(0, "at work");
    stage.connect();
    await stage.rest();
    assert.deepEqual([stage.lent, stage.waiting, stage.establishing.length], [1, 0, 0]);
    await stage.finish();
  });
});

describe("Lending, with something awaited on each new connection,", () => {
  it("lends none that died meanwhile, and makes another after a pause", async () => {
    const stage = new Stage({ ...SETTING, hooked: true });
    stage.connect();
    await stage.rest();
    const [first] = stage.establishing;
    assert.ok(first);
    stage.succeed(first);
    stage.kill(first);
    await stage.rest();
    assert.deepEqual([stage.lent, stage.waiting, stage.establishing.length], [0, 1, 0]);
    await stage.advance(100);
    assert.equal(stage.establishing.length, 1);
    await stage.finish();
  });
});

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ChannelMessages } from "../../../../app/postgres/index.ts";
import { fakeClock, poolFixture, WRONG_PASSWORD } from "../pool-fixture.ts";

const CHANNELS = ["mint", "establishment", "retry", "acquire", "release"] as const;

describe("The debug channels of a pool", () => {
  const fixture = poolFixture();
  let messages: [channel: string, message: unknown][];
  const listen = (message: unknown, name: string | symbol) => messages.push([String(name), message]);
  beforeEach(() => {
    messages = [];
  });
  afterEach(() => {
    for (const channel of CHANNELS) unsubscribe(`rds-iam-pool:${channel}`, listen);
  });

  it("tell of mints, attempts, retries, loans and returns, in order", async () => {
    for (const channel of CHANNELS) subscribe(`rds-iam-pool:${channel}`, listen);
    fixture.front.refuse = () => (fixture.front.tokens.length === 1 ? WRONG_PASSWORD : undefined);
    const clock = fakeClock();
    const pool = fixture.createPool({ name: "orders", clock, random: () => 0 });
    const client = await pool.connect();
    clock.advance(7);
    client.release();
    const from = { pool: "orders" };
    const expected: [keyof ChannelMessages, ChannelMessages[keyof ChannelMessages]][] = [
      ["rds-iam-pool:mint", { ...from, tookMs: 0, code: undefined }],
      ["rds-iam-pool:establishment", { ...from, tookMs: 0, reason: "ROTATION_WINDOW" }],
      ["rds-iam-pool:retry", { ...from, reason: "ROTATION_WINDOW" }],
      ["rds-iam-pool:mint", { ...from, tookMs: 0, code: undefined }],
      ["rds-iam-pool:establishment", { ...from, tookMs: 0, reason: undefined }],
      ["rds-iam-pool:acquire", { ...from, waitedMs: 50, code: undefined }],
      ["rds-iam-pool:release", { ...from, usedMs: 7 }],
    ];
    assert.deepEqual(messages, expected);
  });

  it("tell of a caller that is turned away, and of a mint that fails, by code", async () => {
    for (const channel of CHANNELS) subscribe(`rds-iam-pool:${channel}`, listen);
    const signer = { getAuthToken: () => Promise.reject(new Error("no")) };
    const pool = fixture.createPool({ name: "orders", clock: fakeClock(), signer });
    await assert.rejects(pool.connect(), { code: "CONNECT_FAILED" });
    assert.equal(messages.length, 3);
    assert.deepEqual(Object.fromEntries(messages), {
      "rds-iam-pool:mint": { pool: "orders", tookMs: 0, code: "MINT_FAILED" },
      "rds-iam-pool:establishment": { pool: "orders", tookMs: 0, reason: "MINT_FAILED" },
      "rds-iam-pool:acquire": { pool: "orders", waitedMs: 0, code: "CONNECT_FAILED" },
    });
  });

  it("give a subscriber of one nothing of the others", async () => {
    subscribe("rds-iam-pool:release", listen);
    await fixture.createPool().query("SELECT 1");
    assert.deepEqual(
      messages.map(([channel]) => channel),
      ["rds-iam-pool:release"],
    );
    unsubscribe("rds-iam-pool:release", listen);
    await fixture.createPool().query("SELECT 1");
    assert.equal(messages.length, 1);
  });

  it("carry no part of a token, whatever becomes of it", async () => {
    for (const channel of CHANNELS) subscribe(`rds-iam-pool:${channel}`, listen);
    const echo = (token: string) => `password authentication failed for ${token}`;
    fixture.front.refuse = (token) => (fixture.front.tokens.length === 1 ? echo(token) : undefined);
    await fixture.createPool({ clock: fakeClock() }).query("SELECT 1");
    const leaky = { getAuthToken: async () => Promise.reject(new Error(fixture.front.tokens[0])) };
    await assert.rejects(fixture.createPool({ clock: fakeClock(), signer: leaky }).query("SELECT 1"));
    const text = JSON.stringify(messages);
    assert.equal(fixture.front.tokens.length, 2);
    assert.equal(messages.length, 10);
    for (const token of fixture.front.tokens) {
      assert.ok(token.length > 300);
      for (const part of token.split(/[?&]/)) {
        const [, value = part] = part.split("=");
        if (value.length > 12 && !value.startsWith("localhost")) assert.equal(text.includes(value), false, part);
      }
    }
    assert.equal(/X-Amz/i.test(text), false);
  });
});

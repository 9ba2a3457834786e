import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Slots } from "../../../local/proxy/slots.ts";

const never = new AbortController().signal;

describe("The places of a target", () => {
  it("are taken at once while there are any", async () => {
    const slots = new Slots(2);
    assert.ok(await slots.take(0, never));
    assert.ok(await slots.take(0, never));
    assert.equal(await slots.take(1, never), undefined);
    assert.equal(slots.waiting, 0);
  });

  it("are given back once, however often their holder says so", async () => {
    const slots = new Slots(1);
    const release = await slots.take(0, never);
    release?.();
    release?.();
    assert.ok(await slots.take(0, never));
    assert.equal(await slots.take(1, never), undefined);
  });

  it("pass to the next who still waits", async () => {
    const slots = new Slots(1);
    const release = await slots.take(0, never);
    const leaving = new AbortController();
    const left = slots.take(60_000, leaving.signal);
    const late = slots.take(1, never);
    const next = slots.take(60_000, never);
    assert.equal(slots.waiting, 3);
    leaving.abort(new Error("gone"));
    await assert.rejects(left, /gone/);
    assert.equal(await late, undefined);
    assert.equal(slots.waiting, 1);
    release?.();
    assert.ok(await next);
  });

  it("are not given to whoever has left before asking", async () => {
    const slots = new Slots(1);
    await assert.rejects(slots.take(0, AbortSignal.abort(new Error("gone"))), /gone/);
    assert.ok(await slots.take(0, never));
  });
});

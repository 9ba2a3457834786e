import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "mocha";
import { Lane } from "../../../local/proxy/lane.ts";
import { eventually } from "../eventually.ts";

describe("A lane of the wire", () => {
  it("is open while nothing is held, delayed or under way", () => {
    const traffic = { held: false, delayMs: 0 };
    const lane = new Lane(traffic);
    assert.equal(lane.isOpen, true);
    let finish = () => {};
    lane.enter(1, (next) => {
      finish = next;
    });
    assert.equal(lane.isOpen, false);
    finish();
    assert.equal(lane.isOpen, true);
    traffic.held = true;
    assert.equal(lane.isOpen, false);
    Object.assign(traffic, { held: false, delayMs: 1 });
    assert.equal(lane.isOpen, false);
  });

  it("lets one pass only when the one before has, and counts the bytes that wait", () => {
    const traffic = { held: true, delayMs: 0 };
    const lane = new Lane(traffic);
    const passed: number[] = [];
    const finish: (() => void)[] = [];
    for (const n of [1, 2, 3]) {
      lane.enter(10 * n, (next) => {
        passed.push(n);
        finish.push(next);
      });
    }
    assert.deepEqual([passed, lane.bytes], [[], 60]);
    traffic.held = false;
    lane.proceed();
    assert.deepEqual([passed, lane.bytes], [[1], 50]);
    lane.proceed();
    assert.deepEqual(passed, [1]);
    finish[0]?.();
    assert.deepEqual([passed, lane.bytes], [[1, 2], 30]);
    finish[1]?.();
    finish[2]?.();
    assert.deepEqual([passed, lane.bytes, lane.isOpen], [[1, 2, 3], 0, true]);
  });

  it("lets very many pass at once", () => {
    const traffic = { held: true, delayMs: 0 };
    const lane = new Lane(traffic);
    let passed = 0;
    for (let n = 0; n < 20_000; n += 1) {
      lane.enter(1, (next) => {
        passed += 1;
        next();
      });
    }
    traffic.held = false;
    lane.proceed();
    assert.equal(passed, 20_000);
  });

  it("keeps each for the delay that held when it entered, unless the delay ends", async () => {
    const traffic = { held: false, delayMs: 30 };
    const lane = new Lane(traffic);
    const passed: string[] = [];
    const entered = performance.now();
    const enter = (name: string) =>
      lane.enter(1, (next) => {
        passed.push(name);
        next();
      });
    enter("first");
    await delay(5);
    assert.deepEqual(passed, []);
    await eventually("it has passed", 1_000, () => passed.length === 1);
    assert.ok(performance.now() - entered >= 30);
    traffic.delayMs = 60_000;
    enter("second");
    traffic.delayMs = 0;
    lane.proceed();
    assert.deepEqual(passed, ["first", "second"]);
  });
});

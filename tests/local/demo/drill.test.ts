import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { describe, it } from "mocha";
import { rotateUnderLoad } from "../../../local/demo/drill.ts";

const windowMs = 40;

describe("Rotations under load", () => {
  it("step the concurrency up inside each window and once more when it has ended", async () => {
    const events: string[] = [];
    const rotations = await rotateUnderLoad({
      load: { burst: (count) => void events.push(`burst ${count}`) },
      rotate: async () => {
        const startedAt = Date.now();
        events.push("window opens");
        await delay(windowMs * 2);
        events.push("window ends");
        return { versionId: "v", windowMs, startedAt, promotedAt: Date.now() };
      },
      rotations: 2,
      seconds: 2.4,
      windowMs,
      burst: 7,
      signal: new AbortController().signal,
      log: () => {},
    });
    assert.equal(rotations.length, 2);
    const one = ["window opens", "burst 7", "burst 7", "burst 7", "window ends", "burst 7"];
    assert.deepEqual(events, [...one, ...one]);
  });

  it("stop at once when they are called off", async () => {
    const controller = new AbortController();
    const drill = rotateUnderLoad({
      load: { burst: () => assert.fail("no window was open") },
      rotate: () => assert.fail("it was called off before"),
      rotations: 1,
      seconds: 600,
      windowMs,
      burst: 1,
      signal: controller.signal,
      log: () => {},
    });
    controller.abort();
    await assert.rejects(drill, { name: "AbortError" });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Answer } from "../../../bench/pool/load.ts";
import { readRecovery } from "../../../bench/pool/recovery.ts";

/** One answer each millisecond from the first time to the second, each of which took 2 ms. */
function answers(from: number, to: number, error?: Error): Answer[] {
  return Array.from({ length: to - from }, (_, index) => ({
    startedAt: from + index - 2,
    endedAt: from + index,
    error,
  }));
}

const TIMES = { startedAt: 0, droppedAt: 500, endedAt: 1_500 };

describe("A recovery", () => {
  it("is timed from the drop to the next success and to full throughput", () => {
    const half = answers(600, 800).filter((_, index) => index % 2 === 0);
    assert.deepEqual(readRecovery([...answers(0, 500), ...half, ...answers(800, 1_500)], TIMES), {
      nextSuccessMs: 100,
      // From 790 on, the windows of 50 ms hold nine tenths of what they held before.
      fullThroughputMs: 290,
      failed: 0,
    });
  });

  it("does not count an answer that was on its way when the connections were dropped", () => {
    const { nextSuccessMs } = readRecovery([...answers(0, 502), ...answers(700, 1_500)], TIMES);
    assert.equal(nextSuccessMs, 200);
  });

  it("counts failures, and takes none for a success", () => {
    const failures = answers(500, 510, new Error("Connection terminated unexpectedly"));
    const { failed, nextSuccessMs } = readRecovery([...answers(0, 500), ...failures, ...answers(900, 1_500)], TIMES);
    assert.deepEqual({ failed, nextSuccessMs }, { failed: 10, nextSuccessMs: 400 });
  });

  it("knows no full throughput where nothing was answered before the drop", () => {
    assert.equal(readRecovery(answers(600, 1_500), TIMES).fullThroughputMs, undefined);
  });

  it("says so when the pool did not come back, or not to its throughput", () => {
    assert.deepEqual(readRecovery(answers(0, 500), TIMES), {
      nextSuccessMs: undefined,
      fullThroughputMs: undefined,
      failed: 0,
    });
    const half = answers(600, 1_500).filter((_, index) => index % 2 === 0);
    assert.equal(readRecovery([...answers(0, 500), ...half], TIMES).fullThroughputMs, undefined);
  });
});

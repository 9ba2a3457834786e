import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { poolFixture } from "../pool-fixture.ts";
import { poolProcesses } from "./pool-process.ts";

describe("allowExitOnIdle", () => {
  const fixture = poolFixture();
  const start = poolProcesses();

  it("lets a process end while idle clients stand, and without it the process goes on, with either pool", async () => {
    const kinds = ["pg.Pool", "RdsIamPool"] as const;
    const idleTimeoutMillis = 60_000;
    const staying = kinds.map((kind) => start(kind, "idle", fixture, { options: { idleTimeoutMillis } }));
    for (const process of staying) assert.equal(await process.line(), "idle", process.stderr());
    const leaving = kinds.map((kind) =>
      start(kind, "idle", fixture, { options: { idleTimeoutMillis, allowExitOnIdle: true } }),
    );
    for (const process of leaving) {
      assert.equal(await process.line(), "idle", process.stderr());
      assert.equal(await process.exited, 0);
    }
    // They were idle long before the others began.
    assert.deepEqual(
      staying.map(({ running }) => running),
      [true, true],
    );
  });
});

import assert from "node:assert/strict";
import type { PoolTelemetry } from "../../../../app/postgres/telemetry.ts";

/** Counts what the pool tells of itself. */
export class Tally implements PoolTelemetry {
  readonly counts = { established: 0, establishmentFailed: 0, acquired: 0, acquireFailed: 0, returned: 0 };

  minted(): void {}
  mintFailed(): void {}
  established(): void {
    this.counts.established += 1;
  }
  establishmentFailed(): void {
    this.counts.establishmentFailed += 1;
  }
  acquired(): void {
    this.counts.acquired += 1;
  }
  acquireFailed(): void {
    this.counts.acquireFailed += 1;
  }
  returned(): void {
    this.counts.returned += 1;
  }

  /** @param expected the same, counted from outside */
  assertEquals(expected: Tally["counts"]): void {
    assert.deepEqual(this.counts, expected, "What the pool tells of itself is not what happened");
  }
}

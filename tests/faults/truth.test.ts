import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { AcquireError, CommitOutcomeUnknownError, PoolError } from "../../app/postgres/index.ts";
import type { Answered, Cell, Row } from "./row.ts";
import { ROWS } from "./rows.ts";
import { STORIES } from "./stories.ts";
import { type Belief, toldByError } from "./told.ts";
import { doneOf, wrongs } from "./truth.ts";

const ONCE = { begun: 1, stored: 1 };
const UNDONE = { begun: 1, stored: 0 };
const NEVER = { begun: 0, stored: 0 };
const ROW = { servesWithinMs: 100 } as Row;

function cell(belief: Belief, writes: Answered["writes"], more: Partial<Cell> = {}): Cell {
  const answers = [{ what: "statement", told: "something", belief, during: false, writes }];
  return { situation: "idle pool", answers, reasons: [], servedAfterMs: 1, left: [], ...more };
}

describe("What the fault matrix takes for true", () => {
  it("tells from the database's counts what was done, and what must never be", () => {
    const cases = [
      [[ONCE], "once"],
      [[UNDONE], "undone"],
      [[NEVER], "not at all"],
      [[ONCE, ONCE], "once"],
      [[UNDONE, NEVER], "undone"],
      [[ONCE, UNDONE], "IN PART"],
      [[{ begun: 2, stored: 1 }], "TWICE"],
      [[{ begun: 1, stored: 2 }], "TWICE"],
    ] as const;
    for (const [writes, done] of cases) assert.equal(doneOf({ writes }), done);
  });

  const allowed: readonly [Belief, readonly (typeof ONCE)[]][] = [
    ["done", [ONCE]],
    ["not sent", [NEVER]],
    ["rolled back", [UNDONE, NEVER]],
    ["unknown", [ONCE, UNDONE, NEVER]],
  ];
  for (const [belief, truths] of allowed) {
    it(`lets a caller who believes "${belief}" be told no other`, () => {
      for (const write of [ONCE, UNDONE, NEVER, { begun: 2, stored: 1 }]) {
        assert.equal(wrongs(cell(belief, [write]), ROW).length, truths.includes(write) ? 0 : 1);
      }
    });
  }

  it("complains of a pool that serves late, and of whatever is left", () => {
    const late = cell("done", [ONCE], { servedAfterMs: 101, left: ["1 backends after the end of the pool"] });
    assert.deepEqual(wrongs(late, ROW), [
      "idle pool: it served again after 101 ms, and not within 100",
      "idle pool: 1 backends after the end of the pool",
    ]);
  });

  it("takes each error for what the pool says that it means", () => {
    const failure = { host: "h", attempts: [], reason: "NETWORK", causes: [] };
    const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    const cases = [
      [new AcquireError("CONNECT_FAILED", "m", failure), true, "`CONNECT_FAILED` (NETWORK)", "not sent"],
      [new PoolError("QUERY_TIMEOUT", "m"), false, "`QUERY_TIMEOUT`", "unknown"],
      [new PoolError("QUERY_TIMEOUT", "m"), true, "`QUERY_TIMEOUT`", "rolled back"],
      [new CommitOutcomeUnknownError(reset), true, "`COMMIT_OUTCOME_UNKNOWN`", "unknown"],
      [reset, false, "connection lost", "unknown"],
      [new Error("Connection terminated unexpectedly"), true, "connection lost", "rolled back"],
      [new TypeError("no"), false, "`TypeError`: no", "unknown"],
    ] as const;
    for (const [error, inTransaction, text, belief] of cases) {
      assert.deepEqual(toldByError(error, inTransaction), { text, belief });
    }
  });

  it("has a story for each fault, and no other, and an id for each row", () => {
    assert.deepEqual(new Set(Object.keys(STORIES)), new Set(ROWS.map(({ fault }) => fault)));
    assert.equal(new Set(ROWS.map(({ id }) => id)).size, ROWS.length);
  });
});

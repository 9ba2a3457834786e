import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judgeSoak, type SoakEvidence } from "../../../local/soak/judgement.ts";
import { goodEvidence, outcome, samplesOf } from "./evidence.ts";

const good = goodEvidence();
const unknown = outcome({ succeeded: false, status: 503, errorCode: "OUTCOME_UNKNOWN" });
const lost = outcome({ succeeded: false, status: 502 });

const judged = (changes: Partial<SoakEvidence>) => {
  const { verdict, reasons } = judgeSoak(goodEvidence(changes));
  return { verdict, reasons };
};

describe("The verdict on a soak", () => {
  it("is passed when every window was felt, no request failed, each write was done once, and nothing grew", () => {
    const report = judgeSoak(good);
    assert.equal(report.verdict, "passed");
    assert.deepEqual(report.reasons, [
      "20 requests over 20 rotations that were felt, and none failed.",
      "20 acknowledged writes, each done exactly once. Nothing grew.",
    ]);
    assert.equal(report.felt, 20);
    assert.equal(report.growth.length, 10);
  });

  const failing: readonly [what: string, changes: Partial<SoakEvidence>, reason: RegExp][] = [
    ["a request failed", { outcomes: [...good.outcomes, lost] }, /^1 request of 21 failed\.$/],
    ["a request's outcome is unknown without a fault", { outcomes: [...good.outcomes, unknown] }, /1 request of 21/],
    ["the service logged an authentication error", { databaseAuthErrors: 2 }, /2 db-auth errors/],
    ["an acknowledged row is missing", { storedIds: [...good.storedIds].slice(1) }, /1 acknowledged write/],
    [
      "an acknowledged write was never done",
      { ledger: [{ kind: "create", writes: 19, different: 19 }] },
      /that the database never did: 1 of 20/,
    ],
    [
      "a write was done twice",
      { ledger: [{ kind: "create", writes: 21, different: 20 }] },
      /more often than asked for: 1\./,
    ],
    [
      "a write was done again under another id",
      { ledger: [{ kind: "create", writes: 21, different: 21 }] },
      /more often than asked for: 1\./,
    ],
    [
      "the listeners grow by one in each rotation",
      { samples: samplesOf(20, 20, { listeners: (rotation) => rotation }) },
      /^their listeners: from 108\.0 to 118\.0 \(median .*\), and 4 more are allowed\.$/,
    ],
  ];
  for (const [what, changes, reason] of failing) {
    it(`is failed when ${what}`, () => {
      const { verdict, reasons } = judged(changes);
      assert.equal(verdict, "failed");
      assert.equal(reasons.length, 1);
      assert.match(reasons[0] ?? "", reason);
    });
  }

  it("among faults forgives an outcome that is said to be unknown, and no other failure", () => {
    const outcomes = [...good.outcomes, unknown];
    const report = judgeSoak(goodEvidence({ outcomes, withFaults: true }));
    assert.equal(report.verdict, "passed");
    assert.equal(report.forgiven, 1);
    assert.equal(report.totals.failed, 1);
    assert.match(report.reasons[0] ?? "", /1 lost their connection to a fault and said so/);
    for (const failure of [lost, { ...unknown, errorCode: "DATABASE_UNAVAILABLE" }, { ...unknown, status: 500 }]) {
      assert.equal(judged({ outcomes: [...outcomes, failure], withFaults: true }).verdict, "failed");
    }
  });

  it("among faults takes a write whose outcome was unknown as done or not done, and never as done twice", () => {
    const outcomes = [...good.outcomes, unknown];
    const withWrites = (writes: number, different: number) =>
      judged({ outcomes, withFaults: true, ledger: [{ kind: "create", writes, different }] }).verdict;
    assert.equal(withWrites(20, 20), "passed");
    assert.equal(withWrites(21, 21), "passed");
    assert.equal(withWrites(22, 22), "failed");
    assert.equal(withWrites(21, 20), "failed");
    assert.equal(withWrites(19, 19), "failed");
  });

  it("is inconclusive when a window was not felt, and tells no more than three of them", () => {
    const { verdict, reasons } = judged({ retriesAt: good.retriesAt.slice(5) });
    assert.equal(verdict, "inconclusive");
    assert.equal(reasons[0], "15 windows of 20 were felt, and 20 are asked for.");
    assert.match(reasons[1] ?? "", /^Rotation 1: no physical connection was attempted inside the window/);
    assert.equal(reasons.length, 5);
    assert.equal(reasons[4], "And 2 more of the kind.");
  });

  it("is passed when rotations were added for those that were not felt", () => {
    assert.equal(judged({ retriesAt: good.retriesAt.slice(1), asked: 19 }).verdict, "passed");
  });

  it("is inconclusive when nothing was counted, written or rotated", () => {
    assert.deepEqual(judged({ samples: [] }), {
      verdict: "inconclusive",
      reasons: ["Nothing was counted in the second or in the last quarter."],
    });
    assert.equal(judged({ rotations: [] }).verdict, "inconclusive");
    const nothing = { outcomes: [], acknowledgedIds: [], storedIds: [], ledger: [] };
    assert.equal(judged(nothing).verdict, "inconclusive");
  });
});

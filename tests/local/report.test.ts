import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Outcome } from "../../local/load/outcome.ts";
import { type Evidence, judge, judgeStaticPassword, type Verdict } from "../../local/report.ts";
import { reportText } from "../../local/report-table.ts";

/** A request that succeeded, from `startedAt` for `latencyMs`. */
function success(startedAt: number, latencyMs = 5): Outcome {
  return { kind: "create", startedAt, latencyMs, succeeded: true, status: 201 };
}

function failure(startedAt: number, latencyMs = 5, status = 503, errorCode = "DATABASE_UNAVAILABLE"): Outcome {
  const message = "password authentication failed\nfor user";
  return { kind: "read", startedAt, latencyMs, succeeded: false, status, errorCode, message };
}

/** Two rotations, each put to the test, and nothing wrong. */
const good: Evidence = {
  outcomes: [success(500), success(990, 20), success(1_500, 600), success(2_500), success(5_100), success(6_000)],
  rotations: [
    { startedAt: 1_000, promotedAt: 2_000 },
    { startedAt: 5_000, promotedAt: 5_500 },
  ],
  connectionsAt: [100, 1_999, 2_000, 2_100, 4_999, 5_600],
  retriesAt: [1_100, 1_200, 2_050, 5_499],
  tokensMinted: 12,
  databaseAuthErrors: 0,
  acknowledgedIds: ["a", "b"],
  storedIds: ["b", "c", "a"],
};

describe("The report of a run", () => {
  const cases: [string, Partial<Evidence>, Verdict, RegExp[]][] = [
    [
      "every request succeeded and every rotation was put to the test",
      {},
      "passed",
      [/^6 requests over 2 rotations, and none failed\.$/],
    ],
    [
      "an attempt inside the window was refused and retried, and none opened there",
      { connectionsAt: [2_000, 5_600] },
      "passed",
      [/none failed/],
    ],
    [
      "one request failed, wherever",
      { outcomes: [...good.outcomes, failure(100)] },
      "failed",
      [/^1 request of 7 failed\.$/],
    ],
    ["one db-auth error was logged", { databaseAuthErrors: 1 }, "failed", [/^The service logged 1 db-auth error\.$/]],
    [
      "one acknowledged write is missing",
      { storedIds: ["b", "c"] },
      "failed",
      [/^Not in the database: 1 acknowledged write\.$/],
    ],
    [
      "everything is wrong at once",
      { outcomes: [failure(1), failure(2)], databaseAuthErrors: 2, storedIds: [], connectionsAt: [] },
      "failed",
      [/^2 requests of 2 failed/, /2 db-auth errors/, /: 2 acknowledged writes\.$/],
    ],
    [
      "no connection was attempted in one window",
      { retriesAt: [1_100] },
      "inconclusive",
      [/^Rotation 2: no physical connection was attempted inside the window/],
    ],
    [
      "no connection was opened after one rotation",
      { connectionsAt: [2_000, 4_000] },
      "inconclusive",
      [/^Rotation 2: no physical connection was opened after the window/],
    ],
    [
      "no connection was opened at all",
      { connectionsAt: [], retriesAt: [] },
      "inconclusive",
      [/^Rotation 1: .* attempted/, /^Rotation 1: .* opened/, /^Rotation 2: .* attempted/, /^Rotation 2: .* opened/],
    ],
    ["nothing was rotated", { rotations: [] }, "inconclusive", [/^The credential was not rotated\.$/]],
    ["nothing was sent", { outcomes: [] }, "inconclusive", [/^No request was sent\.$/]],
  ];
  for (const [what, changes, verdict, reasons] of cases) {
    it(`is "${verdict}" when ${what}`, () => {
      const report = judge({ ...good, ...changes });
      assert.equal(report.verdict, verdict);
      assert.equal(report.reasons.length, reasons.length, report.reasons.join("\n"));
      for (const [index, reason] of reasons.entries()) assert.match(report.reasons[index] ?? "", reason);
    });
  }

  it("counts what happened inside and after each window", () => {
    const { rotations } = judge({ ...good, outcomes: [...good.outcomes, failure(1_400), failure(3_000)] });
    assert.deepEqual(rotations, [
      {
        windowMs: 1_000,
        // Under way at the start, begun inside, and the failed one; not those that ended before or began after.
        requestsInside: 3,
        failedInside: 1,
        connectionsInside: 1,
        retriesInside: 2,
        requestsAfter: 2,
        failedAfter: 1,
        connectionsAfter: 3,
        retriesAfter: 1,
      },
      {
        windowMs: 500,
        requestsInside: 1,
        failedInside: 0,
        connectionsInside: 0,
        retriesInside: 1,
        requestsAfter: 1,
        failedAfter: 0,
        connectionsAfter: 1,
        retriesAfter: 0,
      },
    ]);
  });

  it("takes rotations in the order of time, whatever order they come in", () => {
    const reversed = judge({ ...good, rotations: [...good.rotations].reverse() });
    assert.deepEqual(reversed.rotations, judge(good).rotations);
  });

  it("adds everything up", () => {
    const report = judge({ ...good, outcomes: [...good.outcomes, failure(1)] });
    assert.deepEqual(report.totals, {
      requests: 7,
      failed: 1,
      connections: 6,
      retries: 4,
      tokensMinted: 12,
      databaseAuthErrors: 0,
      acknowledged: 2,
      missing: 0,
    });
  });

  it("gives the latency of what succeeded by nearest rank", () => {
    const outcomes = Array.from({ length: 200 }, (_, index) => success(0, 200 - index));
    assert.deepEqual(judge({ ...good, outcomes: [...outcomes, failure(0, 9_999)] }).latency, {
      p50: 100,
      p99: 198,
      max: 200,
    });
    assert.deepEqual(judge({ ...good, outcomes: [success(0, 7)] }).latency, { p50: 7, p99: 7, max: 7 });
    assert.equal(judge({ ...good, outcomes: [failure(0)] }).latency, undefined);
  });
});

describe("The report of a run with a static password", () => {
  it("is an outage when requests fail after the first rotation, with the time of the first and the count by code", () => {
    const outcomes = [...good.outcomes, failure(1_200, 50), failure(1_240, 5), failure(1_300, 5, 504, "LATE")];
    const report = judgeStaticPassword({ ...good, outcomes });
    assert.equal(report.verdict, "outage");
    assert.deepEqual(report.reasons, [
      "The first request failed 245 ms after the first rotation began.",
      "3 requests failed from then on: 2 x 503 DATABASE_UNAVAILABLE, 1 x 504 LATE.",
      "Each had needed a new connection, and the password from the start opens none any more: what still answers is what was connected before.",
    ]);
  });

  it("is inconclusive when none failed", () => {
    const report = judgeStaticPassword(good);
    assert.equal(report.verdict, "inconclusive");
    assert.match(report.reasons[0] ?? "", /^No request failed after the first rotation/);
  });

  it("is inconclusive without a rotation, and when requests failed before the first", () => {
    const outcomes = [...good.outcomes, failure(900), failure(1_200)];
    const early = judgeStaticPassword({ ...good, outcomes });
    assert.equal(early.verdict, "inconclusive");
    assert.match(early.reasons[0] ?? "", /^1 request failed before the first rotation/);
    assert.equal(judgeStaticPassword({ ...good, outcomes, rotations: [] }).verdict, "inconclusive");
  });
});

describe("The report's table", () => {
  const failed = judge({ ...good, outcomes: [...good.outcomes, failure(1_400)] });

  it("is plain ASCII without a control character, whatever a service said", () => {
    assert.match(reportText(failed), /^[\n\x20-\x7e]+$/);
  });

  it("shows each rotation, the totals, the failures and the verdict", () => {
    const lines = reportText(failed)
      .split("\n")
      .map((line) => line.replace(/[ |]+/g, " ").trim());
    for (const line of [
      "1 1000 inside 3 1 1 2",
      "after 1 0 3 1",
      "2 500 inside 1 0 0 1",
      "requests 7",
      "tokens minted 12",
      "latency p50 / p99 / max (ms) 5.0 / 600 / 600",
      "503 DATABASE_UNAVAILABLE 1 password authentication failed for user",
      "Verdict: FAILED",
      "1 request of 7 failed.",
    ]) {
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
    }
  });

  it("counts no tokens and no connections where there is no proxy to count them", () => {
    const text = reportText(judgeStaticPassword({ ...good, outcomes: [...good.outcomes, failure(1_400)] }));
    assert.doesNotMatch(text, /tokens minted|connections opened|retries|retried|db-auth/);
    assert.match(text, /acknowledged creations missing/);
  });

  it("has no table of failures when there is none", () => {
    assert.doesNotMatch(reportText(judge(good)), /the first one said/);
    assert.match(reportText(judge(good)), /Verdict: PASSED/);
  });

  it("colours the verdict only where it is asked to", () => {
    assert.ok(reportText(judge(good), { colours: true }).includes("Verdict: \u001b[32;1mPASSED\u001b[0m"));
    assert.ok(!reportText(judge(good)).includes("\u001b"));
  });
});

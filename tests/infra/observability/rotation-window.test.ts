import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { FAILOVER_SECONDS, outlasting } from "../../../infra/observability/alarm.ts";
import { type Series, statesOver } from "./evaluation.ts";
import { alarmOf, ruleOf, SIZES } from "./tables.ts";

const WEEK_MINUTES = 7 * 24 * 60;

/** How a value looks when nothing is wrong and when all is: failures a minute, microseconds, seconds, percent. */
const TOUCHED: readonly (readonly [key: string, bad: number, good: number | null])[] = [
  ["failed-client-authentication", 40, 0],
  ["failed-client-authentication", 40, null],
  ["failed-database-logins", 40, 0],
  ["failed-database-logins", 40, null],
  ["borrow-latency", 30_000_000, 800],
  ["slow-answers", 2.5, 0.02],
  ["server-errors", 100, 0],
];

/** A value a minute: bad in each minute that a disturbance touches, from the given second on and for as long. */
function disturbed(
  minutes: number,
  beginnings: readonly number[],
  seconds: number,
  bad: number,
  good: number | null,
): Series {
  return Array.from({ length: minutes }, (_, minute) =>
    beginnings.some((from) => minute * 60 < from + seconds && from < (minute + 1) * 60) ? bad : good,
  );
}

describe("A rotation", () => {
  for (const [key, bad, good] of TOUCHED) {
    const quiet = good === null ? "which is silent otherwise" : `which is ${good} otherwise`;

    it(`of the longest window sets off no alarm ${key}, ${quiet}, at whatever second of the minute it begins`, () => {
      const rule = ruleOf(alarmOf(key));
      for (let second = 0; second < 60; second++) {
        const series = disturbed(30, [600 + second], 60, bad, good);
        assert.ok(series.includes(bad));
        for (const furtherBack of [0, 2, 20]) {
          assert.ok(!statesOver(series, rule, furtherBack).includes("ALARM"), `second ${second}`);
        }
      }
    });

    it(`every week sets off no alarm ${key}, ${quiet}`, () => {
      const weeks = [0, 1, 2].map((week) => week * WEEK_MINUTES * 60 + 3_630);
      const series = disturbed(2 * WEEK_MINUTES + 120, weeks, 60, bad, good);
      assert.equal(series.filter((value) => value === bad).length, 6);
      assert.ok(!statesOver(series, ruleOf(alarmOf(key))).includes("ALARM"));
    });

    it(`that leaves failures behind sets off the alarm ${key}, ${quiet}, within five minutes, until they end`, () => {
      const rule = ruleOf(alarmOf(key));
      const states = statesOver(disturbed(60, [600], 1_200, bad, good), rule);
      assert.ok(states.indexOf("ALARM") <= 10 + 5, `after ${states.indexOf("ALARM") - 10} minutes`);
      assert.equal(states[29], "ALARM");
      assert.equal(states.at(-1), "OK");
    });
  }

  it("is told from failures that last but come only in every other minute", () => {
    const rule = ruleOf(alarmOf("failed-client-authentication"));
    const series = Array.from({ length: 20 }, (_, minute) => (minute % 2 === 0 ? 1 : 0));
    assert.ok(statesOver(series, rule).includes("ALARM"));
  });

  it("would set off an alarm that took one period less", () => {
    const rule = ruleOf(alarmOf("failed-client-authentication"));
    const hasty = { ...rule, datapoints: rule.datapoints - 1 };
    assert.ok(statesOver(disturbed(30, [630], 60, 40, 0), hasty).includes("ALARM"));
  });

  it("of a stack whose service retries for longer may take longer too", () => {
    const patient = { ...SIZES, timeouts: { connectRetry: 300, borrow: 30 } };
    const series = disturbed(60, [630], 300, 40, 0);
    assert.ok(!statesOver(series, ruleOf(alarmOf("failed-database-logins", patient))).includes("ALARM"));
    assert.ok(statesOver(series, ruleOf(alarmOf("failed-database-logins"))).includes("ALARM"));
  });

  it("is never shorter for alarms than AWS's own minute, however little the service retries", () => {
    const hasty = { ...SIZES, timeouts: { connectRetry: 5, borrow: 30 } };
    for (const key of ["failed-client-authentication", "failed-database-logins"]) {
      assert.deepEqual(alarmOf(key, hasty).evaluation, alarmOf(key).evaluation);
    }
  });
});

describe("A failover", () => {
  it("of the longest usual time sets off no alarm failed-database-logins, at whatever second it begins", () => {
    const rule = ruleOf(alarmOf("failed-database-logins"));
    for (let second = 0; second < 60; second++) {
      const series = disturbed(30, [600 + second], FAILOVER_SECONDS, 40, 0);
      assert.ok(!statesOver(series, rule).includes("ALARM"), `second ${second}`);
    }
  });

  it("of the longest usual time sets off no alarm target-unavailable, at whatever second it begins", () => {
    const rule = ruleOf(alarmOf("target-unavailable"));
    for (let second = 0; second < 60; second++) {
      const series = disturbed(30, [600 + second], FAILOVER_SECONDS, 0, 100);
      // Before the first few points there is no telling: the alarm is made once there are some.
      assert.ok(!statesOver(series, rule).slice(rule.evaluationPeriods).includes("ALARM"), `second ${second}`);
    }
  });

  it("that does not end sets it off, and so does a proxy that falls silent", () => {
    const rule = ruleOf(alarmOf("target-unavailable"));
    assert.ok(statesOver(disturbed(30, [600], 1_200, 0, 100), rule).includes("ALARM"));
    const silent = [...Array.from({ length: 10 }, () => 100), ...Array.from({ length: 20 }, () => null)];
    assert.ok(statesOver(silent, rule).includes("ALARM"));
  });
});

describe("The periods that outlast a disturbance", () => {
  for (const seconds of [1, 59, 60, 61, 120, 600]) {
    it(`are one more than ${seconds} s can touch`, () => {
      const touched = Array.from(
        { length: 60 },
        (_, second) => disturbed(60, [600 + second], seconds, 1, 0).filter((value) => value === 1).length,
      );
      const { datapoints, evaluationPeriods } = outlasting(seconds);
      assert.equal(datapoints, Math.ceil(seconds / 60) + 2);
      assert.ok(datapoints > Math.max(...touched));
      assert.equal(evaluationPeriods, datapoints + 2);
    });
  }
});

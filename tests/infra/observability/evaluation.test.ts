import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluate, type Rule, type State, statesOver } from "./evaluation.ts";

const RETAIN = "RETAIN";

type Expected = State | typeof RETAIN;

type Row = readonly [points: string, missing: Expected, ignore: Expected, breaching: Expected, notBreaching: Expected];

/** The tables of "Configuring how CloudWatch alarms treat missing data", by M of N: five points are retrieved for N = 3. */
const TABLES: readonly (readonly [datapoints: number, rows: readonly Row[]])[] = [
  [
    3,
    [
      ["0 - X - X", "OK", "OK", "OK", "OK"],
      ["0 - - - -", "OK", "OK", "OK", "OK"],
      ["- - - - -", "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"],
      ["0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
      ["- - X - -", "ALARM", RETAIN, "ALARM", "OK"],
    ],
  ],
  [
    2,
    [
      ["0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"],
      ["0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"],
      ["0 - X - -", "OK", "OK", "ALARM", "OK"],
      ["- - - - 0", "OK", "OK", "ALARM", "OK"],
      ["- - - X -", "ALARM", RETAIN, "ALARM", "OK"],
    ],
  ],
];

const TREATMENTS = ["missing", "ignore", "breaching", "notBreaching"] as const;

const VALUES: Readonly<Record<string, number | null>> = { "0": 0, X: 1, "-": null };

const pointsOf = (text: string) => text.split(" ").map((point) => VALUES[point] ?? null);

const breaches = (value: number) => value >= 1;

describe("The evaluation of alarms in these tests", () => {
  for (const [datapoints, rows] of TABLES) {
    for (const [text, ...expected] of rows) {
      it(`gives the states that AWS documents for ${datapoints} of 3 over ${text}`, () => {
        for (const previous of ["OK", "ALARM", "INSUFFICIENT_DATA"] as const) {
          const states = TREATMENTS.map((treat) =>
            evaluate(pointsOf(text), { datapoints, evaluationPeriods: 3, treat, breaches }, previous),
          );
          assert.deepEqual(
            states,
            expected.map((state) => (state === RETAIN ? previous : state)),
          );
        }
      });
    }
  }

  it("waits before one breaching point among missing ones becomes an alarm", () => {
    const rule: Rule = { datapoints: 3, evaluationPeriods: 3, treat: "missing", breaches };
    assert.deepEqual(statesOver(pointsOf("- - - - X - -"), rule).slice(4), [
      "INSUFFICIENT_DATA",
      "INSUFFICIENT_DATA",
      "ALARM",
    ]);
  });
});

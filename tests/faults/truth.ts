import type { Answered, Cell, Row } from "./row.ts";

/**
 * What the database did of something that was asked: all of it `once`, began it and `undone` it, `not at all`; or what must never be,
 * `TWICE`, or `IN PART`.
 */
export type Done = "once" | "undone" | "not at all" | "TWICE" | "IN PART";

export function doneOf({ writes }: Pick<Answered, "writes">): Done {
  if (writes.some(({ begun, stored }) => begun > 1 || stored > 1)) return "TWICE";
  if (writes.every(({ stored }) => stored === 1)) return "once";
  if (writes.some(({ stored }) => stored === 1)) return "IN PART";
  return writes.some(({ begun }) => begun === 1) ? "undone" : "not at all";
}

/** What the database may have done, by what the caller was told. */
const ALLOWED: Readonly<Record<Answered["belief"], readonly Done[]>> = {
  done: ["once"],
  "not sent": ["not at all"],
  "rolled back": ["undone", "not at all"],
  unknown: ["once", "undone", "not at all"],
};

/** Everything in a cell that must not be, in words: a caller that was told something untrue, a pool that was late, something left. */
export function wrongs({ situation, answers, servedAfterMs, left }: Cell, { servesWithinMs }: Row): readonly string[] {
  const untrue = answers
    .filter((answer) => !ALLOWED[answer.belief].includes(doneOf(answer)))
    .map((answer) => `${answer.what} was told "${answer.told}", and the database did it ${doneOf(answer)}`);
  const late = servedAfterMs > servesWithinMs;
  return [
    ...untrue,
    ...(late ? [`it served again after ${Math.round(servedAfterMs)} ms, and not within ${servesWithinMs}`] : []),
    ...left,
  ].map((wrong) => `${situation}: ${wrong}`);
}

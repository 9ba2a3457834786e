import type { Program } from "../../local/program.ts";
import { CONTROLS } from "../../policy/controls.ts";
import { evaluateControls, fails, type Scorecard } from "../../policy/evaluate.ts";
import { EXCEPTIONS } from "../../policy/exceptions.ts";
import { stackOf } from "../../policy/offline.ts";
import type { Tier } from "../../policy/stack.ts";

/** A day on which no exception of the register is due. */
export const TODAY = new Date("2026-12-01T12:00:00Z");

/** The scorecard of an evaluated program. */
export function judged(program: Pick<Program, "resources">, tier: Tier, today: Date = TODAY): Scorecard {
  return evaluateControls(stackOf(program, tier), { controls: CONTROLS, exceptions: EXCEPTIONS, today });
}

/** Ids of the controls that fail, in order; `exceptions` stands for the register. */
export function failing(program: Pick<Program, "resources">, tier: Tier): readonly string[] {
  const { findings, registerMistakes } = judged(program, tier);
  const ids = findings.filter(fails).map(({ control }) => control.id);
  return [...new Set([...ids, ...(registerMistakes.length > 0 ? ["exceptions"] : [])])].sort();
}

import type { Contender } from "./contenders.ts";
import { type Answer, startLoad } from "./load.ts";
import type { Recovery } from "./messages.ts";

/** Throughput is counted over so many milliseconds, at each of these steps: long enough for some hundred statements. */
const WINDOW_MS = 50;
const STEP_MS = 10;

/** From this share of what was before on, throughput counts as full: what is missing is within the noise of so short a window. */
const FULL_SHARE = 0.9;

/** Callers under whose load the connections are dropped: as many as connections, so that each is in use. */
const CALLERS = 10;

/** A load that goes on while every connection is dropped. */
export interface RecoveryWatch {
  /** Ends the load and says how the pool came back. @param droppedAt on the clock of `performance.now()` */
  finish(droppedAt: number): Promise<Recovery>;
}

/** Starts selects that go on until the watch is finished. */
export function watchRecovery(contender: Contender): RecoveryWatch {
  const answers: Answer[] = [];
  const startedAt = performance.now();
  const load = { work: "select", callers: CALLERS, failing: false } as const;
  const running = startLoad(contender, load, (answer) => answers.push(answer));
  return {
    finish: async (droppedAt) => {
      const endedAt = performance.now();
      const unanswered = await running.stop();
      return { ...readRecovery(answers, { startedAt, droppedAt, endedAt }), unanswered };
    },
  };
}

/** Reads from the answers when the pool served again, and when as well as before. */
export function readRecovery(
  answers: readonly Answer[],
  { startedAt, droppedAt, endedAt }: Readonly<Record<"startedAt" | "droppedAt" | "endedAt", number>>,
): Omit<Recovery, "unanswered"> {
  const succeeded = answers.filter(({ error }) => error === undefined);
  // One that had its answer on the way when the connections were dropped has not met the fault.
  const next = succeeded.find((answer) => answer.startedAt > droppedAt);
  const ends = succeeded.map((answer) => answer.endedAt).sort((a, b) => a - b);
  // The first half of the load before belongs to opening the connections again, where an earlier fault has closed them.
  const reference = (startedAt + droppedAt) / 2;
  const full = ((countWithin(ends, reference, droppedAt) * WINDOW_MS) / (droppedAt - reference)) * FULL_SHARE;
  let fullAt: number | undefined;
  // Where nothing was answered before, nothing can be said of it afterwards.
  const from0 = full > 0 && next ? next.endedAt : endedAt;
  for (let from = from0; from + WINDOW_MS <= endedAt; from += STEP_MS) {
    if (countWithin(ends, from, from + WINDOW_MS) < full) continue;
    fullAt = from;
    break;
  }
  return {
    nextSuccessMs: next && next.endedAt - droppedAt,
    fullThroughputMs: fullAt && fullAt - droppedAt,
    failed: answers.length - succeeded.length,
  };
}

function countWithin(times: readonly number[], from: number, to: number): number {
  return times.filter((time) => time >= from && time < to).length;
}

import { setImmediate as nextTurn } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import { type Contender, REFUSED_SQLSTATE } from "./contenders.ts";
import type { LoadResult } from "./messages.ts";
import { FAILING_SHARE, type Load } from "./plan.ts";

/** One in so many fails, evenly, so that every run has as many. */
const FAILS_EVERY = Math.round(1 / FAILING_SHARE);

/** Callers' rows lie so far apart that no two callers meet in one, whatever they do. */
const ROWS_A_CALLER = 20;

/** A pool that has lost a statement never answers it; one that is only late answers within milliseconds. */
const LAST_ANSWER_MS = 3_000;

/** What became of one statement or transaction; times on the clock of `performance.now()`. */
export interface Answer {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Undefined when it succeeded. */
  readonly error: unknown;
}

/** Callers that ask again as soon as they are answered. */
export interface RunningLoad {
  /** Waits for each caller's last answer, which is reported too; resolves with the number of those that had none in time. */
  stop(limitMs?: number): Promise<number>;
}

/** Starts the callers; each is told to `onAnswer` before it asks again. */
export function startLoad(contender: Contender, load: Load, onAnswer: (answer: Answer) => void): RunningLoad {
  let stopping = false;
  let unanswered = load.callers;
  const call = async (caller: number): Promise<void> => {
    for (let turn = 0; !stopping; turn++) {
      const id = caller * ROWS_A_CALLER + (turn % ROWS_A_CALLER);
      // Shifted from caller to caller, as failures that come in step would be met by an idle pool.
      const fails = load.failing && (turn + caller) % FAILS_EVERY === 0;
      const startedAt = performance.now();
      const error = await ask(contender, load.work, id, fails);
      onAnswer({ startedAt, endedAt: performance.now(), error });
      // A pool that refuses at once would otherwise keep the event loop from ever connecting again.
      if (error !== undefined) await nextTurn();
    }
    unanswered--;
  };
  const callers = Promise.all(Array.from({ length: load.callers }, (_, caller) => call(caller)));
  return {
    stop: async (limitMs = LAST_ANSWER_MS) => {
      stopping = true;
      await Promise.race([callers, pause(limitMs)]);
      return unanswered;
    },
  };
}

async function ask(contender: Contender, work: Load["work"], id: number, fails: boolean): Promise<unknown> {
  try {
    if (work === "transaction") await contender.transaction(id, fails);
    else await (fails ? contender.failingSelect() : contender.select(id));
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}

/** Runs a load for `leadMs` unmeasured and then for `ms`, and counts what was answered in that time. */
export async function measureLoad(
  contender: Contender,
  load: Load,
  { leadMs, ms }: { readonly leadMs: number; readonly ms: number },
): Promise<LoadResult> {
  const latencies: number[] = [];
  let [failed, unexpected] = [0, 0];
  let unexpectedMessage: string | undefined;
  let measuring = false;
  const running = startLoad(contender, load, ({ startedAt, endedAt, error }) => {
    if (isExpected(error)) failed += measuring ? 1 : 0;
    else if (error !== undefined) {
      unexpected++;
      unexpectedMessage ??= error instanceof Error ? error.message : String(error);
    }
    if (measuring) latencies.push(endedAt - startedAt);
  });
  await pause(leadMs);
  measuring = true;
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  await pause(ms);
  measuring = false;
  const tookMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const unanswered = await running.stop();
  if (unanswered > 0) unexpectedMessage ??= `no answer within ${LAST_ANSWER_MS} ms`;
  return {
    perSecond: (latencies.length / tookMs) * 1_000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMicros: (user + system) / latencies.length,
    answered: latencies.length,
    failed,
    unexpected: unexpected + unanswered,
    unexpectedMessage,
  };
}

/** From so many answers on, the share that failed tells whether the load was what it was to be. */
const ENOUGH_ANSWERS = 100;

/** What was wrong with a load, so that its figures mean something else than they seem to; undefined when nothing was. */
export function complaintOf({ failing }: Load, result: LoadResult): string | undefined {
  const { answered, failed, unexpected, unexpectedMessage } = result;
  if (unexpected > 0) return `${unexpected} errors, such as: ${unexpectedMessage}`;
  // Wide, since a short load catches those that fail, and take longer, a little more or less often than they are sent.
  const [least, most] = failing ? [FAILING_SHARE / 4, FAILING_SHARE * 3] : [0, 0];
  const share = failed / answered;
  if (answered < ENOUGH_ANSWERS || (share >= least && share <= most)) return undefined;
  return `${failed} of ${answered} failed, where ${failing ? `every ${FAILS_EVERY}th` : "none"} was to`;
}

function isExpected(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === REFUSED_SQLSTATE;
}

export function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, ms);
  return promise;
}

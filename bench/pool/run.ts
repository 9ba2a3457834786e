import type { CommandContext } from "../../local/command.ts";
import { CONTENDERS } from "./contenders.ts";
import type { ServerCalls } from "./messages.ts";
import type { Plan } from "./plan.ts";
import { measureRound, type RoundContext, startWarmClients, type WarmClients } from "./round.ts";
import type { Results, Sample } from "./samples.ts";
import { startWorker } from "./worker.ts";

const SERVER = new URL("server.ts", import.meta.url);

/** Evaluating the program and starting PostgreSQL takes some seconds; a slow machine gets many. */
const START_LIMIT_MS = 60_000;
/** What the environment needs to stop is at most ten seconds. */
const STOP_LIMIT_MS = 12_000;

/**
 * Brings the server up in a process of its own and measures the contenders round by round.
 *
 * @throws Error when a process ends or hangs, and the signal's reason when it aborts; nothing is left behind then
 */
export async function measurePools(plan: Plan, { signal, log }: CommandContext): Promise<Results> {
  const startedAt = performance.now();
  const contenders = Object.keys(CONTENDERS);
  const samples: Sample[] = [];
  const unexpected: string[] = [];
  const uncaught: string[] = [];
  log("bringing PostgreSQL and the proxy up");
  const server = startWorker<ServerCalls>(SERVER, { name: "the server" });
  let round = 0;
  let warm: WarmClients | undefined;
  try {
    const surroundings = await server.ask("start", {}, START_LIMIT_MS);
    const context: RoundContext = {
      contenders,
      plan,
      server,
      surroundings,
      signal,
      log,
      add: (contender, measure, value) => samples.push({ measure, contender, round: round + 1, value }),
      tellUnexpected: (message) => unexpected.push(message),
      tellUncaught: (message) => uncaught.push(message),
    };
    log("warming every contender up");
    warm = await startWarmClients(context);
    for (let longestMs = 0; round < plan.rounds; round++) {
      const begunAt = performance.now();
      const left = plan.limitMs === undefined ? Number.POSITIVE_INFINITY : plan.limitMs - (begunAt - startedAt);
      if (round > 0 && longestMs > left) {
        log(`a further round would take too long: ${round} of ${plan.rounds} were made`);
        break;
      }
      log(`round ${round + 1} of ${plan.rounds}`);
      await measureRound(round + 1, warm, context);
      longestMs = Math.max(longestMs, performance.now() - begunAt);
    }
    // Their last words are part of the results.
    await warm.stop();
    return { contenders, rounds: round, samples, unexpected, uncaught, tookMs: performance.now() - startedAt };
  } finally {
    await warm?.stop();
    await server.stop(STOP_LIMIT_MS);
  }
}

import http from "node:http";
import { generatorCodes, type Outcome } from "./load/outcome.ts";
import { type SentRequest, sendRequest } from "./load/send.ts";
import { type PlannedRequest, Workload } from "./load/workload.ts";

/** What load to make. */
export interface LoadOptions {
  /** Where the service answers, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Requests a second, due whether or not the ones before have been answered; 200 by default. */
  readonly rate?: number;
  /** How long requests are sent, in seconds. Without it, until `stop`. */
  readonly seconds?: number;
  /** Requests on their way at once, at most; one more counts as failed and is not sent. 2,000 by default. */
  readonly maxInFlight?: number;
  /**
   * How long a request may take, in milliseconds; 70,000 by default: longer than a load balancer's default idle time-out of 60 s, so that
   * its 504 is seen and not this end's giving up.
   */
  readonly timeoutMs?: number;
}

/** Load that runs. */
export interface Load {
  /** What became of each request so far, in the order in which they ended. */
  readonly outcomes: readonly Outcome[];
  /** Ids of the projects and members that the service has acknowledged as created. */
  readonly acknowledgedIds: readonly string[];
  readonly inFlight: number;
  /** Sends `count` more requests at once: with more of them than idle connections the service must open new ones. */
  burst(count: number): void;
  /** Settles when the time is over, or the load was stopped, and every request has ended. Never rejects. */
  readonly done: Promise<void>;
  /**
   * Sends no more and waits for what is on its way.
   *
   * @param limitMs after which what is left is broken off and counts as failed; 30,000 by default
   */
  stop(limitMs?: number): Promise<void>;
}

/** Due requests are sent this often (ms): fine enough to be even, coarse enough to cost nothing. */
const tickMs = 10;

/**
 * Starts an open-loop load of reads and writes: a slow answer delays no later request, as it would not with independent users.
 *
 * @throws RangeError for a rate, a time or a limit that is not a positive number
 */
export function startLoad(options: LoadOptions): Load {
  const { rate = 200, seconds = Number.POSITIVE_INFINITY, maxInFlight = 2_000, timeoutMs = 70_000 } = options;
  for (const [name, value] of Object.entries({ rate, seconds, maxInFlight, timeoutMs })) {
    if (!(value > 0)) throw new RangeError(`${name} is ${value}; a number above 0 is needed`);
  }
  const agent = new http.Agent({ keepAlive: true });
  const workload = new Workload();
  const outcomes: Outcome[] = [];
  const running = new Set<SentRequest>();
  const ended = Promise.withResolvers<void>();
  const startedAt = performance.now();
  let sent = 0;
  let sending = true;

  const endWhenIdle = (): void => {
    if (sending || running.size > 0) return;
    agent.destroy();
    ended.resolve();
  };
  const send = (): void => {
    const planned = workload.next();
    if (running.size >= maxInFlight) {
      outcomes.push(saturated(planned, maxInFlight));
      return;
    }
    const request = sendRequest(options.url, planned, agent, timeoutMs, (outcome) => {
      running.delete(request);
      outcomes.push(outcome);
      endWhenIdle();
    });
    running.add(request);
  };
  const endSending = (): void => {
    clearInterval(timer);
    sending = false;
    endWhenIdle();
  };
  const timer = setInterval(() => {
    const elapsedSeconds = (performance.now() - startedAt) / 1_000;
    const over = elapsedSeconds >= seconds;
    // Counted from the start, not from the last tick: a late tick sends what it owes, and the total is exact.
    const due = over ? Math.round(seconds * rate) : Math.floor(elapsedSeconds * rate);
    while (sent < due) {
      sent++;
      send();
    }
    if (over) endSending();
  }, tickMs);

  return {
    outcomes,
    acknowledgedIds: workload.acknowledgedIds,
    get inFlight() {
      return running.size;
    },
    burst: (count) => {
      for (let request = 0; request < count && sending; request++) send();
    },
    done: ended.promise,
    stop: async (limitMs = 30_000) => {
      endSending();
      const late = setTimeout(() => {
        for (const request of running) {
          request.giveUp(generatorCodes.stopped, `not answered within ${limitMs} ms after the load was stopped`);
        }
      }, limitMs);
      await ended.promise;
      clearTimeout(late);
    },
  };
}

function saturated(planned: PlannedRequest, maxInFlight: number): Outcome {
  return {
    kind: planned.kind,
    startedAt: Date.now(),
    latencyMs: 0,
    succeeded: false,
    errorCode: generatorCodes.saturated,
    message: `${maxInFlight} requests were on their way`,
  };
}

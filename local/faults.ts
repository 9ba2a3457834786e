import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { messageOf } from "./environment/teardown.ts";
import { definitionOf, type FaultName } from "./faults/catalogue.ts";
import { FaultError } from "./faults/error.ts";
import { type FaultRequest, readFaultRequest } from "./faults/request.ts";
import type { Surroundings } from "./faults/surroundings.ts";
import type { Undo } from "./proxy/fault-points.ts";

export { FaultError } from "./faults/error.ts";
export type { FaultRequest } from "./faults/request.ts";

/** How long the end of the environment waits for faults to be undone, in milliseconds. A restart may take longer, and is called off then. */
const CLOSE_MS = 3_000;

/** A fault that was started. Times are milliseconds since 1970. */
export interface RunningFault {
  readonly id: string;
  readonly fault: FaultName;
  readonly startedAt: number;
  /** When it ends by itself; what restarts something takes a little longer. */
  readonly endsAt: number;
  /** Every parameter, defaults included. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** Faults on demand: each in effect for its time, then undone by itself. */
export interface Faults {
  /**
   * Starts a fault; resolves once it is in effect. Different faults may run together, the same one only once at a time.
   *
   * @throws FaultError INVALID_FAULT, FAULT_RUNNING, FAULT_FAILED, CLOSED
   */
  start(request: FaultRequest): Promise<RunningFault>;
  /** Those that run, oldest first, with the milliseconds that are left: 0 for one that is being undone. */
  list(): readonly (RunningFault & { readonly remainingMs: number })[];
  /**
   * Ends one fault, or all; resolves once everything is as it was before. A restart of the database is waited for.
   *
   * @throws FaultError FAULT_NOT_FOUND for an id under which none runs; FAULT_NOT_ENDED when something could not be undone
   */
  clear(id?: string): Promise<void>;
  /** Resolves once the fault has ended, by itself or not; at once for an id under which none runs. Never rejects. */
  ended(id: string): Promise<void>;
}

/** Faults, for whoever makes them and ends them with what they act on. */
export interface OwnedFaults extends Faults {
  /** Ends all and starts no more. Never rejects. */
  close(): Promise<void>;
}

/** What faults are made with. */
export interface FaultsOptions {
  readonly surroundings: Surroundings;
  /** Told of each fault that begins or ends, and of one that could not be undone. */
  readonly log: (message: string) => void;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number;
  /** Waits, and rejects when the signal aborts; a timer by default. */
  readonly delay?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** One fault between its start and its end. */
interface Run {
  readonly begun: Promise<RunningFault>;
  /** Ends the wait for its time. */
  readonly cleared: AbortController;
  /** Resolves once it is undone, with the reason when that failed, or once it is known not to have begun. */
  readonly ended: Promise<FaultError | undefined>;
  /** Undefined until it is in effect. */
  running: RunningFault | undefined;
}

/** Makes faults of which none runs yet. */
export function createFaults(options: FaultsOptions): OwnedFaults {
  const { surroundings, log, now = Date.now, delay = (ms, signal) => wait(ms, undefined, { signal }) } = options;
  const runs = new Map<FaultName, Run>();
  let closed = false;

  const begin = (fault: FaultName, parameters: RunningFault["parameters"]): Run => {
    const definition = definitionOf(fault);
    const lastsMs = definition.lastsMs(parameters);
    const cleared = new AbortController();
    // Asynchronous, so that what it throws at once is a rejection too.
    const started = (async () => definition.start(surroundings, parameters))();
    const begun = started.then(() => {
      const startedAt = now();
      run.running = { id: randomUUID(), fault, startedAt, endsAt: startedAt + lastsMs, parameters };
      log(`fault ${fault} begins, for ${lastsMs} ms: ${JSON.stringify(parameters)}`);
      return run.running;
    }, notStarted(fault));
    const ended = begun
      .then(
        async () => {
          if (lastsMs > 0) await delay(lastsMs, cleared.signal).catch(() => {});
          return undone(fault, await started, log);
        },
        () => undefined,
      )
      .finally(() => runs.delete(fault));
    const run: Run = { begun, cleared, ended, running: undefined };
    runs.set(fault, run);
    return run;
  };
  const inEffect = () => [...runs.values()].flatMap(({ running }) => running ?? []);
  const find = (id: string) => [...runs.values()].find(({ running }) => running?.id === id);
  const end = async (ending: readonly Run[]): Promise<void> => {
    for (const { cleared } of ending) cleared.abort();
    const failures = await Promise.all(ending.map(({ ended }) => ended));
    const [failure] = failures.filter((error) => error !== undefined);
    if (failure) throw failure;
  };

  return {
    async start(request) {
      const { fault, parameters } = readFaultRequest(request);
      if (closed) throw new FaultError("CLOSED", `${fault} is not started: the environment stops.`);
      if (runs.has(fault)) {
        throw new FaultError(
          "FAULT_RUNNING",
          `${fault} is running already: wait until it ends, or clear it and start it anew.`,
        );
      }
      const { begun, ended } = begin(fault, parameters);
      const running = await begun;
      if (definitionOf(fault).isInstant) await ended;
      return running;
    },
    list: () => inEffect().map((fault) => ({ ...fault, remainingMs: Math.max(0, fault.endsAt - now()) })),
    async clear(id) {
      if (id === undefined) return end([...runs.values()]);
      const run = find(id);
      if (run === undefined) throw new FaultError("FAULT_NOT_FOUND", `No fault runs under the id ${id.slice(0, 100)}.`);
      return end([run]);
    },
    async ended(id) {
      await find(id)?.ended;
    },
    async close() {
      closed = true;
      const limit = new AbortController();
      await Promise.race([
        end([...runs.values()]).catch(() => {}),
        wait(CLOSE_MS, undefined, { signal: limit.signal }).catch(() => {}),
      ]);
      limit.abort();
    },
  };
}

const notStarted =
  (fault: FaultName) =>
  (cause: unknown): never => {
    throw new FaultError("FAULT_FAILED", `${fault} could not be started: ${messageOf(cause)}`, { cause });
  };

async function undone(fault: FaultName, undo: Undo, log: FaultsOptions["log"]): Promise<FaultError | undefined> {
  try {
    await undo();
    log(`fault ${fault} has ended`);
    return undefined;
  } catch (cause) {
    const error = new FaultError("FAULT_NOT_ENDED", `${fault} could not be undone: ${messageOf(cause)}`, { cause });
    log(error.message);
    return error;
  }
}

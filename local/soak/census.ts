import type { Environment } from "../environment.ts";
import type { Inspector } from "./inspector.ts";
import { asSuperuser } from "./superuser.ts";

/** What is counted, and how much of it may come between the second and the last quarter of a run without being called growth. */
export interface Quantity {
  readonly label: string;
  readonly allowance: number;
}

/**
 * Everything that is counted while the service is at rest: in its process after a collection, at the proxy, and at the database. HTTP
 * connections, which the load balancer keeps for as long as it likes, are not. What can be counted exactly may hardly grow at all: a leak of
 * one in ten rotations is five between the quarters of a hundred. Memory is compiled code and caches too, which settle slowly.
 */
export const QUANTITIES = {
  heapMiB: { label: "heap (MiB)", allowance: 1 },
  rssMiB: { label: "RSS (MiB)", allowance: 16 },
  emitters: { label: "event emitters", allowance: 2 },
  listeners: { label: "their listeners", allowance: 4 },
  mostListeners: { label: "most of one event", allowance: 0 },
  abortListeners: { label: "listeners of abort signals", allowance: 0 },
  sockets: { label: "sockets", allowance: 0 },
  timers: { label: "timers", allowance: 1 },
  proxyClients: { label: "the proxy's clients", allowance: 0 },
  backends: { label: "backends", allowance: 0 },
} as const satisfies Readonly<Record<string, Quantity>>;

export type QuantityName = keyof typeof QUANTITIES;

/** One look at everything. */
export interface Sample {
  /** How many rotations there had been. */
  readonly rotation: number;
  readonly values: Readonly<Record<QuantityName, number>>;
}

const MIB = 1_048_576;

const MEMORY = `(() => {
  const { rss, heapUsed, external } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((one) => one === "Timeout").length;
  return { rss, heap: heapUsed + external, timers };
})()`;

const EMITTER_PROTOTYPE = `process.getBuiltinModule("node:events").EventEmitter.prototype`;

/** Prototypes inherit too, but have no listeners of their own. A socket that was accepted has a server. */
const EMITTERS = `(objects) => {
  const { Socket } = process.getBuiltinModule("node:net");
  const isAccepted = (one) => one instanceof Socket && Boolean(one.server);
  const ofHttp = (one) => isAccepted(one) || isAccepted(one.socket);
  const emitters = objects.filter((one) => Object.hasOwn(one, "_events") && one._events && !ofHttp(one));
  let listeners = 0;
  let mostListeners = 0;
  for (const emitter of emitters) {
    for (const event of Reflect.ownKeys(emitter._events)) {
      const found = emitter._events[event];
      const count = Array.isArray(found) ? found.length : found ? 1 : 0;
      listeners += count;
      mostListeners = Math.max(mostListeners, count);
    }
  }
  const sockets = emitters.filter((one) => one instanceof Socket).length;
  return { emitters: emitters.length, listeners, mostListeners, sockets };
}`;

const ABORT_LISTENERS = `(signals) => {
  const { getEventListeners } = process.getBuiltinModule("node:events");
  return signals.reduce((sum, one) => sum + (one === AbortSignal.prototype ? 0 : getEventListeners(one, "abort").length), 0);
}`;

type Memory = Readonly<Record<"rss" | "heap" | "timers", number>>;
type Emitters = Readonly<Record<"emitters" | "listeners" | "mostListeners" | "sockets", number>>;

/** What is counted in the process alone. */
export type ProcessCounts = Readonly<Record<Exclude<QuantityName, "proxyClients" | "backends">, number>>;

/** Counts what a process holds, after a collection of all its garbage. */
export async function countProcess(inspector: Inspector): Promise<ProcessCounts> {
  // Each walk through the heap begins with a collection.
  const emitters = (await inspector.summarize(EMITTER_PROTOTYPE, EMITTERS)) as Emitters;
  const abortListeners = Number(await inspector.summarize("AbortSignal.prototype", ABORT_LISTENERS));
  const { rss, heap, timers } = (await inspector.evaluate(MEMORY)) as Memory;
  return { ...emitters, abortListeners, timers, heapMiB: heap / MIB, rssMiB: rss / MIB };
}

type Observed = Pick<Environment, "proxy" | "postgres" | "declared">;

/** Looks at the service's process, at the proxy and at the database. */
export class Census {
  readonly #inspector: Inspector;
  readonly #environment: Observed;

  constructor(inspector: Inspector, environment: Observed) {
    this.#inspector = inspector;
    this.#environment = environment;
  }

  async take(rotation: number): Promise<Sample> {
    const proxyClients = this.#environment.proxy.metrics().ClientConnections;
    const backends = await this.#backends();
    return { rotation, values: { ...(await countProcess(this.#inspector)), proxyClients, backends } };
  }

  /** Connections of the service's user at the database. */
  async #backends(): Promise<number> {
    const { declared, postgres } = this.#environment;
    const count = "select count(*)::int from pg_stat_activity where usename = $1";
    const { rows } = await asSuperuser(postgres.directUrl, (client) =>
      client.query<{ count: number }>(count, [declared.database.user]),
    );
    return rows[0]?.count ?? Number.NaN;
  }
}

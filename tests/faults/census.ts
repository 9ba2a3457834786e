import type { EventEmitter } from "node:events";
import type { RdsIamPool } from "../../app/postgres/index.ts";
import { eventually } from "../local/eventually.ts";
import type { Ledger } from "./ledger.ts";

/** How long whatever a fault has cut may take to go, in milliseconds. */
const LIMIT_MS = 10_000;

/** Listeners on a pool, and on a lent connection of it with all that it is made of. */
export type Listeners = Readonly<Record<string, number>>;

/** Counts the listeners of a pool that has an idle connection. */
export async function countListeners(pool: RdsIamPool): Promise<Listeners> {
  // The first loan of a new connection has listeners that later ones have not.
  await pool.query("SELECT 1");
  const client = await pool.connect();
  try {
    const { connection } = client;
    const emitters = { pool, client, connection, stream: connection.stream, process };
    return Object.fromEntries(
      Object.entries(emitters).flatMap(([name, emitter]) =>
        (emitter as EventEmitter).eventNames().map((event) => {
          return [`${name}.${String(event)}`, (emitter as EventEmitter).listenerCount(event)];
        }),
      ),
    );
  } finally {
    client.release();
  }
}

/** What of a pool at rest is left that should not be, in words; empty when nothing is. */
export async function leftOvers(
  pool: RdsIamPool,
  application: string,
  ledger: Ledger,
  before: Listeners,
): Promise<readonly string[]> {
  const after = await countListeners(pool);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const grown = [...names].filter((name) => (after[name] ?? 0) > (before[name] ?? 0));
  // A connection that was made for someone who got another meanwhile.
  await eventually("all are idle", LIMIT_MS, () => pool.idleCount === pool.totalCount).catch(() => {});
  const { totalCount, idleCount, waitingCount } = pool;
  let backends = 0;
  const isOne = async () => {
    backends = await ledger.backendsOf(application);
    return backends === totalCount;
  };
  await eventually("a backend for each connection", LIMIT_MS, isOne).catch(() => {});
  return [
    ...grown.map((name) => `listeners of ${name}: ${before[name] ?? 0}, now ${after[name]}`),
    ...(idleCount === totalCount ? [] : [`${totalCount - idleCount} connections lent`]),
    ...(waitingCount === 0 ? [] : [`${waitingCount} callers in the line`]),
    ...(backends === totalCount ? [] : [`${backends} backends for ${totalCount} connections`]),
  ];
}

/** What the end of pools leaves at the proxy and at the database, in words; empty when nothing is left. */
export async function leftAtEnd(
  what: Readonly<Record<string, () => number | Promise<number>>>,
): Promise<readonly string[]> {
  const left = await Promise.all(
    Object.entries(what).map(async ([name, count]) => {
      let n = 0;
      const isGone = async () => {
        n = await count();
        return n === 0;
      };
      await eventually(name, LIMIT_MS, isGone).catch(() => {});
      return n === 0 ? [] : [`${n} ${name} after the end of the pool`];
    }),
  );
  return left.flat();
}

import type { Contender, Lent } from "./contenders.ts";
import { pause } from "./load.ts";
import type { Memory } from "./messages.ts";

/** After the collections: what closes or settles by then is not part of an idle connection. */
const SETTLE_MS = 100;

/**
 * What a connection adds to the process while it is idle. One is opened before anything is weighed, since the first brings the modules
 * and the TLS context that all share. Needs Node's `--expose-gc`.
 */
export async function weighConnections(contender: Contender, connections: number): Promise<Memory> {
  await useAtOnce(contender, 1);
  const before = await weigh();
  await useAtOnce(contender, connections);
  const after = await weigh();
  const added = (connections - 1) * 1_024;
  return {
    heapKib: (after.heap - before.heap) / added,
    residentKib: (after.resident - before.resident) / added,
  };
}

/** Holds so many connections at the same time, each used once, and gives them back. */
export async function useAtOnce(contender: Contender, connections: number): Promise<void> {
  const used = async (): Promise<Lent> => {
    const lent = await contender.lend();
    await lent.query("SELECT 1");
    return lent;
  };
  for (const lent of await Promise.all(Array.from({ length: connections }, used))) lent.release();
}

async function weigh(): Promise<{ heap: number; resident: number }> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("memory is weighed after a collection: start the process with --expose-gc");
  gc();
  await pause(SETTLE_MS);
  gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

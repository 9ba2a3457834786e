import { CONTENDERS, type Contender } from "./contenders.ts";
import { measureLoad } from "./load.ts";
import { useAtOnce, weighConnections } from "./memory.ts";
import type { ClientCalls } from "./messages.ts";
import { type RecoveryWatch, watchRecovery } from "./recovery.ts";
import { serve } from "./worker.ts";

/** One contender in a process of its own, so that neither compiled code nor garbage of another colours it. */
let contender: Contender | undefined;
let watch: RecoveryWatch | undefined;

/** Whatever a pool throws past its callers ends a service; here it is told instead, so that the others are still measured. */
const uncaught: string[] = [];
for (const event of ["uncaughtException", "unhandledRejection"] as const)
  process.on(event, (error: unknown) => uncaught.push(error instanceof Error ? error.message : String(error)));

await serve<ClientCalls>({
  open: async ({ contender: name, target, max }) => {
    const load = CONTENDERS[name];
    if (load === undefined)
      throw new Error(`there is no contender ${name}, only ${Object.keys(CONTENDERS).join(", ")}`);
    contender = (await load())(target, max);
    return {};
  },
  firstConnections: async ({ count }) => ({ ms: await timed(() => useAtOnce(opened(), count)) }),
  warmUp: async ({ work, ms }) => {
    await measureLoad(opened(), { work, callers: 10, failing: false }, { leadMs: 0, ms });
    return {};
  },
  load: ({ leadMs, ms, ...load }) => measureLoad(opened(), load, { leadMs, ms }),
  beginRecovery: async () => {
    watch = watchRecovery(opened());
    return {};
  },
  endRecovery: async ({ droppedAt }) => {
    if (watch === undefined) throw new Error("no load runs that could recover: begin first");
    return watch.finish(droppedAt - performance.timeOrigin);
  },
  mint: async ({ count }) => {
    const ms: number[] = [];
    for (let minted = 0; minted < count; minted++) ms.push(await timed(() => opened().mint()));
    return { ms };
  },
  uncaught: async () => ({ messages: uncaught }),
  memory: ({ connections }) => weighConnections(opened(), connections),
});
// Connections that stand would keep it alive, and ending each pool properly is not what is measured.
process.exit(0);

function opened(): Contender {
  if (contender === undefined) throw new Error("no pool is open: ask to open one first");
  return contender;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

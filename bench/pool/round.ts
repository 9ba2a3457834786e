import { fileURLToPath } from "node:url";
import { containerEnvironment } from "../../local/container-environment.ts";
import { median } from "../statistics.ts";
import { complaintOf, pause } from "./load.ts";
import type { ClientCalls, ServerCalls, Surroundings } from "./messages.ts";
import { describeLoad, LOADS, type Load, type Plan, POOL_SIZE, WORKS } from "./plan.ts";
import { LOAD_QUANTITIES, loadMeasure } from "./samples.ts";
import { startWorker, type Worker } from "./worker.ts";

const CLIENT = new URL("client.ts", import.meta.url);
const PRELOAD = fileURLToPath(new URL("../../local/preload.mjs", import.meta.url));

/** What no step takes beyond its planned time, unless something hangs. */
const STEP_LIMIT_MS = 20_000;

/** What a round works with. */
export interface RoundContext {
  readonly contenders: readonly string[];
  readonly plan: Plan;
  readonly server: Worker<ServerCalls>;
  readonly surroundings: Surroundings;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** Takes what was measured; undefined when it did not come about. */
  readonly add: (contender: string, measure: string, value: number | undefined) => void;
  /** Takes what makes the figures of a load untrue. */
  readonly tellUnexpected: (message: string) => void;
  /** Takes an error that no caller could catch. */
  readonly tellUncaught: (message: string) => void;
}

type Client = Worker<ClientCalls>;

/** Goes through the contenders; each time another one begins. */
type EachInTurn = (work: (contender: string) => Promise<void>) => Promise<void>;

/** Processes whose code is compiled, one a contender. */
export interface WarmClients {
  of(contender: string): Client;
  /** Ends the processes, and tells of every error that no caller could catch. */
  stop(): Promise<void>;
}

/**
 * Starts a process for each contender and loads it until its code is compiled: what Node compiles meanwhile would be measured
 * otherwise, and it takes longer than a round lasts.
 */
export async function startWarmClients(context: RoundContext): Promise<WarmClients> {
  const clients = new Map<string, Client>();
  const stop = async (): Promise<void> => {
    for (const [contender, client] of clients) await tellUncaught(contender, client, context).catch(() => undefined);
    await Promise.all([...clients.values()].map((client) => client.stop()));
  };
  try {
    for (const contender of context.contenders) {
      const client = await startClient(contender, POOL_SIZE, context);
      clients.set(contender, client);
      for (const work of WORKS) {
        context.signal.throwIfAborted();
        const ms = context.plan.warmUpMs;
        await client.ask("warmUp", { work, ms }, ms + STEP_LIMIT_MS);
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { of: (contender) => clients.get(contender) as Client, stop };
}

/**
 * Measures everything once for each contender: loads in the warm processes, all else in fresh ones. Every measure goes through all
 * contenders before the next measure begins, so that what the machine does meanwhile meets all of them alike.
 *
 * @param round from 1; decides who begins
 * @throws Error when a process ends or hangs, and the signal's reason when it aborts
 */
export async function measureRound(round: number, warm: WarmClients, context: RoundContext): Promise<void> {
  const { contenders, signal } = context;
  let turn = round - 1;
  const eachInTurn: EachInTurn = async (work) => {
    const first = turn++ % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      signal.throwIfAborted();
      await work(contender);
    }
  };
  await eachInTurn((contender) => weigh(contender, context));
  for (const load of LOADS) await eachInTurn((contender) => measureLoad(contender, load, warm, context));
  context.log("dropping every connection");
  await eachInTurn((contender) => recover(contender, context));
}

/** Mint and memory, on a pool of as many connections as are weighed. */
async function weigh(contender: string, context: RoundContext): Promise<void> {
  const { mints, idleConnections: connections } = context.plan;
  const client = await startClient(contender, connections, context, ["--expose-gc"]);
  try {
    const [first] = (await client.ask("mint", { count: 1 }, STEP_LIMIT_MS)).ms;
    context.add(contender, "mint/first", first);
    // Before the others, whose garbage would be weighed with the connections.
    const { heapKib, residentKib } = await client.ask("memory", { connections }, STEP_LIMIT_MS);
    context.add(contender, "memory/heap", heapKib);
    context.add(contender, "memory/resident", residentKib);
    const later = await client.ask("mint", { count: mints }, STEP_LIMIT_MS);
    context.add(contender, "mint/later", median(later.ms));
  } finally {
    await client.stop();
  }
}

async function measureLoad(
  contender: string,
  load: Load,
  warm: WarmClients,
  { plan: { leadMs, loadMs }, add, tellUnexpected }: RoundContext,
): Promise<void> {
  const limitMs = leadMs + loadMs + STEP_LIMIT_MS;
  const result = await warm.of(contender).ask("load", { ...load, leadMs, ms: loadMs }, limitMs);
  for (const quantity of LOAD_QUANTITIES) add(contender, loadMeasure(load, quantity), finite(result[quantity]));
  const complaint = complaintOf(load, result);
  if (complaint !== undefined) tellUnexpected(`${contender}, ${describeLoad(load)}: ${complaint}`);
}

/** The first connections, and what becomes of them when they are dropped: in a fresh process, since not every pool recovers. */
async function recover(contender: string, context: RoundContext): Promise<void> {
  const { plan, server, add } = context;
  const client = await startClient(contender, POOL_SIZE, context);
  try {
    const { ms } = await client.ask("firstConnections", { count: POOL_SIZE }, STEP_LIMIT_MS);
    add(contender, "connections/first", ms);
    await client.ask("beginRecovery", {}, STEP_LIMIT_MS);
    await pause(plan.beforeDropMs);
    const { at: droppedAt } = await server.ask("drop", {}, STEP_LIMIT_MS);
    await pause(plan.afterDropMs);
    const recovery = await client.ask("endRecovery", { droppedAt }, STEP_LIMIT_MS);
    add(contender, "recovery/nextSuccess", recovery.nextSuccessMs);
    add(contender, "recovery/fullThroughput", recovery.fullThroughputMs);
    add(contender, "recovery/failed", recovery.failed);
    add(contender, "recovery/unanswered", recovery.unanswered);
    await tellUncaught(contender, client, context);
  } finally {
    await client.stop();
  }
}

async function tellUncaught(contender: string, client: Client, context: RoundContext): Promise<void> {
  const { messages } = await client.ask("uncaught", {}, STEP_LIMIT_MS);
  if (messages.length > 0) context.tellUncaught(`${contender}: ${messages.length}, such as: ${messages[0]}`);
}

/** A process for one contender, which finds its network and its credentials as the service's container does. */
async function startClient(
  contender: string,
  max: number,
  { surroundings: { target, listenPort, caFile, credentials } }: RoundContext,
  execArgv: readonly string[] = [],
): Promise<Client> {
  const { host, port, region } = target;
  const sources = { credentials, caFile, hosts: [{ host, port, address: "127.0.0.1", listenPort }] };
  const env = containerEnvironment("client", { AWS_REGION: region }, sources, PRELOAD);
  const client = startWorker<ClientCalls>(CLIENT, { name: contender, env, execArgv });
  try {
    await client.ask("open", { contender, target, max }, STEP_LIMIT_MS);
  } catch (error) {
    await client.stop();
    throw error;
  }
  return client;
}

/** Nothing was answered in a load that was too short. */
function finite(value: number | null): number | undefined {
  return value !== null && Number.isFinite(value) ? value : undefined;
}

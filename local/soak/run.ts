import { setTimeout as delay } from "node:timers/promises";
import type { CommandContext } from "../command.ts";
import type { RotateOptions, Rotation } from "../control-plane.ts";
import { rotateUnderLoad } from "../demo/drill.ts";
import { Observation, storedIds } from "../demo/observation.ts";
import { AFTERMATH_MS } from "../demo/options.ts";
import { type Environment, startEnvironment } from "../environment.ts";
import type { Outcome } from "../load/outcome.ts";
import { startLoad } from "../load.ts";
import type { Program } from "../program.ts";
import { Census, type Sample } from "./census.ts";
import { disturb } from "./disturbances.ts";
import { Inspector, inspectorUrl, withInspector } from "./inspector.ts";
import { judgeSoak, type SoakEvidence, type SoakReport } from "./judgement.ts";
import { keepLedger, readLedger } from "./ledger.ts";
import { legsOf, loadSeconds, type SoakOptions, spareRotations } from "./options.ts";
import { asSuperuser } from "./superuser.ts";

/** Requests that come at once when the concurrency steps up: as many as the pool may have connections, few of which then stand. */
const BURST = 40;

/** After a rotation, before something else goes wrong, in milliseconds: what had to wait has been answered by then. */
const SETTLE_MS = AFTERMATH_MS / 2;

/** Within which the service at rest must have given up every connection, in milliseconds: several times their life. */
const REST_MS = 4_000;

/** Added to the load balancer's idle time-out: its 504 is to be seen, not the load's own impatience. */
const CLIENT_PATIENCE_SECONDS = 10;

/** What legs have shown so far. */
interface Seen {
  readonly outcomes: readonly Outcome[];
  readonly acknowledgedIds: readonly string[];
  readonly rotations: readonly Rotation[];
}

/**
 * Runs a program with its service under load, rotates the credential as often as asked, counts what the service holds in between, and
 * judges.
 *
 * @param program evaluated with `SOAK_CONFIG`
 * @throws what the environment throws that cannot be started, or the reason when a part of it ends; nothing is left behind then
 */
export async function soak(program: Program, options: SoakOptions, context: CommandContext): Promise<SoakReport> {
  const { signal, log } = context;
  const observation = new Observation();
  let debuggerAt: string | undefined;
  const environment = await startEnvironment(withInspector(program), {
    signal,
    log,
    onLine: (line) => {
      observation.onLine(line);
      debuggerAt ??= inspectorUrl(line);
    },
    onProxy: (proxy) => observation.watchProxy(proxy),
  });
  let inspector: Inspector | undefined;
  try {
    if (debuggerAt === undefined) throw new Error("the service did not tell where its inspector listens");
    inspector = await Inspector.connect(debuggerAt);
    return await performOn(environment, observation, new Census(inspector, environment), options, context);
  } finally {
    log("stopping everything");
    inspector?.close();
    await environment.stop();
  }
}

async function performOn(
  environment: Environment,
  observation: Observation,
  census: Census,
  options: SoakOptions,
  { signal: calledOff, log }: CommandContext,
): Promise<SoakReport> {
  const { directUrl } = environment.postgres;
  const partEnded = new AbortController();
  void environment.failed.then((error) => partEnded.abort(error));
  const signal = AbortSignal.any([calledOff, partEnded.signal]);
  await asSuperuser(directUrl, keepLedger);
  log(`${options.rotations} rotations under ${options.rate} requests a second, and bursts of ${BURST}`);
  const samples: Sample[] = [];
  let seen: Seen = { outcomes: [], acknowledgedIds: [], rotations: [] };
  const evidence = async (): Promise<SoakEvidence> => ({
    ...seen,
    samples,
    connectionsAt: observation.connectionTimes,
    retriesAt: observation.retryTimes,
    tokensMinted: observation.tokens,
    databaseAuthErrors: observation.errors.length,
    storedIds: await storedIds(directUrl),
    ledger: await asSuperuser(directUrl, readLedger),
    asked: options.rotations,
    withFaults: options.faults,
  });
  const perform = async (rotations: number): Promise<void> => {
    const leg = await runLeg(environment, { ...options, rotations }, signal);
    seen = {
      outcomes: seen.outcomes.concat(leg.outcomes),
      acknowledgedIds: seen.acknowledgedIds.concat(leg.acknowledgedIds),
      rotations: seen.rotations.concat(leg.rotations),
    };
    await atRest(environment, signal);
  };
  for (const rotations of legsOf(options)) {
    await perform(rotations);
    const sample = await census.take(seen.rotations.length);
    samples.push(sample);
    log(progressOf(seen, sample, options));
  }
  for (;;) {
    const report = judgeSoak(await evidence());
    const unfelt = options.rotations - report.felt;
    const spare = spareRotations(options) - (seen.rotations.length - options.rotations);
    if (report.verdict !== "inconclusive" || unfelt <= 0 || unfelt > spare) return report;
    log(`nobody met the window of ${unfelt} rotations: as many more`);
    await perform(unfelt);
  }
}

function progressOf({ outcomes, rotations }: Seen, { values }: Sample, options: SoakOptions): string {
  const failed = outcomes.filter(({ succeeded }) => !succeeded).length;
  const counted = `${values.heapMiB.toFixed(1)} MiB of heap, ${values.listeners} listeners`;
  return `${rotations.length} of ${options.rotations} rotations: ${outcomes.length} requests, ${failed} failed, ${counted}`;
}

/** Load with some rotations, to its end. */
async function runLeg(
  { controlPlane, declared, service }: Environment,
  options: SoakOptions,
  signal: AbortSignal,
): Promise<Seen> {
  if (service === undefined) throw new Error("the environment was started without its service");
  const { rotations, rate, windowMs, faults: withFaults } = options;
  const seconds = loadSeconds(options);
  const timeoutMs = (declared.loadBalancer.idleTimeoutSeconds + CLIENT_PATIENCE_SECONDS) * 1_000;
  const load = startLoad({ url: service.loadBalancer.url, rate, seconds, timeoutMs });
  let disturbance: Promise<void> = Promise.resolve();
  const rotate = async (rotation: RotateOptions): Promise<Rotation> => {
    await disturbance;
    const done = await controlPlane.rotate(rotation);
    if (withFaults) {
      const turn = controlPlane.secretStatus().rotations.length;
      disturbance = delay(SETTLE_MS, undefined, { signal }).then(() => disturb(controlPlane.faults, turn));
      // Told to whoever waits for its end, which is a while from now.
      disturbance.catch(() => {});
    }
    return done;
  };
  try {
    // A line for each of a hundred rotations would say nothing.
    const drill = { load, rotate, rotations, seconds, windowMs, burst: BURST, signal, log: () => {} };
    const [done] = await Promise.all([rotateUnderLoad(drill), load.done]);
    await disturbance;
    return { outcomes: load.outcomes, acknowledgedIds: load.acknowledgedIds, rotations: done };
  } catch (error) {
    // What ended it says more than what it broke.
    signal.throwIfAborted();
    throw error;
  } finally {
    await load.stop(0);
  }
}

/**
 * Waits until the connections of the pool have died of age, so that what is counted is what stays. When they do not, the count tells.
 */
async function atRest({ proxy }: Environment, signal: AbortSignal): Promise<void> {
  const until = performance.now() + REST_MS;
  while (proxy.metrics().ClientConnections > 0 && performance.now() < until) {
    await delay(10, undefined, { signal });
  }
}

import { type CommandContext, runCommand } from "./command.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Declared } from "./declared.ts";
import { rotateUnderLoad } from "./demo/drill.ts";
import { Observation, storedIds } from "./demo/observation.ts";
import { DEMO_CONFIG, DEMO_HELP, type DemoOptions, parseDemoOptions } from "./demo/options.ts";
import type { RunningService } from "./environment/service.ts";
import { startLoad } from "./load.ts";
import type { Postgres } from "./postgres.ts";
import { type Evidence, judge, judgeStaticPassword, type Report } from "./report.ts";
import { reportText } from "./report-table.ts";

/** Requests that come at once when the concurrency steps up: more than the pool of a task. */
const BURST = 40;

/** Requests sent one after the other before the load: code that Node has not compiled yet would look like a slow database. */
const WARM_UP_REQUESTS = 200;

/** Added to the load balancer's idle time-out: its 504 is to be seen, not the load's own impatience. */
const CLIENT_PATIENCE_SECONDS = 10;

/** What the two variants of the demonstration have in common. */
interface Stage {
  readonly declared: Declared;
  readonly postgres: Postgres;
  readonly service: RunningService;
  readonly failed: Promise<Error>;
  readonly rotate: ControlPlane["rotate"];
  stop(): Promise<void>;
}

await runCommand(async (context) => {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${DEMO_HELP}\n`);
    return 0;
  }
  const timed = { ...context, log: withElapsedTime(context.log) };
  const observation = new Observation();
  const stage = await setUp(options, observation, timed);
  let report: Report;
  try {
    report = await perform(stage, options, observation, timed);
  } finally {
    timed.log("stopping everything");
    await stage.stop();
  }
  process.stdout.write(`\n${reportText(report, { colours: process.stdout.isTTY === true })}\n`);
  return report.verdict === (options.staticPassword ? "outage" : "passed") ? 0 : 1;
});

async function setUp(
  { stack, staticPassword }: DemoOptions,
  observation: Observation,
  { signal, log }: CommandContext,
): Promise<Stage> {
  log(`evaluating the Pulumi program for stack ${stack}`);
  // Loaded only now, so that help and refusals come at once.
  const { evaluate } = await import("./program.ts");
  const program = await evaluate(stack, { config: DEMO_CONFIG });
  log(`${program.resources.length} resources declared`);
  const options = { signal, log, onLine: observation.onLine };
  if (staticPassword) {
    const { startPasswordEnvironment } = await import("./password-environment.ts");
    const environment = await startPasswordEnvironment(program, options);
    return { ...environment, rotate: (rotation) => environment.secret.rotate(rotation) };
  }
  const { startEnvironment } = await import("./environment.ts");
  const environment = await startEnvironment(program, {
    ...options,
    onProxy: (proxy) => observation.watchProxy(proxy),
  });
  const { service, controlPlane } = environment;
  if (service === undefined) throw new Error("the environment was started without its service");
  return { ...environment, service, rotate: (rotation) => controlPlane.rotate(rotation) };
}

/** Load and rotations, then the judgement. */
async function perform(
  stage: Stage,
  options: DemoOptions,
  observation: Observation,
  { signal, log }: CommandContext,
): Promise<Report> {
  const { declared, service, postgres } = stage;
  const { rate, seconds, rotations, windowMs, staticPassword } = options;
  await warmUp(service.loadBalancer.url, signal);
  log(`${rate} requests a second for ${seconds} s, ${rotations} rotations`);
  const load = startLoad({
    url: service.loadBalancer.url,
    rate,
    seconds,
    timeoutMs: (declared.loadBalancer.idleTimeoutSeconds + CLIENT_PATIENCE_SECONDS) * 1_000,
  });
  try {
    const drill = rotateUnderLoad({
      load,
      rotate: stage.rotate,
      rotations,
      seconds,
      windowMs,
      burst: BURST,
      signal,
      log,
    });
    const done = await orFail(Promise.all([drill, load.done]), stage.failed, signal);
    log("comparing what was acknowledged with what is stored");
    const evidence: Evidence = {
      outcomes: load.outcomes,
      rotations: done[0],
      connectionsAt: observation.connectionTimes,
      retriesAt: observation.retryTimes,
      tokensMinted: observation.tokens,
      databaseAuthErrors: observation.errors.length,
      acknowledgedIds: load.acknowledgedIds,
      storedIds: await storedIds(postgres.directUrl),
    };
    return staticPassword ? judgeStaticPassword(evidence) : judge(evidence);
  } finally {
    await load.stop(0);
  }
}

async function warmUp(url: string, signal: AbortSignal): Promise<void> {
  for (let request = 0; request < WARM_UP_REQUESTS; request++) {
    const response = await fetch(new URL("/projects", url), { signal });
    await response.arrayBuffer();
  }
}

/** What `work` gives, unless a part of the stage ends before it, or the user calls it off. */
function orFail<T>(work: Promise<T>, failed: Promise<Error>, signal: AbortSignal): Promise<T> {
  const { promise: calledOff, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  if (signal.aborted) reject(signal.reason);
  const partEnded = failed.then((error) => Promise.reject(error));
  return Promise.race([work, calledOff, partEnded]);
}

function withElapsedTime(log: (message: string) => void): (message: string) => void {
  const startedAt = performance.now();
  return (message) => log(`[${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)} s] ${message}`);
}

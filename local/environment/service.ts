import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ContainerLine } from "../container-log.ts";
import type { Declared } from "../declared.ts";
import { type LoadBalancer, startLoadBalancer } from "../load-balancer.ts";
import type { Postgres } from "../postgres.ts";
import { PROGRAM_FOLDER } from "../program/configuration.ts";
import { runTask, type Task, type TaskSurroundings } from "../task.ts";
import type { Foundation } from "./foundation.ts";
import type { Teardown } from "./teardown.ts";

export interface EnvironmentOptions {
  /** Told of progress and of whatever is not as declared. Never a secret. */
  readonly log: (message: string) => void;
  /** Hears every line that a container writes. */
  readonly onLine?: (line: ContainerLine) => void;
  /** Calls the start off; whatever runs by then is stopped. */
  readonly signal?: AbortSignal;
}

/** The service's task, and the load balancer through which it is reached. */
export interface RunningService {
  readonly task: Task;
  readonly loadBalancer: LoadBalancer;
}

/** A part of the environment could not come up, or ended. */
export class EnvironmentError extends Error {
  readonly code = "ENVIRONMENT_FAILED";
}

/** A task that has not drained by then is killed: whoever presses Ctrl-C waits for it. */
const TASK_STOP_LIMIT_MS = 5_000;

/**
 * Starts the task in its declared order, and the load balancer once the application listens; returns when it is healthy.
 *
 * @param network what the containers see of the world: credentials, certificate authority, hosts
 */
export async function startService(
  { service, loadBalancer: declaredBalancer }: Pick<Declared, "service" | "loadBalancer">,
  { postgres, reaper, workspace }: Foundation,
  network: Pick<TaskSurroundings, "credentials" | "caFile" | "hosts">,
  teardown: Teardown,
  { log, onLine, signal }: EnvironmentOptions,
): Promise<RunningService> {
  log(`starting the task: ${service.containers.map((container) => container.name).join(", then ")}`);
  const halted = haltOf(postgres, signal);
  const task = await runTask(service, {
    folder: path.join(fileURLToPath(PROGRAM_FOLDER), service.imageContext),
    ...network,
    reaper,
    workspace,
    listenTimeoutMs: service.startLimitSeconds * 1_000,
    ...(onLine && { onLine }),
    signal: halted,
  }).catch((error: unknown) => {
    // The task says only that it was called off; this says why.
    throw halted.aborted ? halted.reason : error;
  });
  teardown.add("the task", () => stopTask(task));
  const targetPort = await unlessHalted(task.application.port, halted);
  log(`the service answers ${Date.now() - task.application.startedAt} ms after its process was started`);
  const loadBalancer = await startLoadBalancer({ declared: declaredBalancer, targetPort });
  teardown.add("the load balancer", () => loadBalancer.close());
  await unlessHalted(loadBalancer.healthy(), halted);
  log(`the service is healthy behind ${loadBalancer.url}`);
  return { task, loadBalancer };
}

/** Aborts when the user calls the start off, or when the database ends that the task waits for. */
function haltOf({ exited }: Postgres, signal: AbortSignal | undefined): AbortSignal {
  const ended = new AbortController();
  exited.then(({ signal: killer, code }) =>
    ended.abort(
      new EnvironmentError(`PostgreSQL ended (${killer ?? `exit code ${code}`}) while the service was starting`),
    ),
  );
  return signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
}

function unlessHalted<T>(work: Promise<T>, halted: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const halt = () => reject(halted.reason);
  halted.addEventListener("abort", halt, { once: true });
  if (halted.aborted) halt();
  return Promise.race([work, promise]).finally(() => halted.removeEventListener("abort", halt));
}

async function stopTask(task: Task): Promise<void> {
  const running = new Set(task.containers);
  for (const container of task.containers) container.exited.then(() => running.delete(container));
  const kill = setTimeout(() => {
    for (const { pid } of running) killGroup(pid);
  }, TASK_STOP_LIMIT_MS);
  await task.stop().finally(() => clearTimeout(kill));
}

/** Containers lead process groups of their own. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** Resolves when a part ends by itself, and never once the environment is being stopped. */
export async function partEnded(teardown: Teardown, postgres: Postgres, task: Task | undefined): Promise<Error> {
  const reason = await Promise.race([postgresEnded(postgres), ...(task ? [taskEnded(task)] : [])]);
  return teardown.hasBegun ? new Promise(() => {}) : new EnvironmentError(reason);
}

async function postgresEnded({ exited }: Postgres): Promise<string> {
  const { signal, code, lastLines } = await exited;
  return `PostgreSQL ended (${signal ?? `exit code ${code}`}). It wrote: ${lastLines.join(" | ")}`;
}

async function taskEnded({ ended, application }: Task): Promise<string> {
  const { container, exit } = await ended;
  return `the container ${container} ended (${exit.signal ?? `exit code ${exit.code}`}). ${application.lines.tail()}`;
}

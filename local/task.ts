import {
  type Container,
  type ContainerExit,
  type ContainerSurroundings,
  exitedEarly,
  startContainer,
} from "./container.ts";
import { ContainerError } from "./container-error.ts";
import type { DeclaredContainer, DeclaredService } from "./declared.ts";

/** What of a declared service makes its task. */
export type TaskDefinition = Pick<DeclaredService, "containers" | "containerName" | "containerPort">;

/** What the laptop puts around a task's containers. */
export interface TaskSurroundings extends Omit<ContainerSurroundings, "containerPort"> {
  /** Calls the start off: what has been started is stopped, and {@link runTask} rejects with `STOPPED`. */
  readonly signal?: AbortSignal;
  /**
   * How long a container may take that another waits for, in milliseconds. Its declared `startTimeout` by default.
   */
  readonly dependencyTimeoutMs?: number;
}

/** A task that runs. */
export interface Task {
  /** The container that the target group sends requests to. */
  readonly application: Container;
  /** Every container that was started, in that order. */
  readonly containers: readonly Container[];
  /** Settles when the first essential container ends, which on ECS ends the task. Never rejects. */
  readonly ended: Promise<{ readonly container: string; readonly exit: ContainerExit }>;
  /** Stops the containers, each before those that it depends on, as ECS does. */
  stop(): Promise<void>;
}

/** Conditions that wait for a container to end; ECS refuses both on an essential container ("ContainerDependency", API reference). */
const endConditions = ["COMPLETE", "SUCCESS"];

/**
 * Starts a task's containers in the order that their `dependsOn` declares: a condition START waits until the other has started,
 * COMPLETE until it has ended, SUCCESS until it has ended with code 0.
 *
 * @throws ContainerError `ORDER_REFUSED` for an order that cannot be honoured; `EXITED` when a container that had to succeed did not,
 * with its exit code and last lines; whatever {@link startContainer} throws. Nothing is left running then.
 */
export async function runTask(definition: TaskDefinition, surroundings: TaskSurroundings): Promise<Task> {
  const order = startOrder(definition.containers);
  if (!order.some(({ name }) => name === definition.containerName)) {
    const names = order.map(({ name }) => `"${name}"`).join(", ");
    throw new ContainerError(
      "ORDER_REFUSED",
      definition.containerName,
      `the task defines no such container, only ${names}`,
    );
  }
  const started = new Map<string, Container>();
  const stopAll = async (): Promise<void> => {
    for (const container of [...started.values()].reverse()) await container.stop();
  };
  try {
    for (const container of order) {
      for (const dependency of container.dependsOn) {
        const other = started.get(dependency.containerName) as Container;
        const declared = order.find(({ name }) => name === dependency.containerName) as DeclaredContainer;
        const limitMs = surroundings.dependencyTimeoutMs ?? declared.startTimeoutSeconds * 1_000;
        await met(container.name, other, dependency.condition, limitMs, surroundings.signal);
      }
      if (surroundings.signal?.aborted) throw calledOff(container.name);
      const published = container.name === definition.containerName ? { containerPort: definition.containerPort } : {};
      started.set(container.name, await startContainer(container, { ...surroundings, ...published }));
    }
  } catch (error) {
    await stopAll();
    throw error;
  }
  const essential = order.filter((container) => container.essential).map(({ name }) => started.get(name) as Container);
  return {
    application: started.get(definition.containerName) as Container,
    containers: [...started.values()],
    ended: Promise.race(essential.map(async ({ name, exited }) => ({ container: name, exit: await exited }))),
    stop: stopAll,
  };
}

/** Waits for a condition on a container that has started. */
async function met(
  dependent: string,
  other: Container,
  condition: string,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!endConditions.includes(condition)) return; // START
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => {
    const message = `did not end within ${limitMs} ms, and "${dependent}" waits for it. ${other.lines.tail()}`;
    reject(new ContainerError("DEPENDENCY_TIMEOUT", other.name, message));
  }, limitMs);
  const onAbort = (): void => reject(calledOff(dependent));
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  try {
    const exit = await Promise.race([other.exited, givenUp]);
    if (condition === "SUCCESS" && exit.code !== 0) {
      throw exitedEarly(other.name, exit, other.lines, `and had to succeed before "${dependent}" starts`);
    }
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", onAbort);
  }
}

function calledOff(container: string): ContainerError {
  return new ContainerError("STOPPED", container, "was not started, because the environment is stopping");
}

/** The containers, each after those that it depends on. */
function startOrder(containers: readonly DeclaredContainer[]): DeclaredContainer[] {
  const byName = new Map(containers.map((container) => [container.name, container]));
  const placed = new Set<DeclaredContainer>();
  const place = (container: DeclaredContainer, path: readonly string[]): void => {
    if (path.includes(container.name)) {
      const cycle = [...path.slice(path.indexOf(container.name)), container.name].join(" → ");
      throw new ContainerError("ORDER_REFUSED", container.name, `depends on itself: ${cycle}`);
    }
    for (const { containerName, condition } of container.dependsOn) {
      const other = byName.get(containerName);
      const refusal = refusalOf(other, condition);
      if (refusal) {
        const dependency = `its dependency "${containerName}" with condition ${condition}`;
        throw new ContainerError("ORDER_REFUSED", container.name, `${dependency} is refused: ${refusal}`);
      }
      place(other as DeclaredContainer, [...path, container.name]);
    }
    placed.add(container);
  };
  for (const container of containers) place(container, []);
  return [...placed];
}

function refusalOf(other: DeclaredContainer | undefined, condition: string): string | undefined {
  if (other === undefined) return "the task defines no such container";
  if (condition === "HEALTHY") return "container health checks are not run here; START, COMPLETE and SUCCESS are";
  if (condition === "START") return undefined;
  if (!endConditions.includes(condition)) return "a condition is START, COMPLETE or SUCCESS";
  return other.essential
    ? "it is essential, and ECS allows COMPLETE and SUCCESS on a container that is not"
    : undefined;
}

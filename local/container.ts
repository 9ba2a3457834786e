import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { containerEnvironment, type EnvironmentSources, reportDescriptor } from "./container-environment.ts";
import { ContainerError } from "./container-error.ts";
import { type ContainerLine, ContainerLog } from "./container-log.ts";
import type { DeclaredContainer } from "./declared.ts";
import type { Reaper } from "./reaper.ts";
import { isAvailableTo, isRoot, makeAvailableTo, spawnIdentity, type UnprivilegedUser } from "./unprivileged.ts";

/** What of a declared container decides how its process runs. */
export type ContainerDefinition = Pick<
  DeclaredContainer,
  "name" | "command" | "environment" | "user" | "stopTimeoutSeconds"
>;

/** What the laptop puts around a container. */
export interface ContainerSurroundings extends EnvironmentSources {
  /** Folder with what the image holds: the bundle, its source map, the migrations. The process's working directory. */
  readonly folder: string;
  /** How long `port` waits for the application to listen, in milliseconds; 60,000 by default, as long as it may retry its first connection. */
  readonly listenTimeoutMs?: number;
  /** Hears every line, also those written before {@link startContainer} returns. */
  readonly onLine?: (line: ContainerLine) => void;
  /** Told of the process, so that it does not outlive this one, however this one ends. */
  readonly reaper?: Pick<Reaper, "watchProcess">;
  /**
   * Folder that every user may enter. What the container's user may not read where it is, such as a checkout under root's home, is
   * linked or copied there; whoever made the folder removes it. Without one that is an error.
   */
  readonly workspace?: string;
}

/** How a process ended: exactly one of the two is not null. */
export interface ContainerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A container that runs. */
export interface Container {
  readonly name: string;
  readonly pid: number;
  /** When the process was started, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Settles when the process has gone and everything that it wrote has been read. Never rejects. */
  readonly exited: Promise<ContainerExit>;
  /**
   * Port of 127.0.0.1 that the container port was published on, once the application listens. Rejects with a {@link ContainerError}:
   * `EXITED` or `NOT_LISTENING`.
   */
  readonly port: Promise<number>;
  /** Emits `line` for each line written from now on. */
  readonly lines: ContainerLog;
  /** SIGTERM, then SIGKILL after the declared stop timeout, as ECS does. Settles when the process has gone; may be called twice. */
  stop(): Promise<ContainerExit>;
}

/** After the process has gone its pipes are read this long (ms): a process that it left behind could hold them open. */
const drainMs = 1_000;

/**
 * Starts a container's process on the built image folder, with exactly the environment that {@link containerEnvironment} makes. As root
 * it runs as the declared user; otherwise as the current one, since only root may change user.
 *
 * @throws ContainerError when the definition is refused or the process cannot be started
 */
export async function startContainer(
  definition: ContainerDefinition,
  surroundings: ContainerSurroundings,
): Promise<Container> {
  const { name } = definition;
  const [program, ...parameters] = definition.command;
  if (program !== "node") {
    const command = JSON.stringify(definition.command);
    throw new ContainerError(
      "COMMAND_REFUSED",
      name,
      `its command is ${command}; only ["node", …] can run without Docker`,
    );
  }
  const user = processUser(name, definition.user);
  const available = (path: string): Promise<string> => pathFor(name, path, user, surroundings.workspace);
  const preload = await available(fileURLToPath(new URL("./preload.mjs", import.meta.url)));
  const caFile = surroundings.caFile && (await available(surroundings.caFile));
  const environment = containerEnvironment(name, definition.environment, { ...surroundings, caFile }, preload);
  const node = await available(process.execPath);
  const folder = await available(surroundings.folder);

  const log = new ContainerLog(name);
  if (surroundings.onLine) log.on("line", surroundings.onLine);
  const startedAt = Date.now();
  const child = spawn(node, parameters, {
    cwd: folder,
    // Node hands its coverage folder to every child, unless told that this one has none.
    env: { ...environment, NODE_V8_COVERAGE: undefined },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A session of its own: Ctrl-C in the terminal reaches this process alone, which then stops the container in order.
    detached: true,
    ...spawnIdentity(user),
  });
  surroundings.reaper?.watchProcess(child, { group: true });
  log.read("stdout", child.stdout as Readable);
  log.read("stderr", child.stderr as Readable);
  const exited = exitOf(child);
  const report = child.stdio[reportDescriptor] as Readable;
  const port = publishedPort(name, report, exited, log, surroundings);
  port.catch(() => {}); // nobody has to ask: a migration publishes no port
  try {
    await once(child, "spawn");
  } catch (cause) {
    const as = user ? ` as ${definition.user}` : "";
    throw new ContainerError("START_FAILED", name, `${node} could not be started${as} in ${folder}`, { cause });
  }

  let stopped: Promise<ContainerExit> | undefined;
  return {
    name,
    pid: child.pid as number,
    startedAt,
    exited,
    port,
    lines: log,
    stop: () => {
      stopped ??= stop(child, exited, definition.stopTimeoutSeconds * 1_000);
      return stopped;
    },
  };
}

/** The error of a container that ended before what was waited for, with its last words. */
export function exitedEarly(name: string, exit: ContainerExit, log: ContainerLog, waitedFor: string): ContainerError {
  const how = exit.signal ? `was killed by ${exit.signal}` : `exited with code ${exit.code}`;
  return new ContainerError("EXITED", name, `${how} ${waitedFor}. ${log.tail()}`);
}

function processUser(container: string, declared: string): UnprivilegedUser | undefined {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(declared) ?? [];
  if (uid === undefined || gid === undefined) {
    throw new ContainerError("USER_REFUSED", container, `its user is "${declared}"; "uid:gid" in digits is needed`);
  }
  return isRoot() ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/** A path under which the user may use what is at `path`. */
async function pathFor(
  container: string,
  path: string,
  user: UnprivilegedUser | undefined,
  workspace: string | undefined,
): Promise<string> {
  if (user === undefined || (workspace === undefined && (await isAvailableTo(path, user)))) return path;
  if (workspace === undefined) {
    const message = `its user ${user.uid}:${user.gid} may not use ${path}; give a workspace to copy it to, or move it`;
    throw new ContainerError("START_FAILED", container, message);
  }
  return makeAvailableTo(path, user, workspace);
}

/** Settles once the process is gone, whatever it started is gone too, and its pipes are read. */
function exitOf(child: ChildProcess): Promise<ContainerExit> {
  return new Promise((resolve) => {
    child.on("error", () => {
      if (child.pid === undefined) resolve({ code: null, signal: null }); // it never started
    });
    child.once("exit", (code, signal) => {
      killGroup(child); // nothing of a container outlives its first process
      const drained = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy();
      }, drainMs);
      child.once("close", () => {
        clearTimeout(drained);
        resolve({ code, signal });
      });
    });
  });
}

async function stop(
  child: ChildProcess,
  exited: Promise<ContainerExit>,
  stopTimeoutMs: number,
): Promise<ContainerExit> {
  child.kill("SIGTERM");
  const kill = setTimeout(() => killGroup(child), stopTimeoutMs);
  try {
    return await exited;
  } finally {
    clearTimeout(kill);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // the group is gone already
  }
}

function publishedPort(
  name: string,
  report: Readable,
  exited: Promise<ContainerExit>,
  log: ContainerLog,
  { containerPort, listenTimeoutMs = 60_000 }: ContainerSurroundings,
): Promise<number> {
  report.setEncoding("utf8");
  if (containerPort === undefined) {
    report.resume();
    return Promise.reject(new ContainerError("NOT_LISTENING", name, "it publishes no port: give containerPort"));
  }
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      const waited = `nothing listened on port ${containerPort} within ${listenTimeoutMs} ms`;
      reject(new ContainerError("NOT_LISTENING", name, `${waited}. ${log.tail()}`));
    }, listenTimeoutMs);
    let text = "";
    report.on("data", (chunk: string) => {
      if (text.length < 1_024) text += chunk; // one short line is expected; whatever else is written there is not kept
      const [, port] = /^\{"containerPort":\d+,"port":(\d+)\}\n/.exec(text) ?? [];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(Number(port));
    });
    report.on("error", () => {}); // its end says nothing that the exit does not
    void exited.then((exit) => {
      clearTimeout(late);
      reject(exitedEarly(name, exit, log, `before it listened on port ${containerPort}`));
    });
  });
}

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Reaper } from "../reaper.ts";
import { spawnIdentity, type UnprivilegedUser } from "../unprivileged.ts";
import type { Cluster } from "./cluster.ts";
import { PostgresError } from "./error.ts";
import { serverEnvironment } from "./run.ts";

/** What starts a server on a cluster. */
export interface ServerOptions {
  readonly native: string;
  readonly cluster: Cluster;
  readonly user: UnprivilegedUser | undefined;
  /** Tried first; less is tried when the machine refuses it. */
  readonly maxConnections: number;
  readonly tls: boolean;
  readonly reaper: Reaper;
  readonly log: (message: string) => void;
}

/** How a server ended. */
export interface ServerExit {
  /** Whether `stop()` was called before. */
  readonly expected: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the server last wrote to its log. */
  readonly lastLines: readonly string[];
}

/** A PostgreSQL server that accepts connections. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  /** In force, which is less than what was asked for where the machine does not allow it. */
  readonly maxConnections: number;
  /** Resolves, and never rejects, when the server has ended, for whatever reason. */
  readonly exited: Promise<ServerExit>;
  /** Fast shutdown, at most ten seconds: clients are cut off, then the server is, by force if need be. */
  stop(): Promise<void>;
}

const startLimitMs = 30_000;
const keptLines = 40;
/** Ports taken by someone else between the choice and the start before we give up. */
const portTries = 5;
/** Below this no application could be served: superuser_reserved_connections alone takes 3. */
const leastConnections = 20;

/** Fast shutdown, immediate shutdown, force. After SIGQUIT the postmaster needs five seconds to kill its own children. */
const stopSteps = [
  { signal: "SIGINT", limitMs: 3_000 },
  { signal: "SIGQUIT", limitMs: 6_000 },
  { signal: "SIGKILL", limitMs: 1_000 },
] as const;

/** What the server says when another has its port. */
export const portTaken = /could not bind IPv4 address|Address already in use/;
/** Out of semaphores (macOS), shared memory or file descriptors, each of which grows with max_connections; or too many to count. */
const machineRefuses =
  /could not create semaphores|could not create shared memory segment|could not map anonymous shared memory|insufficient file descriptors|invalid value for parameter "max_connections"/;

/**
 * Starts a server on a free port of 127.0.0.1, without a Unix socket and without syncing to disk.
 *
 * @throws PostgresError `START_FAILED`
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  let { maxConnections } = options;
  for (let takenPorts = 0; ; ) {
    const port = await freePort();
    const attempt = launch(options, port, maxConnections);
    const failure = await attempt.ready;
    if (failure === undefined) return attempt.server;
    await attempt.server.stop();
    if (portTaken.test(failure) && takenPorts < portTries) {
      takenPorts += 1;
    } else if (machineRefuses.test(failure) && maxConnections > leastConnections) {
      const refused = maxConnections;
      maxConnections = Math.max(leastConnections, Math.floor(maxConnections / 2));
      options.log(
        `PostgreSQL does not start with max_connections = ${refused} on this machine: trying ${maxConnections}.`,
      );
    } else {
      throw new PostgresError("START_FAILED", `PostgreSQL did not start on port ${port}.\n${failure}`.trimEnd());
    }
  }
}

/** A process that may or may not become a server. */
export interface Attempt {
  readonly server: Server;
  /** Undefined when the server accepts connections, else why it does not. */
  readonly ready: Promise<string | undefined>;
}

/** Starts the process, watched by the reaper, on the port given. */
export function launch(options: ServerOptions, port: number, maxConnections: number): Attempt {
  const child = spawn(join(options.native, "bin", "postgres"), serverArguments(options, port, maxConnections), {
    cwd: "/",
    detached: true,
    env: serverEnvironment,
    stdio: ["ignore", "ignore", "pipe"],
    ...spawnIdentity(options.user),
  });
  options.reaper.watchProcess(child, { signal: "SIGQUIT" });
  let stopping = false;
  const lines: string[] = [];
  const log = createInterface({ input: child.stderr });
  const ready = new Promise<string | undefined>((resolve) => {
    const limit = setTimeout(
      () => resolve(`It was not ready within ${startLimitMs} ms.\n${lines.join("\n")}`),
      startLimitMs,
    );
    const settle = (failure: string | undefined): void => {
      clearTimeout(limit);
      resolve(failure);
    };
    log.on("line", (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      if (line.includes("database system is ready to accept connections")) settle(undefined);
    });
    child.once("error", (error) => settle(error.message));
    child.once("close", () => settle(lines.join("\n")));
  });
  const exited = ended(child).then(
    ([code, signal]): ServerExit => ({ expected: stopping, code, signal, lastLines: [...lines] }),
  );
  const server: Server = {
    pid: child.pid ?? 0,
    port,
    maxConnections,
    exited,
    async stop() {
      stopping = true;
      for (const { signal, limitMs } of stopSteps) {
        child.kill(signal);
        if (await settlesWithin(exited, limitMs)) return;
      }
      throw new PostgresError("START_FAILED", `PostgreSQL (process ${child.pid}) did not end, not even by SIGKILL.`);
    },
  };
  return { server, ready };
}

function serverArguments(options: ServerOptions, port: number, maxConnections: number): string[] {
  const { cluster } = options;
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: maxConnections,
    password_encryption: "scram-sha-256",
    // Files below the data directory, which go with it, instead of /dev/shm, where kill -9 would leave them.
    dynamic_shared_memory_type: "mmap",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    log_destination: "stderr",
    logging_collector: "off",
    // A statement may hold a password.
    log_statement: "none",
    log_min_error_statement: "panic",
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
  };
  if (options.tls)
    Object.assign(settings, { ssl: "on", ssl_key_file: cluster.keyFile, ssl_cert_file: cluster.certFile });
  return ["-D", cluster.data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

/** The end of the process with the last of its log; a child of it that still holds the pipe is not waited for long. */
async function ended(
  child: ChildProcessByStdio<null, null, Readable>,
): Promise<readonly [number | null, NodeJS.Signals | null]> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const exit = await new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => {
    child.once("exit", (code, signal) => resolve([code, signal]));
    child.once("error", () => resolve([null, null]));
  });
  await settlesWithin(closed, 500);
  return exit;
}

async function settlesWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([
      promise.then(() => true),
      delay(limitMs, false, { signal: timer.signal }).catch(() => false),
    ]);
  } finally {
    timer.abort();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const closed = once(server, "close");
  server.close();
  await closed;
  if (address === null || typeof address === "string") throw new PostgresError("START_FAILED", "No port is free.");
  return address.port;
}

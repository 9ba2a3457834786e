import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { isAbsolute, normalize, parse } from "node:path";

/** How a process that outlived its parent is asked to end, before it is killed. */
export interface WatchOptions {
  /** SIGTERM by default. PostgreSQL's postmaster wants SIGQUIT, its immediate shutdown. */
  readonly signal?: "SIGINT" | "SIGQUIT" | "SIGTERM" | "SIGKILL";
  /** Whether the whole process group is meant: for a child that was spawned `detached`. False by default. */
  readonly group?: boolean;
}

/**
 * Removes processes and folders when this process ends without doing so itself, as after `kill -9`. Its answer to
 * anything that cannot be written to it is silence: it is the second line, never a reason to fail the first.
 */
export interface Reaper {
  /** Process id of the shell that does it: in a session of its own, out of reach of Ctrl-C. */
  readonly pid: number;
  /** Registers a child until it exits, and so never a process that has come to the same id since. */
  watchProcess(child: ChildProcess, options?: WatchOptions): void;
  /**
   * Registers a folder, which need not exist yet.
   *
   * @throws RangeError for a path that is relative, a root, or holds a line break
   */
  watchDirectory(path: string): void;
  /** Takes a folder back, once it is removed or is to stay. */
  forgetDirectory(path: string): void;
  /** Removes what is still registered, which after a clean stop is nothing, and ends the shell. At most nine seconds. */
  close(): Promise<void>;
}

/** What the reaper needs. */
export interface ReaperOptions {
  /** Told when the shell cannot start or ends early, after which `kill -9` would leave things behind. */
  readonly log: (message: string) => void;
  /**
   * How long processes have to end by themselves, in milliseconds, counted in tenths of a second. 6,000 by default: five
   * seconds after SIGQUIT, PostgreSQL kills its own children.
   */
  readonly graceMs?: number;
}

/** What forced ends and removals take after the grace, at most. */
const closeMarginMs = 3_000;

/** Starts the reaper. It does not keep this process alive. */
export function startReaper({ log, graceMs = 6_000 }: ReaperOptions): Reaper {
  // Handed over as text, not as a path: the shell reads a script file piece by piece, and the checkout may change.
  const script = readFileSync(new URL("reaper.sh", import.meta.url), "utf8");
  const shell = spawn("/bin/sh", ["-c", script, "passwordless-postgres-reaper", String(Math.ceil(graceMs / 100))], {
    cwd: "/",
    detached: true,
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    stdio: ["pipe", "ignore", "ignore"],
  });
  let closing = false;
  const exited = new Promise<void>((resolve) => {
    shell.once("exit", () => {
      if (!closing) log("The reaper ended early: after kill -9 of this process, its processes and files would stay.");
      resolve();
    });
    shell.once("error", (error) => {
      log(
        `The reaper did not start (${error.message}): after kill -9 of this process, its processes and files would stay.`,
      );
      resolve();
    });
  });
  const input = shell.stdin;
  input.on("error", () => {});
  shell.unref();
  if (input instanceof Socket) input.unref();

  const write = (line: string): void => {
    if (input.writable) input.write(`${line}\n`);
  };

  return {
    pid: shell.pid ?? 0,
    watchProcess(child, { signal = "SIGTERM", group = false } = {}) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const entry = `${group ? "group" : "process"} ${signal.slice("SIG".length)} ${child.pid}`;
      write(entry);
      child.once("exit", () => write(`forget ${entry}`));
    },
    watchDirectory(path) {
      write(`directory ${removable(path)}`);
    },
    forgetDirectory(path) {
      write(`forget directory ${removable(path)}`);
    },
    async close() {
      if (closing) return exited;
      closing = true;
      shell.ref();
      input.end();
      const limit = setTimeout(() => shell.kill("SIGKILL"), graceMs + closeMarginMs);
      try {
        await exited;
      } finally {
        clearTimeout(limit);
      }
      if (!input.closed) await once(input, "close", { signal: AbortSignal.timeout(1_000) }).catch(() => {});
    },
  };
}

function removable(path: string): string {
  if (!isAbsolute(path) || normalize(path) === parse(path).root || /[\r\n]/.test(path)) {
    throw new RangeError(
      `The reaper removes no ${JSON.stringify(path)}: the path must be absolute, not a root, and without line breaks.`,
    );
  }
  return path;
}

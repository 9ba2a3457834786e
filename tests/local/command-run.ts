import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { commandEnvironment } from "./command-environment.ts";
import { eventually, isClosed } from "./eventually.ts";
import { openFolder } from "./open-folder.ts";
import { descendants, type ProcessEntry, processTable } from "./process-table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** How often one looks which processes there are, in milliseconds: seldom, as `ps` costs more than what it looks at. */
const LOOK_MS = 1_000;

/** Within which nothing of a command may be left, in milliseconds. */
const CLEAN_MS = 10_000;

/** Within which a command writes or ends what it was started for, in milliseconds. */
const RUN_MS = 40_000;

/** How a process ended. */
export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command of the project that runs as a process of its own, as from a terminal. */
export interface CommandRun extends AsyncDisposable {
  readonly pid: number;
  /** Everything that it has written so far. */
  readonly written: { readonly stdout: string; readonly stderr: string };
  /** Waits for its end; fails when it does not come within 40 seconds, a start included. */
  exits(): Promise<CommandExit>;
  /** Waits until it writes what matches; fails when it ends before. */
  writes(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
  /** To the process alone, or, as Ctrl-C in a terminal does, to its process group. */
  signal(signal: NodeJS.Signals, to?: "process" | "group"): void;
  /** The one process that it has started with these words in its command line. */
  child(words: string): Promise<ProcessEntry>;
  /** Whether it has used its folder for temporary files. */
  hasUsedFolder(): Promise<boolean>;
  /** Fails with what is left of it ten seconds after this was asked: processes, ports, files, users. */
  leavesNothing(): Promise<void>;
}

/** Runs `node local/….ts` with a folder for temporary files of its own. Whatever a test does not end is killed with its block. */
export async function runCommandLine(...args: readonly string[]): Promise<CommandRun> {
  const folder = await openFolder();
  const users = await readFile("/etc/passwd", "utf8");
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...commandEnvironment(), TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      written[stream] += text;
    });
  }
  const pid = child.pid ?? 0;
  const seen = new Set([pid]);
  const look = async (): Promise<readonly ProcessEntry[]> => {
    const found = descendants(await processTable(), pid);
    for (const entry of found) seen.add(entry.pid);
    return found;
  };
  const looking = setInterval(look, LOOK_MS);
  let exit: CommandExit | undefined;
  const closed = once(child, "close").then(([code, signal]) => {
    clearInterval(looking);
    exit = { code, signal };
  });

  const remains = async (): Promise<string[]> => {
    const isOurs = ({ pid, group, command }: ProcessEntry) =>
      seen.has(pid) || seen.has(group) || command.includes(folder);
    const ports = [...`${written.stdout}${written.stderr}`.matchAll(/(?:127\.0\.0\.1:|on port |Port":)(\d+)/g)];
    const closed = await Promise.all(ports.map(async ([, port]) => [port, await isClosed(Number(port))] as const));
    return [
      ...(await processTable()).filter(isOurs).map(({ pid, command }) => `process ${pid}: ${command}`),
      ...closed.filter(([, isFree]) => !isFree).map(([port]) => `port ${port}`),
      ...(await readdir(folder)).map((name) => `file ${name}`),
      ...((await readFile("/etc/passwd", "utf8")) === users ? [] : ["another /etc/passwd"]),
    ];
  };

  return {
    pid,
    written,
    exits: async () => {
      await eventually(`the end of ${args.join(" ")}`, RUN_MS, () => exit !== undefined);
      return exit as CommandExit;
    },
    writes: async (stream, pattern) => {
      let match: RegExpExecArray | null = null;
      await eventually(`${pattern} on ${stream}`, RUN_MS, () => {
        match = pattern.exec(written[stream]);
        if (exit && match === null) assert.fail(`it ended without ${pattern} on ${stream}: ${JSON.stringify(written)}`);
        return match !== null;
      });
      await look();
      return match as unknown as RegExpExecArray;
    },
    signal: (signal, to = "process") => process.kill(to === "group" ? -pid : pid, signal),
    child: async (words) => {
      const found = (await look()).filter(({ command }) => command.includes(words));
      assert.equal(found.length, 1, `${found.length} processes with ${words}`);
      return found[0] as ProcessEntry;
    },
    hasUsedFolder: async () => (await readdir(folder)).length > 0,
    leavesNothing: async () => {
      let left: readonly string[] = [];
      await eventually("nothing is left", CLEAN_MS, async () => {
        left = await remains();
        return left.length === 0;
      }).catch(() => assert.deepEqual(left, []));
    },
    [Symbol.asyncDispose]: async () => {
      if (!exit) {
        process.kill(pid, "SIGKILL");
        await closed;
        // What it has left to its reaper needs the folder until then.
        await eventually("the reaper is done", CLEAN_MS, async () => (await remains()).length === 0).catch(() => {});
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

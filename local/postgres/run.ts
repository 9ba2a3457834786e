import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Reaper } from "../reaper.ts";
import { spawnIdentity, type UnprivilegedUser } from "../unprivileged.ts";

/** Environment of PostgreSQL's programs: none of ours, messages in English, UTC as on RDS. */
export const serverEnvironment = { LC_ALL: "C", TZ: "UTC" } as const;

/** As whom a program runs, what it reads, and who ends it should this process be killed. */
export interface RunOptions {
  /** Undefined for this process's user. */
  readonly user: UnprivilegedUser | undefined;
  readonly reaper: Reaper;
  /** Written to its standard input; nothing by default. */
  readonly input?: string;
}

const runLimitMs = 60_000;

/**
 * Runs a program to its end, at most a minute.
 *
 * @returns what it wrote to standard error, the last 4,000 characters of it
 * @throws Error when it ends with another status than 0, with the same text in its message
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const child = spawn(program, args, {
    cwd: "/",
    detached: true,
    env: serverEnvironment,
    stdio: ["pipe", "ignore", "pipe"],
    timeout: runLimitMs,
    killSignal: "SIGTERM",
    ...spawnIdentity(options.user),
  });
  options.reaper.watchProcess(child, { signal: "SIGKILL", group: true });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  // A program that ends without reading its input has a status that says why.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${signal ?? `status ${code}`}.\n${complaint}`.trimEnd());
  return complaint;
}

// Started by a test as a process of its own: a command whose work is named by its argument.
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, runCommand, UsageError } from "../../local/command.ts";

const WORKS: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  succeed: async ({ log }) => {
    log("progress");
    process.stdout.write("result\n");
    return 0;
  },
  "say no": async () => 3,
  fail: async () => {
    throw new Error("the reason");
  },
  misuse: async () => {
    throw new UsageError("the misuse");
  },
  "wait and clean up": async ({ signal, log }) => {
    process.stdout.write("ready\n");
    await aborted(signal);
    log("cleaned up");
    return 0;
  },
  "fail when called off": async ({ signal }) => {
    process.stdout.write("ready\n");
    await aborted(signal);
    throw signal.reason;
  },
  "never end": async () => {
    process.stdout.write("ready\n");
    await delay(60_000);
    return 0;
  },
  "lose an error": async ({ signal, log }) => {
    setImmediate(() => {
      throw new Error("nobody catches this");
    });
    await aborted(signal);
    log("cleaned up");
    return 0;
  },
  "lose a rejection": async ({ signal, log }) => {
    void Promise.reject(new Error("nobody awaits this"));
    await aborted(signal);
    log("cleaned up");
    return 0;
  },
  "write to nobody": async ({ signal, log }) => {
    const writing = setInterval(() => process.stdout.write("more\n"), 5);
    await aborted(signal);
    clearInterval(writing);
    log("cleaned up");
    return 0;
  },
};

async function aborted(signal: AbortSignal): Promise<void> {
  // What a test waits for keeps the process alive: a real command has servers that do.
  const alive = setInterval(() => {}, 60_000);
  if (!signal.aborted) await once(signal, "abort");
  clearInterval(alive);
}

await runCommand((context) => WORKS[process.argv[2] ?? ""]?.(context) ?? Promise.reject(new Error("no such work")));

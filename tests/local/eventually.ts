import { execFile } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** Looks again until the condition holds; fails with `what` when it does not within the limit. */
export async function eventually(
  what: string,
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await delay(20);
  }
}

/** The state of a process as `ps` writes it, such as `S` for one that waits; empty when there is none. */
export async function processState(pid: number): Promise<string> {
  return promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
}

/** Whether no such process runs. One that has ended and that init has not collected yet counts as gone. */
export async function isGone(pid: number): Promise<boolean> {
  const state = await processState(pid);
  return state === "" || state.startsWith("Z");
}

/** Whether nothing accepts connections on the port of 127.0.0.1. */
export async function isClosed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}

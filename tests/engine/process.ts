import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Process ids of this process's children whose command line holds a text. */
export async function childrenWith(text: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,args="], { timeout: 10_000 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && args?.includes(text) ? [Number(pid)] : [];
  });
}

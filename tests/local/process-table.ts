import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** One process, as `ps` tells of it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Program and arguments. */
  readonly command: string;
}

/** Every process that runs; one that has ended and that its parent has not collected yet is gone. */
export async function processTable(): Promise<ProcessEntry[]> {
  const columns = ["pid=", "ppid=", "pgid=", "stat=", "args="].flatMap((column) => ["-o", column]);
  const { stdout } = await promisify(execFile)("ps", ["-A", "-ww", ...columns], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, group, state = "Z", command = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state.startsWith("Z") || command.startsWith("ps -A")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), command }];
  });
}

/** Children of a process, their children, and so on. */
export function descendants(table: readonly ProcessEntry[], pid: number): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    const children = table.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map((child) => child.pid);
  }
  return found;
}

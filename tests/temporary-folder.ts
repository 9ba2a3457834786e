// Loaded before any test. The tests make dozens of database clusters of a thousand files each; ext4 passes over the places of files
// deleted in the last minutes one by one, so that there each new file costs more than the one before. Memory has no such place.
import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The shared memory of every Linux: a file system of type `tmpfs` that every user may write to. */
const MEMORY = "/dev/shm";

/** Below this, in bytes, clusters and their logs might not fit: containers have 64 MiB there by default. */
const ENOUGH = 2 * 1024 ** 3;

if (process.env.TMPDIR === undefined && isRoomy(MEMORY) && runsPrograms(MEMORY)) process.env.TMPDIR = MEMORY;

function isRoomy(folder: string): boolean {
  if (process.platform !== "linux" || process.availableMemory() < 2 * ENOUGH) return false;
  try {
    const { bavail, bsize } = statfsSync(folder);
    const stickyForAll = constants.S_IRWXU | constants.S_IRWXG | constants.S_IRWXO | 0o1000;
    return bavail * bsize >= ENOUGH && (statSync(folder).mode & 0o7777) === stickyForAll;
  } catch {
    return false;
  }
}

/** Some systems mount it so that no program in it can be run. */
function runsPrograms(folder: string): boolean {
  const own = mkdtempSync(join(folder, "passwordless-postgres-"));
  try {
    const program = join(own, "program");
    writeFileSync(program, "#!/bin/sh\nexit 0\n", { mode: 0o700 });
    execFileSync(program, { stdio: "ignore", timeout: 5_000 });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

import { execFile } from "node:child_process";
import { mkdir, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { UsageError } from "../command.ts";
import { PROGRAM_FOLDER } from "../program/configuration.ts";

/** Longest time in milliseconds that git and tar may take. */
const UNPACKED_WITHIN_MS = 30_000;

/** The program as it was at a commit. */
export interface Revision {
  readonly commit: string;
  /** Folder of the program, ending in a slash. */
  readonly folder: URL;
}

/**
 * Lays out the program of another revision, with the packages that are installed for the present one. Nothing in the repository
 * changes.
 *
 * @param reference of git: a branch, a tag, a commit
 * @param into folder to make
 * @throws UsageError when the reference is no commit of this repository
 */
export async function layOutRevision(reference: string, into: string, signal: AbortSignal): Promise<Revision> {
  const root = fileURLToPath(PROGRAM_FOLDER);
  const run = promisify(execFile);
  const options = { cwd: root, signal, timeout: UNPACKED_WITHIN_MS };
  const commit = await run("git", ["rev-parse", "--verify", "--end-of-options", `${reference}^{commit}`], options).then(
    ({ stdout }) => stdout.trim(),
    (cause: unknown) => {
      signal.throwIfAborted();
      throw new UsageError(`--against ${reference}; allowed: a branch, tag or commit of the repository in ${root}`, {
        cause,
      });
    },
  );
  await mkdir(into);
  const archive = `${into}.tar`;
  await run("git", ["archive", "--format=tar", `--output=${archive}`, commit], options);
  await run("tar", ["-xf", archive, "-C", into], options);
  await rm(archive);
  await symlink(path.join(root, "node_modules"), path.join(into, "node_modules"));
  return { commit, folder: pathToFileURL(`${into}/`) };
}

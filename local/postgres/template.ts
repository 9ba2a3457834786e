import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Reaper } from "../reaper.ts";
import { run } from "./run.ts";

/** A cluster as `initdb` left it, from which others are copied: a copy is had in a fraction of the time. */
export interface ClusterTemplate {
  /** Copies it to a folder that does not exist yet; false when there is none, or it could not be copied as a whole. */
  copyTo(data: string, reaper: Reaper): Promise<boolean>;
  /** Keeps a copy of a cluster that was just made and holds nothing of its own. Where that fails, there is no template. */
  keep(data: string, reaper: Reaper): Promise<void>;
  /** Throws it away, since it is of no use. */
  discard(): Promise<void>;
}

/**
 * Below node_modules, as other tools keep what can be made anew: whoever may write there may change PostgreSQL's programs
 * themselves, which is not so for a folder that every user may write to; and the next `npm ci` removes it with them.
 */
const installation = fileURLToPath(new URL("../../node_modules", import.meta.url));

/**
 * The template of the clusters that the programs in `native` make with these flags for this user.
 *
 * @param modules the folder node_modules; no template is kept unless it belongs to this process's user, who else would
 * leave files in it that its owner cannot remove
 */
export async function clusterTemplate(
  native: string,
  flags: readonly string[],
  uid: number | undefined,
  modules: string = installation,
): Promise<ClusterTemplate | undefined> {
  const folder = join(modules, ".cache", "passwordless-postgres");
  if (!(await prepare(modules, folder))) return undefined;
  const { size, mtimeMs } = await stat(join(native, "bin", "postgres"));
  const identity = JSON.stringify([process.platform, process.arch, size, mtimeMs, flags, uid ?? null]);
  const name = `cluster-${createHash("sha256").update(identity).digest("hex").slice(0, 16)}`;
  const template = join(folder, name);

  return {
    async copyTo(data, reaper) {
      if (!(await isOwnFolder(template))) return false;
      try {
        await copyTree(join(template, "data"), data, reaper);
        return true;
      } catch {
        // Such as when another process throws it away at this moment.
        await rm(data, { recursive: true, force: true });
        return false;
      }
    },

    async keep(data, reaper) {
      const draft = join(folder, `draft-${randomBytes(8).toString("hex")}`);
      reaper.watchDirectory(draft);
      try {
        await mkdir(draft, { mode: 0o700 });
        await copyTree(data, join(draft, "data"), reaper);
        await rename(draft, template);
        await removeOthers(folder, name);
      } catch {
        // Another process was first, or there is no room.
        await rm(draft, { recursive: true, force: true }).catch(() => {});
      } finally {
        reaper.forgetDirectory(draft);
      }
    },

    async discard() {
      await rm(template, { recursive: true, force: true }).catch(() => {});
    },
  };
}

/** Makes the folder of templates; false where this user is not to keep any. */
async function prepare(modules: string, folder: string): Promise<boolean> {
  try {
    if ((await stat(modules)).uid !== process.geteuid?.()) return false;
    await mkdir(join(folder, ".."), { recursive: true });
    await mkdir(folder, { mode: 0o700 }).catch(() => {});
    return await isOwnFolder(folder);
  } catch {
    return false;
  }
}

/** Whether it is a folder, no link to one, that belongs to this process's user and that no one else can enter. */
async function isOwnFolder(path: string): Promise<boolean> {
  try {
    const status = await lstat(path);
    return status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

/** With owners and modes. The program does it in a third of the time that `fs.cp` takes. */
async function copyTree(source: string, target: string, reaper: Reaper): Promise<void> {
  await run("/bin/cp", ["-Rp", source, target], { user: undefined, reaper });
}

/** Templates of programs that have been replaced since, and what a crash left of others. */
async function removeOthers(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry !== name) await rm(join(folder, entry), { recursive: true, force: true });
  }
}

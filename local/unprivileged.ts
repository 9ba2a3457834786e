import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  realpath,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

/** An operating-system user without privileges, as which a process is started. */
export interface UnprivilegedUser {
  /** As `chown` takes it: 0 … 4294967295. For `spawn` see {@link spawnIdentity}. */
  readonly uid: number;
  readonly gid: number;
}

/** What can go wrong when something is handed to an unprivileged user. */
export type UnprivilegedErrorCode = "NO_UNPRIVILEGED_USER" | "NO_OPEN_TEMPORARY_FOLDER" | "NOT_ROOT";

/** Says which user or path cannot serve, and what to do about it. */
export class UnprivilegedError extends Error {
  override readonly name = "UnprivilegedError";
  readonly code: UnprivilegedErrorCode;

  constructor(code: UnprivilegedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Users that exist on every Linux and macOS for exactly this purpose, in the order in which they are tried. */
const userNames = ["nobody", "daemon"] as const;

/** Bits of one `rwx` triple. */
const read = 4;
const execute = 1;

/** Whether this process may act for every user. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * The user as which programs run that refuse root (PostgreSQL): undefined when this process is not root, since then
 * they run as its own user. No user is made: one that every system has is taken.
 *
 * @throws UnprivilegedError `NO_UNPRIVILEGED_USER`
 */
export async function unprivilegedUser(): Promise<UnprivilegedUser | undefined> {
  if (!isRoot()) return undefined;
  let cause: unknown;
  for (const name of userNames) {
    try {
      const [uid, gid] = await Promise.all([numericId("-u", name), numericId("-g", name)]);
      if (uid !== 0) return { uid, gid };
    } catch (error) {
      cause = error;
    }
  }
  throw new UnprivilegedError(
    "NO_UNPRIVILEGED_USER",
    `This process is root and none of the users ${userNames.join(", ")} exists, so nothing can run without privileges. ` +
      "Run as an ordinary user, or give the system one of these users.",
    { cause },
  );
}

/** `uid` and `gid` for `spawn`, which takes signed numbers only: macOS's nobody is -2, printed as 4294967294. */
export function spawnIdentity(user: UnprivilegedUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid | 0, gid: user.gid | 0 };
}

/**
 * Whether the user may use what is at `path`: enter each folder above it; read a file, and run it if anyone may run it;
 * for a folder, so for all that it holds. Decided by owner and permission bits; access control lists are not read.
 * What does not exist, or cannot be seen by this process, is not available.
 */
export async function isAvailableTo(path: string, user: UnprivilegedUser): Promise<boolean> {
  try {
    const real = await realpath(path);
    return (await mayEnterAncestors(path, user)) && (await mayEnterAncestors(real, user)) && (await mayUse(real, user));
  } catch {
    return false;
  }
}

/**
 * A path at which the user may use the file or folder `path`: the path itself when it is available as it is, otherwise
 * a place below `directory`, which the user must be able to enter: files are hard links to the original where their own
 * permissions suffice, and copies otherwise. The user gets no right to change anything, and users outside of the user's
 * group no way in.
 *
 * @throws UnprivilegedError `NOT_ROOT` when a copy is needed and this process may not give files away
 */
export async function makeAvailableTo(path: string, user: UnprivilegedUser, directory: string): Promise<string> {
  if (await isAvailableTo(path, user)) return path;
  if (!isRoot()) {
    throw new UnprivilegedError(
      "NOT_ROOT",
      `The user with uid ${user.uid} may not use ${path}, and only root can make it available. ` +
        "Run as root, or move the checkout to a folder that the user may enter.",
    );
  }
  const source = await realpath(path);
  const folder = await mkdtemp(join(directory, "available-"));
  const target = join(folder, basename(path));
  await place(source, target, user);
  await giveFolder(folder, user);
  return target;
}

/**
 * The name of a new folder below the system's folder for temporary files; {@link createWorkspace} makes it. Name and
 * folder come apart so that whoever removes it can be told before it exists.
 *
 * @param user who must be able to enter it, if not this process's user
 * @throws UnprivilegedError `NO_OPEN_TEMPORARY_FOLDER`
 */
export async function workspacePath(user: UnprivilegedUser | undefined): Promise<string> {
  const parents = [...new Set([tmpdir(), "/tmp", "/var/tmp"])];
  for (const parent of parents) {
    if (user === undefined || (await mayEnterFolder(parent, user))) {
      return join(await realpath(parent), `passwordless-postgres-${randomBytes(8).toString("hex")}`);
    }
  }
  throw new UnprivilegedError(
    "NO_OPEN_TEMPORARY_FOLDER",
    `The user with uid ${user?.uid} may enter none of ${parents.join(", ")}. Set TMPDIR to a folder that every user may enter.`,
  );
}

/** Makes the folder: private to this process's user, but one through which `user` can pass to what is its own inside. */
export async function createWorkspace(path: string, user: UnprivilegedUser | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (user !== undefined) await chmod(path, 0o711);
}

/** Makes a folder of mode 0700 that belongs to the user, or to this process's user when there is none. */
export async function createOwnFolder(path: string, user: UnprivilegedUser | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Writes a new file that only the user can read, and gives it away while it is empty: at no moment can another read it. */
export async function writeOwnFile(path: string, content: string, user: UnprivilegedUser | undefined): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    if (user !== undefined) await file.chown(user.uid, user.gid);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

async function numericId(option: "-u" | "-g", name: string): Promise<number> {
  const { stdout } = await promisify(execFile)("id", [option, name], { timeout: 5_000 });
  // Printed as -2 by some systems and as 4294967294 by others.
  return Number.parseInt(stdout, 10) >>> 0;
}

function allows(
  bits: number,
  owner: { readonly mode: number; readonly uid: number; readonly gid: number },
  user: UnprivilegedUser,
): boolean {
  if (user.uid === 0) return true;
  const shift = owner.uid === user.uid ? 6 : owner.gid === user.gid ? 3 : 0;
  return ((owner.mode >> shift) & bits) === bits;
}

async function mayEnterFolder(folder: string, user: UnprivilegedUser): Promise<boolean> {
  try {
    const real = await realpath(folder);
    return (await mayEnterAncestors(real, user)) && allows(execute, await stat(real), user);
  } catch {
    return false;
  }
}

async function mayEnterAncestors(path: string, user: UnprivilegedUser): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!allows(execute, await stat(folder), user)) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function mayUse(path: string, user: UnprivilegedUser): Promise<boolean> {
  const status = await lstat(path);
  if (status.isSymbolicLink()) return true;
  if (!status.isDirectory()) return allows((status.mode & 0o111) === 0 ? read : read | execute, status, user);
  if (!allows(read | execute, status, user)) return false;
  const entries = await readdir(path);
  return (await Promise.all(entries.map((entry) => mayUse(join(path, entry), user)))).every((usable) => usable);
}

async function place(source: string, target: string, user: UnprivilegedUser): Promise<void> {
  const status = await lstat(source);
  if (status.isSymbolicLink()) return symlink(await readlink(source), target);
  if (status.isDirectory()) {
    await mkdir(target, { mode: 0o700 });
    const entries = await readdir(source);
    await Promise.all(entries.map((entry) => place(join(source, entry), join(target, entry), user)));
    return giveFolder(target, user);
  }
  if ((await mayUse(source, user)) && (await linked(source, target))) return;
  await copyFile(source, target);
  await chown(target, process.geteuid?.() ?? 0, user.gid);
  await chmod(target, (status.mode & 0o111) === 0 ? 0o640 : 0o750);
}

/** A hard link costs no space. Not every pair of folders allows one: they may lie on two file systems. */
async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch {
    return false;
  }
}

async function giveFolder(path: string, user: UnprivilegedUser): Promise<void> {
  await chown(path, process.geteuid?.() ?? 0, user.gid);
  await chmod(path, 0o750);
}

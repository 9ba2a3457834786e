import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  createOwnFolder,
  createWorkspace,
  isAvailableTo,
  isRoot,
  makeAvailableTo,
  spawnIdentity,
  unprivilegedUser,
  workspacePath,
  writeOwnFile,
} from "../../local/unprivileged.ts";

/** Nobody on any machine, so that only the permissions for others apply. */
const stranger = { uid: 54_321, gid: 54_321 };

describe("What another user may use", () => {
  let open: string;
  let closed: string;

  beforeEach(async () => {
    open = await mkdtemp(join(dirname(await workspacePath(stranger)), "test unprivileged-"));
    await chmod(open, 0o711);
    closed = join(open, "closed");
    await mkdir(closed, { mode: 0o700 });
  });
  afterEach(async () => {
    await rm(open, { recursive: true, force: true });
  });

  async function file(path: string, mode: number, content = "x"): Promise<string> {
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  }

  it("is a file that everyone may read, below folders that everyone may enter", async () => {
    assert.equal(await isAvailableTo(await file(join(open, "readable"), 0o644), stranger), true);
    assert.equal(await isAvailableTo(await file(join(open, "private"), 0o600), stranger), false);
    assert.equal(await isAvailableTo(await file(join(closed, "readable"), 0o644), stranger), false);
    assert.equal(await isAvailableTo(join(open, "missing"), stranger), false);
  });

  it("includes a program only if everyone may run it", async () => {
    assert.equal(await isAvailableTo(await file(join(open, "program"), 0o755), stranger), true);
    assert.equal(await isAvailableTo(await file(join(open, "owner's"), 0o744), stranger), false);
  });

  it("follows the owner's and the group's permissions where the user is one of them", async () => {
    const path = await file(join(open, "mine"), 0o640);
    const { uid, gid } = await stat(path);
    const own = { uid: 54_321, gid };
    assert.equal(await isAvailableTo(path, own), true);
    await chmod(path, 0o604);
    assert.equal(await isAvailableTo(path, own), uid === 54_321);
    assert.equal(await isAvailableTo(path, stranger), true);
  });

  it("is a folder only with all that it holds", async () => {
    const folder = join(open, "folder");
    await mkdir(folder);
    await chmod(folder, 0o755);
    await file(join(folder, "one"), 0o644);
    assert.equal(await isAvailableTo(folder, stranger), true);
    await file(join(folder, "two"), 0o600);
    assert.equal(await isAvailableTo(folder, stranger), false);
  });

  it("is not a link into a folder that the user may not enter", async () => {
    await file(join(closed, "program"), 0o755);
    await symlink(join(closed, "program"), join(open, "link"));
    assert.equal(await isAvailableTo(join(open, "link"), stranger), false);
    await file(join(open, "program"), 0o755);
    await symlink(join(open, "program"), join(closed, "link"));
    assert.equal(await isAvailableTo(join(closed, "link"), stranger), false);
  });

  it("stays where it is when it is available already", async () => {
    const path = await file(join(open, "readable"), 0o644);
    assert.equal(await makeAvailableTo(path, stranger, open), path);
  });

  it("is linked, not copied, when only a folder above it is closed, and runs as the user", async function () {
    if (!isRoot()) return this.skip();
    const program = await file(join(closed, "program"), 0o755, "#!/bin/sh\nid -u\n");
    const run = async (path: string) =>
      (await promisify(execFile)(path, [], { ...spawnIdentity(stranger), cwd: "/" })).stdout;
    await assert.rejects(run(program), { code: "EACCES" });
    const available = await makeAvailableTo(program, stranger, open);
    assert.equal((await stat(available)).ino, (await stat(program)).ino);
    assert.equal(await run(available), "54321\n");
  });

  it("is copied with its links, readable by the user's group and writable by no other", async function () {
    if (!isRoot()) return this.skip();
    await mkdir(join(closed, "lib"));
    await file(join(closed, "lib", "library.1"), 0o600, "content");
    await file(join(closed, "program"), 0o700, '#!/bin/sh\ncd "$(dirname "$0")" && cat lib/library\n');
    await symlink("library.1", join(closed, "lib", "library"));
    const available = await makeAvailableTo(closed, stranger, open);
    assert.notEqual(available, closed);
    assert.equal(await isAvailableTo(available, stranger), true);
    const run = await promisify(execFile)(join(available, "program"), [], { ...spawnIdentity(stranger), cwd: "/" });
    assert.equal(run.stdout, "content");
    for (const name of ["", "lib", "lib/library.1", "program"]) {
      const { mode, uid, gid } = await stat(join(available, name));
      assert.equal(mode & 0o027, 0);
      assert.equal(uid, 0);
      assert.equal(gid, stranger.gid);
    }
    assert.equal(await isAvailableTo(available, { uid: 54_322, gid: 54_322 }), false);
    assert.equal((await stat(join(closed, "lib", "library.1"))).mode & 0o777, 0o600);
  });

  it("cannot be extended without being root, and the error says so", async function () {
    if (isRoot()) return this.skip();
    const path = await file(join(open, "private"), 0o600);
    await assert.rejects(makeAvailableTo(path, stranger, open), { code: "NOT_ROOT" });
  });
});

describe("The folder for temporary files", () => {
  it("lets the user through to its own, and lists nothing to it", async () => {
    const user = await unprivilegedUser();
    const path = await workspacePath(user);
    await assert.rejects(stat(path), { code: "ENOENT" });
    await createWorkspace(path, user);
    try {
      assert.equal((await stat(path)).mode & 0o777, user === undefined ? 0o700 : 0o711);
      await createOwnFolder(join(path, "own"), user);
      const { mode, uid } = await stat(join(path, "own"));
      assert.equal(mode & 0o777, 0o700);
      assert.equal(uid, user?.uid ?? process.geteuid?.());
    } finally {
      await rm(path, { recursive: true });
    }
  });

  it("takes a file for the user's eyes alone, and never overwrites one", async () => {
    const user = await unprivilegedUser();
    const path = await workspacePath(user);
    await createWorkspace(path, user);
    try {
      await writeOwnFile(join(path, "secret"), "content", user);
      const { mode, uid } = await stat(join(path, "secret"));
      assert.equal(mode & 0o777, 0o600);
      assert.equal(uid, user?.uid ?? process.geteuid?.());
      assert.equal(await readFile(join(path, "secret"), "utf8"), "content");
      await assert.rejects(writeOwnFile(join(path, "secret"), "other", user), { code: "EEXIST" });
    } finally {
      await rm(path, { recursive: true });
    }
  });
});

describe("The unprivileged user", () => {
  it("is one that the system has, under root, and otherwise this process's own", async () => {
    const user = await unprivilegedUser();
    if (!isRoot()) return assert.equal(user, undefined);
    assert.ok(user !== undefined && user.uid > 0);
    const { stdout } = await promisify(execFile)("id", ["-u"], { ...spawnIdentity(user), cwd: "/" });
    assert.equal(Number(stdout) >>> 0, user.uid);
  });

  it("is spawned under a signed number, since macOS's nobody is -2", () => {
    assert.deepEqual(spawnIdentity({ uid: 4_294_967_294, gid: 4_294_967_294 }), { uid: -2, gid: -2 });
    assert.deepEqual(spawnIdentity(undefined), {});
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { installed } from "../../../local/postgres/binaries.ts";
import { createCluster, initdbFlags } from "../../../local/postgres/cluster.ts";
import { type ClusterTemplate, clusterTemplate } from "../../../local/postgres/template.ts";
import { type Reaper, startReaper } from "../../../local/reaper.ts";
import { createWorkspace, isRoot, unprivilegedUser, workspacePath } from "../../../local/unprivileged.ts";

describe("the template of database clusters", () => {
  let reaper: Reaper;
  let root: string;
  let modules: string;
  let native: string;
  let kept: string;
  let made: string;
  let copies = 0;

  before(() => {
    reaper = startReaper({ log: () => {} });
  });
  after(() => reaper.close());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "template-"));
    modules = join(root, "node_modules");
    kept = join(modules, ".cache", "passwordless-postgres");
    native = join(root, "native");
    made = join(root, "made");
    await mkdir(modules);
    await mkdir(join(native, "bin"), { recursive: true });
    await writeFile(join(native, "bin", "postgres"), "1");
    await mkdir(join(made, "global"), { recursive: true, mode: 0o700 });
    await writeFile(join(made, "global", "pg_control"), "content", { mode: 0o600 });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function template(flags: readonly string[] = ["--a"]): Promise<ClusterTemplate> {
    const found = await clusterTemplate(native, flags, undefined, modules);
    assert.ok(found, "a template may be kept");
    return found;
  }

  function target(): string {
    copies += 1;
    return join(root, `copy-${copies}`);
  }

  it("has nothing to copy before a cluster is kept, and gives copies with its content and modes from then on", async () => {
    const data = target();
    assert.equal(await (await template()).copyTo(data, reaper), false);
    assert.equal(existsSync(data), false);
    await (await template()).keep(made, reaper);
    assert.equal(await (await template()).copyTo(data, reaper), true);
    assert.equal(await readFile(join(data, "global", "pg_control"), "utf8"), "content");
    assert.equal((await stat(join(data, "global"))).mode & 0o777, 0o700);
    assert.equal((await stat(join(data, "global", "pg_control"))).mode & 0o777, 0o600);
  });

  it("can be entered by this process's user alone", async () => {
    await (await template()).keep(made, reaper);
    const names = await readdir(kept);
    assert.equal(names.length, 1);
    for (const folder of [kept, join(kept, names[0] ?? "")]) {
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
      assert.equal((await stat(folder)).uid, process.geteuid?.());
    }
  });

  it("is one, with no draft beside it, when several processes make it at once", async () => {
    const templates = await Promise.all([template(), template(), template()]);
    await Promise.all(templates.map((each) => each.keep(made, reaper)));
    assert.deepEqual(
      (await readdir(kept)).map((name) => name.replace(/-.*/, "")),
      ["cluster"],
    );
    assert.equal(await (await template()).copyTo(target(), reaper), true);
  });

  it("is another for other flags and for other programs, and replaces the one that was", async () => {
    await (await template()).keep(made, reaper);
    assert.equal(await (await template(["--b"])).copyTo(target(), reaper), false);
    await writeFile(join(native, "bin", "postgres"), "23");
    assert.equal(await (await template()).copyTo(target(), reaper), false);
    const [first] = await readdir(kept);
    await (await template()).keep(made, reaper);
    assert.equal((await readdir(kept)).length, 1);
    assert.notEqual((await readdir(kept))[0], first);
  });

  it("leaves nothing at the place of a copy that fails", async () => {
    await (await template()).keep(made, reaper);
    const [name = ""] = await readdir(kept);
    await rename(join(kept, name, "data"), join(kept, name, "other"));
    const data = target();
    assert.equal(await (await template()).copyTo(data, reaper), false);
    assert.equal(existsSync(data), false);
  });

  it("is not kept, and nothing is written, where the programs belong to another user", async () => {
    if (isRoot()) await chown(modules, 65_534, 65_534);
    const foreign = isRoot() ? modules : "/usr";
    assert.equal(await clusterTemplate(native, [], undefined, foreign), undefined);
    assert.equal(existsSync(join(foreign, ".cache")), false);
  });

  it("is not kept where there is no such folder", async () => {
    assert.equal(await clusterTemplate(native, [], undefined, join(root, "missing")), undefined);
    assert.equal(existsSync(join(root, "missing")), false);
  });

  it("is neither kept in nor taken from a folder that others may enter, or that is a link", async () => {
    await (await template()).keep(made, reaper);
    const [name = ""] = await readdir(kept);
    const found = await template();
    await chmod(join(kept, name), 0o750);
    assert.equal(await found.copyTo(target(), reaper), false);
    await chmod(join(kept, name), 0o700);
    assert.equal(await found.copyTo(target(), reaper), true);
    await chmod(kept, 0o705);
    assert.equal(await clusterTemplate(native, ["--a"], undefined, modules), undefined);
    await chmod(kept, 0o700);
    await rename(kept, `${kept}-real`);
    await symlink(`${kept}-real`, kept);
    assert.equal(await clusterTemplate(native, ["--a"], undefined, modules), undefined);
  });

  it("holds no password, and is made anew when it is no cluster that the server can work on", async () => {
    const user = await unprivilegedUser();
    const found = await clusterTemplate(installed(), initdbFlags("rdsadmin"), user?.uid, modules);
    async function make(): Promise<string> {
      const folder = await workspacePath(user);
      await createWorkspace(folder, user);
      try {
        const superuser = { user: "rdsadmin", password: "of one cluster" };
        const options = { folder, native: installed(), user, superuser, forceSsl: false, template: found, reaper };
        const { data } = await createCluster(options);
        return (await verifiers(data)).join();
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
    const first = await make();
    assert.match(first, /^SCRAM-SHA-256/);
    const [name = ""] = await readdir(kept);
    const data = join(kept, name, "data");
    assert.deepEqual(await verifiers(data), []);
    assert.notEqual(await make(), first);
    await rm(join(data, "global", "pg_control"));
    await make();
    assert.equal(existsSync(join(kept, name, "data", "global", "pg_control")), true);
    assert.deepEqual(await verifiers(data), []);
  }).timeout(30_000);
});

/** What the shared catalogs and the write-ahead log hold of the form in which PostgreSQL stores passwords. */
async function verifiers(data: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["global", "pg_wal"].map((name) => join(data, name))) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const content = await readFile(join(folder, entry.name), "latin1");
      found.push(...(content.match(/SCRAM-SHA-256\$\d+:[\w+/=$:]+/g) ?? []));
    }
  }
  return [...new Set(found)];
}
